"""csv-spectrum: quotes, commas, newlines and empty cells, each file with its truth in JSON."""

import json

import pytest

from .conftest import MakeProject
from .data import FOLDER, Row, ids, needed, records, rows_md5, truth
from .project import Load, Project, accounts

pytestmark = [needed, pytest.mark.slow]
SPECTRUM = FOLDER / "csv-spectrum"
PREFIX = "S01-spectrum-"
NAMES = [case.removeprefix(PREFIX) for case in ids(PREFIX)]
WITH_CRLF = ("simple", "newlines", "empty")
MERGED = {"empty", "empty_crlf", "escaped_quotes", "newlines", "newlines_crlf", "utf8"}

Loaded = tuple[Project, Load, Load]
Listing = list[tuple[str, int, int]]


def listing() -> Listing:
    """Everything in the folder, with size and time of its last change."""
    paths = sorted([SPECTRUM, *SPECTRUM.rglob("*")])
    return [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in paths]


@pytest.fixture(scope="module")
def untouched() -> Listing:
    return listing()


@pytest.fixture(scope="module")
def loaded(
    make_project: MakeProject, tmp_path_factory: pytest.TempPathFactory, untouched: Listing
) -> Loaded:
    """Loaded twice."""
    restored = tmp_path_factory.mktemp("crlf")
    for name in WITH_CRLF:
        lines = (SPECTRUM / f"csvs/{name}_crlf.csv").read_bytes()
        (restored / f"{name}_crlf.csv").write_bytes(lines.replace(b"\n", b"\r\n"))
    project = make_project("csv_spectrum.yaml", CSV_SPECTRUM_PATH=SPECTRUM, WITH_CRLF_PATH=restored)
    return project, project.run(), project.run()


def upstream(name: str) -> list[Row]:
    """The truth that comes with the files."""
    text = (SPECTRUM / f"json/{name}.json").read_bytes().decode("utf-8")
    truth = json.loads(text)
    return truth if isinstance(truth, list) else [truth]


def contents(project: Project, table: str) -> list[Row]:
    return [
        {name: cell for name, cell in row.items() if not name.startswith("_")}
        for row in project.rows(table)
    ]


def test_the_spec_has_every_file() -> None:
    assert sorted(NAMES) == sorted(path.stem for path in SPECTRUM.glob("csvs/*.csv"))


@pytest.mark.parametrize("name", NAMES)
def test_the_rows_are_those_of_the_json(loaded: Loaded, name: str) -> None:
    project, _, _ = loaded
    expected = upstream(name)
    if name == "newlines_crlf":  # git has made the copy's line ends LF
        expected[1]["a"] = expected[1]["a"].replace("\r\n", "\n")
    if name == "location_coordinates":  # upstream changed the number in only one of the two
        expected[0]["Contact Phone Number"] = "2095257564"
    assert contents(project, name) == expected


@pytest.mark.parametrize("name", WITH_CRLF)
def test_line_ends_of_windows_make_no_difference(loaded: Loaded, name: str) -> None:
    project, _, _ = loaded
    assert contents(project, f"{name}_with_crlf") == upstream(f"{name}_crlf")


@pytest.mark.parametrize("name", NAMES)
def test_the_table_is_what_the_manifest_says(loaded: Loaded, name: str) -> None:
    project, first, second = loaded
    known = truth(PREFIX + name)
    assert rows_md5(project.texts(name, known["header"])) == known["rows_md5"]
    assert contents(project, name) == records(FOLDER / known["file"])
    rows, resource = known["rows"], f"spectrum.{name}"
    assert first.counts[resource] == accounts(read=rows, loaded=rows)
    again = {"unchanged": rows} if name in MERGED else {"loaded": rows}
    assert second.counts[resource] == accounts(read=rows, **again)
    assert first.data[name] == second.data[name]
    assert (first.tables[name] == second.tables[name]) == (name in MERGED)


def test_the_files_are_only_read(loaded: Loaded, untouched: Listing) -> None:
    assert listing() == untouched


def test_an_empty_cell_in_quotes_is_no_null(loaded: Loaded) -> None:
    project, _, _ = loaded
    assert contents(project, "empty")[0] == {"a": "1", "b": "", "c": ""}
