"""Free text in every place of a spec: kept byte for byte, or refused; never run."""

import csv
import inspect
import json
import tomllib
from collections.abc import Mapping
from typing import Any

import pytest

from etlgen.pycode import is_visible
from tests.hostile.projects import Project, Spec, Workshop, rows, shop

pytestmark = pytest.mark.slow

MODULES = ("src/PACKAGE/sources/box/things.py", "src/PACKAGE/sources/box/records.py")
DAG = "dags/PACKAGE__box.py"

# Where free text can stand, and the Python files that must then hold it as a constant.
PLACES: Mapping[str, tuple[str, ...]] = {
    "project description": ("src/PACKAGE/__init__.py",),
    "owner": ("src/PACKAGE/airflow_tasks.py",),
    "project tag": (DAG,),
    "source description": ("src/PACKAGE/sources/box/__init__.py", DAG),
    "source tag": (DAG,),
    "folder": ("src/PACKAGE/sources/box/connection.py",),
    "default folder": ("src/PACKAGE/sources/bag/connection.py",),
    "pattern": ("src/PACKAGE/sources/bag/others.py",),
    "resource description": MODULES,
    "null value": MODULES[:1],
    "column description": MODULES,
    "from": MODULES,
    "other from": MODULES,
    "null_if": MODULES,
    "replaced": MODULES,
    "replacement": MODULES,
    "one_of": MODULES,
    "message": MODULES,
    "matches": MODULES,
    "default": MODULES,
    "jsonb": MODULES,
    "format": MODULES,
}
# Paths have visible names, and a default folder must fit between the braces of `${BAG:-…}`.
PATHS = frozenset({"folder", "default folder", "pattern"})
BRACED = frozenset({"default folder", "pattern"})
TAGS = frozenset({"project tag", "source tag"})  # Airflow takes no long ones
PERCENT = frozenset({"format"})


def spec_with(name: str, texts: Mapping[str, str]) -> Spec:
    """A spec with these texts in their places, of CSV and of JSON Lines."""

    def given(**keys: str) -> dict[str, Any]:
        return {key: texts[place] for key, place in keys.items() if place in texts}

    columns: dict[str, Any] = {
        "id": {"type": "bigint"},
        "described": {"type": "text", **given(description="column description")},
        "renamed": {"type": "text", **given(**{"from": "from"})},
        "one_of_two": {"type": "text", "from": ["plain", *given(_="other from").values()]},
        "blanked": {"type": "text", "clean": [{"null_if": ["-", *given(_="null_if").values()]}]},
        "replaced": {
            "type": "text",
            "clean": [{"replace": {texts.get("replaced", "a"): texts.get("replacement", "b")}}],
        },
        "chosen": {"type": "text", "checks": [{"one_of": ["ok", *given(_="one_of").values()]}]},
        "checked": {
            "type": "text",
            "checks": [{"length": {"at_most": 500}, **given(message="message")}],
        },
        "filled": {"type": "text", **given(default="default")},
        "document": {"type": "jsonb"},
        "dated": {"type": "date", "format": "%Y-%m-%d"},
    }
    if "matches" in texts:
        matches = texts["matches"]
        checks = [{"matches": rf"\Q{matches}\E", "message": "is as it should be"}]
        columns["matching"] = {"type": "text", "example": matches, "checks": checks}
    if "jsonb" in texts:
        columns["document"]["default"] = {texts["jsonb"]: texts["jsonb"]}
    if "format" in texts:
        columns["dated"]["format"] = f"%Y-%m-%d {texts['format']}"
    about = given(description="resource description")
    things = {"path": "things.csv", "primary_key": ["id"], "columns": columns, **about}
    if "null value" in texts:
        things["null_values"] = ["", texts["null value"]]
    records = {"path": "records.jsonl", "primary_key": ["id"], "columns": columns, **about}
    others = {"path": texts.get("pattern", "others.csv"), "columns": {"id": {"type": "bigint"}}}
    return {
        "name": name,
        **given(description="project description", owner="owner"),
        "tags": ["t", *given(_="project tag").values()],
        "sources": {
            "box": {
                "kind": "file",
                "path": texts.get("folder", "data"),
                **given(description="source description"),
                "tags": ["s", *given(_="source tag").values()],
                "resources": {"things": things, "records": records},
            },
            "bag": {
                "kind": "file",
                "path": f"${{BAG:-{texts.get('default folder', 'data')}}}",
                "resources": {"others": {"format": "csv", **others}},
            },
        },
    }


def accepted_texts(number: str) -> dict[str, str]:
    """The text in every place that takes it."""
    refused = REFUSED.get(number, frozenset())
    return {place: f"{place} {TEXTS[number]}" for place in PLACES if place not in refused}


def kept_everywhere(workshop: Workshop, url: str, number: str) -> Project:
    """The text is refused in some places, a literal in all others, and data in the database."""
    name = f"hostile-{number.lower()}"
    for place in sorted(REFUSED.get(number, ())):
        workshop.refused(spec_with(name, {place: f"{place} {TEXTS[number]}"}))
    texts = accepted_texts(number)
    project = workshop.project(spec_with(name, texts))
    for place, given in texts.items():
        for path in PLACES[place]:
            assert _is_literal(project.constants(path), place, given), f"{place} in {path}"
    for file in project.files:
        if not file.is_relative_to(project.root / "sources") and file.name != "etlgen.yaml":
            text = file.read_text(encoding="utf-8")
            assert [
                char for char in text if not is_visible(char) and char not in "\n\t"
            ] == [], file
    described = tomllib.loads(project.text("pyproject.toml"))["project"]["description"]
    assert described == texts["project description"]
    _load_and_compare(project, url, texts)
    return project


def _is_literal(constants: list[str], place: str, text: str) -> bool:
    if place == "jsonb":
        text = json.dumps({text: text}, ensure_ascii=False)
    elif place == "format":
        text = f"%Y-%m-%d {text}"
    elif place == "matches":
        text = rf"\Q{text}\E"
    return text in constants or inspect.cleandoc(text) in map(inspect.cleandoc, constants)


def _load_and_compare(project: Project, url: str, texts: Mapping[str, str]) -> None:
    """A row with the texts as data becomes what the spec says, in tables described by them."""
    raw = {
        "id": "1",
        "described": texts.get("null value", "-"),
        texts.get("from", "renamed"): "renamed",
        texts.get("other from", "plain"): "found",
        "blanked": texts.get("null_if", "-"),
        "replaced": texts.get("replaced", "a"),
        "chosen": texts.get("one_of", "ok"),
        "checked": "x" * 501,
        "filled": None,
        "document": None,
        "dated": f"2026-01-31 {texts['format']}" if "format" in texts else "2026-01-31",
        "matching": texts.get("matches", ""),
    }
    fine = {**raw, "id": "2", "checked": "fine"}
    folder = project.root / texts.get("folder", "data")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "things.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(raw))
        writer.writeheader()
        writer.writerows([raw, fine])
    lines = [json.dumps(row) for row in (raw, fine)]
    (folder / "records.jsonl").write_text("\n".join(lines), encoding="utf-8")

    document = texts.get("jsonb")
    expected = {
        "id": 2,
        "renamed": "renamed",
        "one_of_two": "found",
        "blanked": None,
        "replaced": texts.get("replacement", "b"),
        "chosen": texts.get("one_of", "ok"),
        "checked": "fine",
        "filled": texts.get("default"),
        "document": {document: document} if document else None,
    }
    for resource in ("things", "records"):
        counts = project.load(url, f"box.{resource}")
        assert (counts.read, counts.loaded, counts.quarantined) == (2, 1, 1)
        (found,) = rows(url, f"SELECT * FROM {resource}")
        assert expected.items() <= found._mapping.items()
        assert found.dated.isoformat() == "2026-01-31"
        comment, table_comment = rows(
            url,
            "SELECT col_description(oid, 2), obj_description(oid) FROM pg_class"
            f" WHERE relname = '{resource}'",
        )[0]
        assert comment == texts.get("column description")
        assert table_comment == texts.get("resource description")
    reasons = rows(url, "SELECT reasons->0->>'rule' AS rule FROM work.quarantine")
    assert all(texts.get("message", "has at most 500 characters") in row.rule for row in reasons)


LINE_ENDS = ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"]
TOUCH = "__import__('pathlib').Path('canary_{}').touch()"
TEXTS = {
    "I01": f'x"""\n{TOUCH.format("I01")}\n"""',
    "I02": "".join(f"ok{end}{TOUCH.format('I02')}{end}#" for end in LINE_ENDS),
    "I03": '\'"" trailing \\',
    "I04": f"{{{TOUCH.format('I04')}}} {{{{}}}} %s %(x)s {{0!r}}",
    "I05": (
        "{{ cycler.__init__.__globals__.os.system('touch canary_I05') }}"
        "{% include '/etc/passwd' %}{# gone? #}"
    ),
    "I06": f"0); {TOUCH.format('I06')}  #",
    "I14": "\u202e\u2066 for a reader \u200b\u2028 \ufb01 \u0440\u0430y \ufeff\u2069",
    "I16": f"a'); {TOUCH.format('I16')}; ('",
}
REFUSED: Mapping[str, frozenset[str]] = {
    "I01": PATHS,
    "I02": PATHS | TAGS,
    "I03": frozenset({"pattern"}),
    "I04": BRACED | PERCENT,
    "I05": BRACED | PERCENT | TAGS,
    "I14": PATHS,
}


def test_I01_a_text_that_closes_its_docstring(workshop: Workshop, postgres_url: str) -> None:
    kept_everywhere(workshop, postgres_url, "I01")


def test_I02_a_text_that_ends_its_comment(workshop: Workshop, postgres_url: str) -> None:
    kept_everywhere(workshop, postgres_url, "I02")


def test_I03_a_backslash_and_odd_quotes_at_the_end(workshop: Workshop, postgres_url: str) -> None:
    kept_everywhere(workshop, postgres_url, "I03")


def test_I04_a_text_with_braces(workshop: Workshop, postgres_url: str) -> None:
    kept_everywhere(workshop, postgres_url, "I04")


def test_I05_a_text_is_never_a_template(workshop: Workshop, postgres_url: str) -> None:
    project = kept_everywhere(workshop, postgres_url, "I05")
    readme = project.text("README.md").replace("\\", "")
    assert f"project description {TEXTS['I05']}" in readme
    assert "root:" not in readme


def test_I06_a_default_that_goes_on_as_code(workshop: Workshop, postgres_url: str) -> None:
    kept_everywhere(workshop, postgres_url, "I06")


@pytest.mark.parametrize(
    "type_name",
    ["boolean", "bigint", "numeric(12,2)", "double", "date", "timestamptz", "uuid", "bytea"],
)
def test_I06_a_default_that_is_no_value_of_its_type(workshop: Workshop, type_name: str) -> None:
    column = {"type": type_name, "default": TEXTS["I06"]}
    said = workshop.refused(shop("hostile", {"id": column}))
    assert said.startswith(f"{workshop.folder}/spec.yaml:12:22: ")
    assert "default: '0); __import__(" in said


def test_I14_invisible_and_bidirectional_characters_are_escaped(
    workshop: Workshop, postgres_url: str
) -> None:
    kept_everywhere(workshop, postgres_url, "I14")


def test_I16_an_owner_and_tags_that_close_their_call(workshop: Workshop, postgres_url: str) -> None:
    project = kept_everywhere(workshop, postgres_url, "I16")
    assert "hostile_i16__box" in project.constants(DAG)


@pytest.mark.slow
def test_generated_tests_pass_whatever_the_texts_are(workshop: Workshop) -> None:
    spec: Spec = {"name": "hostile-all", "sources": {}}
    for number in TEXTS:
        one = spec_with("hostile-one", accepted_texts(number))
        spec |= {key: one[key] for key in ("description", "owner", "tags")}
        for resource, keys in one["sources"]["box"]["resources"].items():
            keys["table"] = f"{number} {resource}"
        spec["sources"][f"box-{number.lower()}"] = one["sources"]["box"]
    workshop.project(spec).passes_its_tests()
