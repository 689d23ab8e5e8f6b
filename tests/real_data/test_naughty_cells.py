"""The big list of naughty strings and the JSON test suite, each entry a cell of its own."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from .conftest import MakeProject
from .data import FOLDER, has_nul, needed, truth
from .project import Load, Project, accounts

pytestmark = [needed, pytest.mark.slow]
STRINGS = FOLDER / "big-list-of-naughty-strings/blns.json"
DOCUMENTS = FOLDER / "JSONTestSuite/test_parsing"

Loaded = tuple[Project, Load, Load]
both_formats = pytest.mark.parametrize("format", ["csv", "json"])


@pytest.fixture(scope="module")
def loaded(make_project: MakeProject, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """Loaded twice."""
    folder = tmp_path_factory.mktemp("made")
    texts = list(enumerate(strings()))
    write_csv(folder / "texts.csv", [("number", "text"), *((str(n), text) for n, text in texts)])
    lines = [json.dumps({"number": number, "text": text}) for number, text in texts]
    (folder / "texts.jsonl").write_text("\n".join(lines))
    cells = documents()
    write_csv(folder / "documents.csv", [("name", b"document"), *cells.items()])
    (folder / "documents.jsonl").write_bytes(
        b"\n".join(
            b'{"name": "%s", "document": %s}' % (name.encode(), document)
            for name, document in fits_a_line(cells).items()
        )
    )
    project = make_project("documents.yaml", MADE_PATH=folder, STRINGS_PATH=STRINGS.parent)
    return project, project.run("made"), project.run("made")


def write_csv(file: Path, rows: list[tuple[str, str | bytes]]) -> None:
    """Every cell in quotes, whatever its bytes."""
    with file.open("wb") as lines:
        for row in rows:
            cells = [cell if isinstance(cell, bytes) else cell.encode() for cell in row]
            lines.write(b",".join(b'"%s"' % cell.replace(b'"', b'""') for cell in cells) + b"\n")


def strings() -> list[str]:
    texts: list[str] = json.loads(STRINGS.read_text())
    return texts


def documents() -> dict[str, bytes]:
    return {file.stem: file.read_bytes() for file in sorted(DOCUMENTS.glob("*.json"))}


def fits_a_line(cells: dict[str, bytes]) -> dict[str, bytes]:
    return {name: document for name, document in cells.items() if b"\n" not in document}


def exact(document: str | bytes) -> Any:
    return json.loads(document, parse_float=Decimal, parse_int=Decimal)


def test_the_lists_are_whole() -> None:
    assert len(strings()) == truth("S09-blns")["count"]
    kinds = [name[0] for name in documents()]
    known = truth("S07-jsontestsuite")["truth"]
    assert [kinds.count("y"), kinds.count("n"), kinds.count("i")] == list(known.values())


@both_formats
def test_every_string_is_kept_as_it_is(loaded: Loaded, format: str) -> None:
    project, first, second = loaded
    table, texts = f"texts_in_{format}", strings()
    rows = project.rows(table, "number, text")
    assert rows == [{"number": number, "text": text} for number, text in enumerate(texts)]
    assert first.counts[f"made.{table}"] == accounts(read=len(texts), loaded=len(texts))
    assert second.counts[f"made.{table}"] == accounts(read=len(texts), unchanged=len(texts))
    assert first.tables[table] == second.tables[table]


@both_formats
def test_documents_load_and_what_is_none_is_quarantined(loaded: Loaded, format: str) -> None:
    project, first, second = loaded
    table, cells = f"documents_in_{format}", documents()
    if format == "json":
        cells = fits_a_line(cells)
    rows = {
        row["name"]: exact(row["document"])
        for row in project.rows(table, "name, document\\:\\:text AS document")
    }
    must = {
        name: exact(document)
        for name, document in cells.items()
        if name.startswith("y_") and not has_nul(json.loads(document))
    }
    if format == "json":
        del must["y_structure_lonely_null"]  # it says there that there is no document
    assert {name: row for name, row in rows.items() if not name.startswith("i_")} == must
    aside = len(project.quarantined(f"made.{table}"))
    line = accounts(read=len(cells), loaded=len(rows), quarantined=aside)
    assert first.counts[f"made.{table}"] == line
    assert second.counts[f"made.{table}"] == line | {"loaded": 0, "unchanged": len(rows)}
    assert first.tables[table] == second.tables[table]


def test_an_array_of_strings_is_refused(loaded: Loaded) -> None:
    project, _, _ = loaded
    done = project.command("run", "strings")
    assert done.returncode == 1
    assert str(STRINGS) in done.stderr
    assert "an array of objects can't go on with" in done.stderr
    assert project.query("SELECT to_regclass('naughty.strings') AS it") == [{"it": None}]
