"""`etlgen new` from the command line to the disk, with a plan of a few files."""

import json
import os
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from types import SimpleNamespace

import pytest

from etlgen import generation
from etlgen.cli import screen
from etlgen.errors import Finding, InternalError
from etlgen.rendered import RenderedFile
from etlgen.spec.models import Spec

from .conftest import Etlgen

SPEC = """\
name: shop-etl
sources:
  webshop:
    kind: file
    path: data
    resources:
      orders:
        path: orders.csv
        columns:
          order_id: {type: bigint}
"""

CREATED = ["README.md", "etlgen.yaml", "sources/webshop.yaml", "src/shop_etl/a.py"]


@pytest.fixture(autouse=True)
def small_project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def render(plan: SimpleNamespace, units: Collection[str]) -> list[RenderedFile]:
        return [
            RenderedFile("README.md", f"# {plan.name}\n", "etlgen", "README.md.jinja"),
            RenderedFile("src/shop_etl/a.py", "x={'a':1}\n", "sources/webshop", "a.py.jinja"),
        ]

    def plan(spec: Spec, kinds: object) -> SimpleNamespace:
        unit = f"sources/{spec.sources[0].name}"
        source = SimpleNamespace(unit=unit, kind="file", package="webshop", resources=())
        return SimpleNamespace(package="shop_etl", name=spec.project.name, sources=(source,))

    monkeypatch.setattr(generation, "plan_project", plan)
    monkeypatch.setattr(generation, "render_project", render)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop.yaml").write_text(SPEC)


def files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_project_is_written_and_said(etlgen: Etlgen, tmp_path: Path) -> None:
    result = etlgen("new", "--spec", "shop.yaml")
    assert (result.code, result.err) == (0, "")
    root = tmp_path / "shop-etl"
    assert [path for path in files(root) if not path.startswith(".etlgen/")] == CREATED
    assert (root / "src/shop_etl/a.py").read_text() == 'x = {"a": 1}\n'
    assert (root / ".etlgen/units/sources/webshop.json").is_file()
    assert result.out.splitlines() == [
        *(f"create  {path}" for path in CREATED),
        "4 files: 4 create",
        "Written to shop-etl",
        "",
        "Next:",
        "  cd shop-etl",
        "  make test",
    ]


def test_a_dry_run_says_the_same_and_writes_nothing(etlgen: Etlgen, tmp_path: Path) -> None:
    dry = etlgen("new", "--spec", "shop.yaml", "--dry-run", "--json").json
    assert list(tmp_path.iterdir()) == [tmp_path / "shop.yaml"]
    real = etlgen("new", "--spec", "shop.yaml", "--json").json
    assert dry["changes"] == real["changes"]
    assert [dry["written"], real["written"]] == [False, True]
    assert [change["path"] for change in real["changes"]] == CREATED
    text = "Nothing was written (--dry-run)."
    assert etlgen("new", "other", "--spec", "shop.yaml", "--dry-run").out.endswith(f"{text}\n")


def test_the_diff_can_be_applied(etlgen: Etlgen, tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(SPEC + "description: a\u2028b\n")
    (tmp_path / "shop.yaml").write_text(SPEC)
    dry = etlgen("new", "--spec", "shop.yaml", "--dry-run", "--diff")
    assert dry.out.startswith("--- /dev/null\n+++ b/README.md\n@@ -0,0 +1 @@\n+# shop-etl\n")
    patched = tmp_path / "patched"
    patched.mkdir()
    diff = "".join(
        change["diff"]
        for change in etlgen("new", "--spec", "shop.yaml", "--diff", "--json").json["changes"]
    )
    subprocess.run(["git", "apply", "-"], cwd=patched, input=diff.encode(), check=True)
    written = files(tmp_path / "shop-etl")
    assert files(patched) == {path: written[path] for path in CREATED}


@pytest.mark.parametrize("arguments", [[], ["--dry-run"], ["--json"], ["--yes", "--diff"]])
def test_an_occupied_folder_is_refused_and_untouched(
    etlgen: Etlgen, tmp_path: Path, arguments: list[str]
) -> None:
    (tmp_path / "shop-etl").mkdir()
    (tmp_path / "shop-etl/mine.txt").write_text("precious")
    before = files(tmp_path)
    result = etlgen("new", "--spec", "shop.yaml", *arguments)
    assert result.code == 5
    assert "not empty" in result.out + result.err
    assert files(tmp_path) == before


def test_the_folder_and_the_name_can_be_given(etlgen: Etlgen, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    assert etlgen("new", "here", "--spec", "shop.yaml", "--name", "other-etl").code == 0
    assert (tmp_path / "here/README.md").read_text() == "# other-etl\n"
    assert "name: other-etl\n" in (tmp_path / "here/etlgen.yaml").read_text()


def test_a_name_that_is_none_is_an_error(etlgen: Etlgen, tmp_path: Path) -> None:
    result = etlgen("new", "--spec", "shop.yaml", "--name", "../evil")
    assert result.code in (2, 3)
    assert list(tmp_path.iterdir()) == [tmp_path / "shop.yaml"]


def test_it_can_start_in_another_folder(
    etlgen: Etlgen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    result = etlgen("new", "x", "--spec", "shop.yaml", "-C", "..")
    assert result.code == 0
    assert (tmp_path / "x/README.md").is_file()
    assert "  cd ../x\n" in result.out
    missing = etlgen("new", "-C", "nowhere", "--spec", "shop.yaml")
    assert (missing.code, missing.out) == (2, "")
    assert "nowhere: there is no such folder" in missing.err


def test_the_current_folder_can_be_it(
    etlgen: Etlgen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    result = etlgen("new", ".", "--spec", "../shop.yaml")
    assert result.code == 0
    assert (tmp_path / "empty/README.md").is_file()
    assert "  cd .\n" in result.out  # the shell stands in the folder that was replaced


def test_errors_of_the_spec_come_all_at_once(etlgen: Etlgen, tmp_path: Path) -> None:
    wrong = SPEC.replace("path: orders.csv", "pfad: x").replace("bigint", "bigit")
    (tmp_path / "shop.yaml").write_text(wrong)
    result = etlgen("new", "--spec", "shop.yaml")
    assert (result.code, result.out) == (3, "")
    assert "shop.yaml:8:" in result.err
    assert "shop.yaml:10:" in result.err
    assert "^\n" in result.err
    data = etlgen("new", "--spec", "shop.yaml", "--json")
    assert (data.code, data.err) == (3, "")
    assert data.json["exit_code"] == 3
    assert {"file", "line", "column", "code", "message", "hint"} == set(data.json["findings"][0])
    assert list(tmp_path.iterdir()) == [tmp_path / "shop.yaml"]


def test_missing_answers_give_a_skeleton_and_no_question(etlgen: Etlgen, tmp_path: Path) -> None:
    result = etlgen("new")
    assert result.code == 3
    assert "name:" in result.out
    assert "sources:" in result.out
    assert "missing 'name'" in result.err
    data = etlgen("new", "--json")
    assert data.json["skeleton"] == result.out
    (tmp_path / "filled.yaml").write_text(result.out)
    assert etlgen("new", "--spec", "filled.yaml", "--dry-run").code == 0


def test_a_spec_that_cannot_be_read(etlgen: Etlgen, tmp_path: Path) -> None:
    assert etlgen("new", "--spec", "nowhere.yaml").code == 2
    assert etlgen("new", "--spec", tmp_path).code == 2


def test_a_fault_of_etlgen_is_one_line(etlgen: Etlgen, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> object:
        raise ValueError("what\x1b[2J?")

    monkeypatch.setattr(generation, "plan_project", broken)
    result = etlgen("new", "--spec", "shop.yaml")
    assert (result.code, result.out) == (1, "")
    assert result.err == (
        "etlgen: internal error: ValueError: what\\x1b[2J?\nETLGEN_DEBUG=1 shows the traceback\n"
    )
    monkeypatch.setenv("ETLGEN_DEBUG", "1")
    debugged = etlgen("new", "--spec", "shop.yaml").err
    assert "Traceback" in debugged
    assert "\x1b" not in debugged
    monkeypatch.delenv("ETLGEN_DEBUG")
    assert etlgen("new", "--spec", "shop.yaml", "--json").json["findings"][0]["code"] == "internal"


def test_a_fault_of_a_template_names_it(etlgen: Etlgen, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> object:
        raise InternalError(Finding("a.py.jinja", 3, None, "bad-render", "'x' is undefined"))

    monkeypatch.setattr(generation, "render_project", broken)
    result = etlgen("new", "--spec", "shop.yaml")
    assert result.code == 1
    assert result.err.startswith("a.py.jinja:3: 'x' is undefined\n")


def test_an_interruption_writes_nothing(
    etlgen: Etlgen, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def interrupted(*_: object, **__: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(generation, "styled", interrupted)
    result = etlgen("new", "--spec", "shop.yaml")
    assert (result.code, result.out, result.err) == (130, "", "etlgen: interrupted\n")
    assert etlgen("new", "--spec", "shop.yaml", "--json").json["exit_code"] == 130
    assert list(tmp_path.iterdir()) == [tmp_path / "shop.yaml"]


class Terminal:
    """Whoever sits at the terminal answers; asking without one is a failure."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answer: bool | None) -> None:
        self.asked = 0
        self._answer = answer
        monkeypatch.setattr(screen.typer, "confirm", self._confirm)
        for stream in (sys.stdin, sys.stdout):
            monkeypatch.setattr(stream, "isatty", lambda: answer is not None, raising=False)

    def _confirm(self, text: str, **_: object) -> bool:
        self.asked += 1
        assert self._answer is not None, "asked without a terminal"
        return self._answer


def test_a_terminal_is_asked_once(
    etlgen: Etlgen, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    no = Terminal(monkeypatch, answer=False)
    assert etlgen("new", "--spec", "shop.yaml").out.endswith("Nothing was written.\n")
    assert (no.asked, (tmp_path / "shop-etl").exists()) == (1, False)
    yes = Terminal(monkeypatch, answer=True)
    result = etlgen("new", "--spec", "shop.yaml")
    assert (yes.asked, result.code) == (1, 0)
    assert result.out.count("create  README.md") == 1


@pytest.mark.parametrize("option", ["--yes", "--json", "--dry-run"])
def test_nothing_is_asked_where_the_answer_is_known(
    etlgen: Etlgen, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    terminal = Terminal(monkeypatch, answer=True)
    assert etlgen("new", "--spec", "shop.yaml", option).code == 0
    assert terminal.asked == 0


def test_without_a_terminal_nothing_is_asked(
    etlgen: Etlgen, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal(monkeypatch, answer=None)
    assert etlgen("new", "--spec", "shop.yaml").code == 0
    assert terminal.asked == 0


def test_a_source_is_generated_anew_when_the_project_changes(
    etlgen: Etlgen, tmp_path: Path
) -> None:
    def inputs(folder: str) -> list[str]:
        units = tmp_path / folder / ".etlgen/units"
        found = [units / "etlgen.json", units / "sources/webshop.json"]
        return [json.loads(path.read_text())["input_sha256"] for path in found]

    etlgen("new", "a", "--spec", "shop.yaml")
    etlgen("new", "b", "--spec", "shop.yaml")
    etlgen("new", "c", "--spec", "shop.yaml", "--name", "other")
    assert inputs("a") == inputs("b")
    assert not set(inputs("a")) & set(inputs("c"))
    assert files(tmp_path / "a") == files(tmp_path / "b")
    assert os.listdir(tmp_path / "a") != []
