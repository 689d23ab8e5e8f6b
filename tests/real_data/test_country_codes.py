"""The codes of 249 countries, in six scripts: a merge of real rows, and what `NA` means."""

from typing import Any

import pytest

from .conftest import MakeProject
from .data import FOLDER, cells_md5, needed, records, rows_md5, truth
from .project import Load, Project, accounts

pytestmark = [needed, pytest.mark.slow]
FILE = FOLDER / "country-codes/data/country-codes.csv"

Loaded = tuple[Project, Load, Load]


@pytest.fixture(scope="module")
def known() -> dict[str, Any]:
    return truth("S08-country-codes")


@pytest.fixture(scope="module")
def loaded(make_project: MakeProject) -> Loaded:
    """Loaded twice."""
    project = make_project("country_codes.yaml", COUNTRY_CODES_PATH=FILE.parent)
    return project, project.run(), project.run()


def test_every_cell_of_the_file_is_in_the_table(loaded: Loaded, known: dict[str, Any]) -> None:
    project, _, _ = loaded
    numbers = {column["name"] for column in known["cols"] if column.get("int_like")}
    expected = [
        {
            name: None if cell == "" else int(cell) if name in numbers else cell
            for name, cell in record.items()
        }
        for record in records(FILE)
    ]
    names = ", ".join(f'"{name}"' for name in known["header"])
    assert project.rows("countries", names) == expected
    assert len(expected) == known["rows"]


def test_the_table_is_what_the_manifest_says(loaded: Loaded, known: dict[str, Any]) -> None:
    project, _, _ = loaded
    cells = project.texts("countries", known["header"])
    assert rows_md5(cells) == known["rows_md5"]
    for column, values in zip(known["cols"], zip(*cells, strict=True), strict=True):
        assert values.count(None) == column["empty"], column["name"]
        assert len({*values} - {None}) == column["distinct"], column["name"]
        assert cells_md5(values) == column["md5_sorted"], column["name"]
    sums = ", ".join(f'sum("{c["name"]}")' for c in known["cols"] if "sum" in c)
    [totals] = project.query(f"SELECT ARRAY[{sums}] AS them FROM countries.countries")
    assert list(map(str, totals["them"])) == [c["sum"] for c in known["cols"] if "sum" in c]


def test_na_is_the_code_of_namibia(loaded: Loaded) -> None:
    project, _, _ = loaded
    rows = project.rows("countries")
    namibia = [row for row in rows if row["ISO3166-1-Alpha-2"] == "NA"]
    assert [row["official_name_en"] for row in namibia] == ["Namibia"]
    of_north_america = sum(record["Continent"] == "NA" for record in records(FILE))
    assert sum(row["Continent"] == "NA" for row in rows) == of_north_america > 0


def test_each_row_says_which_record_it_was(loaded: Loaded, known: dict[str, Any]) -> None:
    project, _, _ = loaded
    rows = project.rows("countries")
    origins = [(row["_source_file"], row["_source_row"], row["_extra"]) for row in rows]
    numbers = range(1, known["rows"] + 1)
    assert origins == [("country-codes.csv", number, None) for number in numbers]


def test_a_second_run_changes_nothing(loaded: Loaded, known: dict[str, Any]) -> None:
    _, first, second = loaded
    resource, rows = "country_codes.countries", known["rows"]
    assert first.counts == {resource: accounts(read=rows, loaded=rows)}
    assert second.counts == {resource: accounts(read=rows, unchanged=rows)}
    assert first.tables == second.tables  # _run_id and _loaded_at included
