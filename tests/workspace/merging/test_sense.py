import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from etlgen.errors import InternalError
from etlgen.workspace.merging.sense import new_trouble

GOLDEN = Path(__file__).parents[2] / "golden"


def found(path: str, mine: str, theirs: str, merged: str) -> list[tuple[str, list[int]]]:
    trouble = new_trouble(path, mine, theirs, merged)
    return [(one.message, [place.start for place in one.places]) for one in trouble]


def said_twice(path: str, frame: str, one: str, other: str) -> list[tuple[str, list[int]]]:
    """The team says `one`, etlgen says `other`, in different places of the frame."""
    texts = (frame.format(*pair) for pair in ((one, ""), ("", other), (one, other)))
    return found(path, *texts)


COLUMNS = "TABLE = Table(\n    'orders',\n{}    Column('id'),\n{})\n"
BLOCK = "def check(rows, problems):\n{}    rows.sort()\n{}    return rows\n"


@pytest.mark.parametrize(
    ("frame", "one", "other", "message"),
    [
        (
            COLUMNS,
            "    Column('vat', Text),\n",
            "    Column('vat', Numeric(12, 2)),\n",
            "Column('vat', …) stands twice in one call of Table",
        ),
        (
            "NAMES = [\n{}    'a',\n{}]\n",
            "    'VAT',\n",
            "    'VAT',\n",
            "'VAT' stands twice in one list",
        ),
        (
            "NAMES = [\n{}    'a',\n{}]\n",
            "    ('VAT', 'Tax'),\n",
            "    ('VAT', 'Tax'),\n",
            "('VAT', 'Tax') stands twice in one list",
        ),
        (
            "NAMES = {{\n{}    'a': 1,\n{}}}\n",
            "    'vat': 2,\n",
            "    'vat': 3,\n",
            "the key 'vat' stands twice in one dict",
        ),
        (
            "NAMES = {{\n{}    'a': 1,\n{}}}\n",
            "    A.b: 2,\n",
            "    A.b: 3,\n",
            "the key A.b stands twice in one dict",
        ),
        (
            "run(\n{}    *a,\n{})\n",
            "    *file_lineage(),\n",
            "    *file_lineage(),\n",
            "*file_lineage() stands twice in one call of run",
        ),
        (
            BLOCK,
            "    rows['vat'] = 1\n",
            "    rows['vat'] = 2\n",
            "rows['vat'] = … stands twice in check",
        ),
        (BLOCK, "    limit = 1\n", "    limit: int = 2\n", "limit = … stands twice in check"),
        (
            BLOCK,
            "    problems.require('vat', 'is at least 0', a)\n",
            "    problems.require('vat', 'is at least 0', b)\n",
            "problems.require('vat', 'is at least 0', …) stands twice in check",
        ),
        (
            "{}A = 1\n{}",
            "def load():\n    return 1\n",
            "def load():\n    return 2\n",
            "def load stands twice in this file",
        ),
        (
            "class Loader:\n{}    a = 1\n{}",
            "    def load(self): ...\n",
            "    def load(self): ...\n",
            "def load stands twice in Loader",
        ),
        ("{}A = 1\n{}", "class B: ...\n", "class B: ...\n", "class B stands twice in this file"),
        (
            "{}import a\n{}print(a, re)\n",
            "import re\n",
            "import re\n",
            "the import of re stands twice in this file",
        ),
        (
            "{}import a\n{}print(a, re)\n",
            "import re\n",
            "from other import re\n",
            "the import of re stands twice in this file",
        ),
        (
            "if a:\n    b()\nelse:\n{}    c()\n{}",
            "    x['a'] = 1\n",
            "    x['a'] = 1\n",
            "x['a'] = … stands twice in one orelse of a statement",
        ),
    ],
)
def test_what_a_python_file_says_twice(frame: str, one: str, other: str, message: str) -> None:
    names = (
        "from x import A, Column, Numeric, Table, Text, a, b, c, file_lineage, problems, run, x\n"
    )
    trouble = said_twice("a.py", names + frame, one, other)
    merged = names + frame.format(one, other)
    [first, second] = dict(trouble)[message]
    assert [one_message for one_message, _ in trouble] == [message]
    lines = merged.split("\n")
    assert lines[first - 1] == one.split("\n")[0]
    assert lines[second - 1] == other.split("\n")[0]


def test_a_statement_twice_in_a_row_is_seen() -> None:
    frame = "def f(rows):\n    rows.sort()\n{}{}    return rows\n"
    statement = "    rows = rows.dropna()\n"
    messages = dict(said_twice("a.py", frame, statement, statement))
    assert messages == {"rows = rows.dropna() in a row stands twice in f": [3, 4]}


def test_a_call_twice_in_a_row_is_said_once() -> None:
    line = "print('a')\n"
    assert len(said_twice("a.py", "A = 1\n{}{}", line, line)) == 1


def test_what_python_only_warns_of_hides_nothing() -> None:
    frame = "print('\\d' is 'd')\nA = {{\n{}    'b': 1,\n{}}}\n"
    assert said_twice("a.py", frame, "    'a': 1,\n", "    'a': 2,\n")


@pytest.mark.parametrize(
    ("frame", "one", "other"),
    [
        (BLOCK, "    rows = rows.dropna()\n", "    rows = rows.fillna(0)\n"),
        (
            BLOCK,
            "    problems.require('vat', 'is at least 0', rows)\n",
            "    problems.require('vat', 'is at most 9', rows)\n",
        ),
        (COLUMNS, "    Column('vat', Text),\n", "    Column('net', Text),\n"),
        (COLUMNS, "    Index('a'),\n", "    Column('a'),\n"),
        ("A = [\n{}    1,\n{}]\n", "    2,\n", "    2,\n"),
        ("a = {{'x': 1}}\nb = [\n{}    {{}},\n{}]\n", "    {'x': 1},\n", "    {'x': 2},\n"),
        ("def f():\n{}    return 1\ndef g():\n{}    return 2\n", "    a = 1\n", "    a = 1\n"),
        ("if x:\n{}    y()\nelse:\n{}    z()\n", "    a['b'] = 1\n", "    a['b'] = 1\n"),
        ("{}A = 1\n{}", "import a.b\n", "import a.c\n"),
        ("def f(rows):\n{}    rows['a'] = 1\n{}", "    rows[x] = 1\n", "    rows[x] = 2\n"),
    ],
)
def test_what_only_looks_as_if_said_twice(frame: str, one: str, other: str) -> None:
    names = "from x import Column, Index, Table, Text, a, x, y, z\n"
    # What stands unused is on a side alone already.
    assert said_twice("a.py", names + frame, one, other) == []


def test_what_a_side_says_twice_itself_is_its_own_affair() -> None:
    twice = "import x\nrows = {}\nrows['a'] = x\nrows['a'] = 2\nNAMES = {'a': 1, 'a': 2}\n"
    assert found("a.py", twice, "A = 1\n", twice + "A = 1\n") == []
    assert found("a.py", "A = 1\n", twice, twice + "A = 1\n") == []


def test_once_more_than_the_side_that_says_it_twice_is_trouble() -> None:
    mine = "rows = {}\nrows['a'] = 1\nrows['a'] = 2\n"
    theirs = "rows = {}\nrows['a'] = 3\n"
    [trouble] = found("a.py", mine, theirs, f"{mine}rows['a'] = 3\n")
    assert trouble == ("rows['a'] = … stands twice in this file", [2, 3, 4])


def test_what_ruff_finds_in_neither_side_is_trouble() -> None:
    base = "import re\n\nprint(re)\n{}"
    mine, theirs = base.format("a = re.I\n"), base.format("").replace(
        "import re\n\nprint(re)\n", ""
    )
    merged = "a = re.I\n"
    assert found("a.py", mine, theirs, merged) == [("Undefined name `re`", [1])]
    assert found("a.py", mine, "print(re)\n", merged) == []


def test_the_same_finding_on_another_line_is_not_new() -> None:
    mine = "import os\nprint(1)\nimport os\n"
    assert found("a.py", mine, "A = 1\n", f"A = 1\n\n{mine}") == []


def test_ruff_can_be_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("subprocess.run", None)
    assert new_trouble("a.py", "re = 1\n", "A = 1\n", "print(re)\n", lint=False) == []


def test_one_call_of_ruff_deaf_to_configuration(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "ruff.toml").write_text("[lint]\nignore = ['F821']\nexclude = ['*']\n")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    calls = []
    run = subprocess.run

    def counted(*args: object, **options: object) -> object:
        calls.append(args)
        return run(*args, **options)  # type: ignore[call-overload]

    monkeypatch.setattr("subprocess.run", counted)
    assert found("build/a.py", "re = 1\n", "A = 1\n", "print(re)\n")
    assert len(calls) == 1


def test_a_ruff_that_fails_is_a_fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "ruff").write_text("#!/bin/sh\necho broken >&2\nexit 2\n")
    (tmp_path / "ruff").chmod(0o755)
    monkeypatch.setattr("ruff.find_ruff_bin", lambda: str(tmp_path / "ruff"))
    with pytest.raises(InternalError, match="broken"):
        new_trouble("a.py", "re = 1\n", "A = 1\n", "print(re)\n")


FILES = [
    ("a.toml", "[a]\n{}x = 1\n{}", "v = 1\n", "v = 2\n"),
    ("a.toml", "{}[b]\nx = 1\n{}", "[a]\ny = 1\n", "[a]\nz = 2\n"),
    ("a.toml", "[project]\ndependencies = [\n{}'b',\n{}]\n", "'pandas>=3',\n", "'Pandas<4',\n"),
    ("a.toml", "[b]\nrequires = [\n{}'c',\n{}]\n", "'hatch-vcs',\n", "'hatch_vcs>=1',\n"),
    ("a.toml", "[tool.x]\nselect = [\n{}'E',\n{}]\n", '"F",\n', '"F",\n'),
    ("a.yaml", "a:\n{}  b: 1\n{}", "  c: 2\n", "  c: 3\n"),
    ("a.yml", "on:\n{}  - push\n{}", "  - pull\n", "  - pull\n"),
    ("a.yml", "steps:\n{}  - run: a\n{}", "  - run: b\n", "  - run: b\n"),
    ("a.json", '{{\n{}\t"a": 1,\n{}\t"b": 2\n}}\n', '\t"c": 1,\n', '\t"c": 2,\n'),
    ("Makefile", "{}A := 1\n{}", "B = 2\n", "B ?= 3\n"),
    ("Makefile", "{}a: b\n\techo\n{}", "c:\n\techo\n", "c: a\n\techo\n"),
    ("x.mk", "{}a: b\n\techo\n{}", "c d:\n\techo\n", "d: a\n\techo\n"),
    (".env.example", "{}A=1\n{}", "B=2\n", "B=\n"),
    ("env/webshop.env.example", "{}A=1\n{}", "export B=2\n", "B=3\n"),
]


@pytest.mark.parametrize(("path", "frame", "one", "other"), FILES)
def test_what_other_files_say_twice(path: str, frame: str, one: str, other: str) -> None:
    [(message, lines)] = said_twice(path, frame, one, other)
    merged = frame.format(one, other).split("\n")
    assert [merged[line - 1] for line in lines] == [t.split("\n")[0] for t in (one, other)]
    assert "twice" in message or "Cannot overwrite a value: v" in message


@pytest.mark.parametrize(
    ("path", "frame", "one", "other"),
    [
        ("a.toml", "[a]\n{}x = 1\n[b]\n{}", "v = 1\n", "v = 2\n"),
        ("a.toml", "[tool.x]\nargs = [\n{}'b',\n{}]\n", "'-p a',\n", "'-p b',\n"),
        ("a.toml", "{}[[b]]\nx = 1\n{}", "[[a]]\ny = 1\n", "[[a]]\ny = 1\n"),
        ("a.yaml", "a:\n{}  b: 1\nc:\n{}", "  d: 2\n", "  d: 3\n"),
        ("a.yaml", "a:\n{}  - 2\n{}", "  - 1\n", "  - 1\n"),
        ("a.yaml", "a: &x [1]\n{}b: 2\n{}", "c: *x\n", "d: *x\n"),
        ("a.yaml", "a: &x [*x]\n{}b: 2\n{}", "c: *x\n", "d: *x\n"),
        ("a.yaml", "a:\n{}  - x: {{z: 1}}\n{}", "  - x: {y: 1}\n", "  - x: {y: 1}\n"),
        ("Makefile", "{}a: b\n\techo\n{}", ".PHONY: a\n", ".PHONY: c\n"),
        ("Makefile", "{}a: b\n\techo\n{}", "B += 2\n", "B += 3\n"),
        ("Makefile", "{}a: b\n\techo\n{}", "c:: a\n\techo 1\n", "c:: a\n\techo 2\n"),
        (".env", "{}A=1\n{}", "# B=2\n", "B=3\n"),
        ("README.md", "{}text\n{}", "# Title\n", "# Title\n"),
        ("a.sql", "{}text\n{}", "select 1;\n", "select 1;\n"),
    ],
)
def test_what_other_files_may_say_again(path: str, frame: str, one: str, other: str) -> None:
    assert said_twice(path, frame, one, other) == []


@pytest.mark.parametrize(
    ("path", "good", "bad", "line"),
    [
        ("a.py", "a = 1\n", "a = 1\nb = (\n", 2),
        ("a.py", "a = 1\n", "f(\n    a=1,\n    a=2,\n)\n", 3),
        ("a.py", "a = 1\n", "return 1\n", 1),
        ("a.toml", "a = 1\n", "a = 1\nb = [\n", 3),
        ("a.yaml", "a: 1\n", "a: 1\nb: [\n", 3),
        ("a.json", "{}\n", "{\n]\n", 2),
    ],
)
def test_what_does_not_parse_is_trouble_if_both_sides_do(
    path: str, good: str, bad: str, line: int
) -> None:
    [trouble] = new_trouble(path, good, good, bad)
    assert trouble.message.startswith("merged it does not parse: ")
    assert trouble.line == line
    for mine, theirs in ((bad, good), (good, bad), (bad, bad)):
        assert new_trouble(path, mine, theirs, bad) == []


SUM = f"a = {' + '.join(['1'] * 9000)}\n"


@pytest.mark.parametrize(
    "text", ["a = '\0'\n", "a = '\udcff'\n", f"a = {'(' * 500}{')' * 500}\n", SUM]
)
def test_a_file_that_python_cannot_take_is_no_new_trouble(text: str) -> None:
    assert new_trouble("a.py", text, "b = 1\n", f"b = 1\n{text}") == []


def test_an_expression_of_any_length_is_read() -> None:
    text = f"a = {' + '.join(['1'] * 900)}\n"
    assert new_trouble("a.py", text, "b = 1\n", f"b = 1\n{text}") == []


def test_a_long_message_is_cut() -> None:
    line = f"rows['{'x' * 500}'] = 1\n"
    [(message, _)] = said_twice("a.py", "rows = []\n{}a = 1\n{}", line, line)
    assert len(message) < 150


def generated(*parts: str) -> Iterator[Path]:
    patterns = [f"*/expected/{part}**/*" for part in parts or ("",)]
    return (path for one in patterns for path in sorted(GOLDEN.glob(one)) if path.is_file())


def test_no_generated_file_says_anything_twice() -> None:
    for path in generated("src/", "dags/", "env/", ".github/"):
        text = path.read_text(encoding="utf-8")
        assert new_trouble(path.name, "", "", text, lint=False) == [], path


def test_every_generated_file_is_trouble_when_it_is_there_twice() -> None:
    seen = set()
    for path in generated():
        text = path.read_text(encoding="utf-8")
        if new_trouble(path.name, text, text, f"{text}\n{text}", lint=False):
            seen.add(path.suffix or path.name)
    assert seen >= {".py", ".toml", ".yaml", ".yml", ".example", "Makefile"}
