"""Unemployment rates and penguins, in every way that rows can reach their table."""

import json
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from .conftest import MakeProject
from .data import FOLDER, Row, cells_md5, needed, records, truth
from .project import Load, Project, accounts

pytestmark = [needed, pytest.mark.slow]
DATA = FOLDER / "vega-datasets/data"
UNEMPLOYMENT = ("unemployment", "unemployment_replaced", "unemployment_appended")
PENGUINS = ("penguins", "penguins_appended")

Loaded = tuple[Project, Load, Load]


@pytest.fixture(scope="module")
def loaded(make_project: MakeProject) -> Loaded:
    """Loaded twice."""
    project = make_project("vega.yaml", VEGA_PATH=DATA)
    return project, project.run(), project.run()


@pytest.fixture(scope="module")
def rates() -> dict[str, Any]:
    return truth("S12-unemployment.tsv")


@pytest.fixture(scope="module")
def birds() -> dict[str, Any]:
    return truth("S11-penguins")


def penguins() -> list[Row]:
    text = (DATA / "penguins.json").read_text()
    rows: list[Row] = json.loads(text, parse_float=Decimal)
    return rows


@pytest.mark.parametrize("table", UNEMPLOYMENT)
def test_every_rate_is_there_once(loaded: Loaded, rates: dict[str, Any], table: str) -> None:
    project, _, _ = loaded
    exact = float if table == "unemployment_appended" else Decimal
    expected = [
        {"id": int(record["id"]), "rate": exact(record["rate"])}
        for record in records(DATA / "unemployment.tsv", "\t")
    ]
    assert project.rows(table, "id, rate") == expected
    assert len(expected) == rates["rows"]


def test_the_rates_add_up(loaded: Loaded, rates: dict[str, Any]) -> None:
    project, _, _ = loaded
    for column in rates["cols"]:
        name = column["name"]
        [totals] = project.query(
            f"SELECT sum({name}), min({name}), max({name}), count(DISTINCT {name}) AS distinct"
            " FROM vega.unemployment"
        )
        assert {key: str(value) for key, value in totals.items()} == {
            key: str(column[key]) for key in ("sum", "min", "max", "distinct")
        }


@pytest.mark.parametrize("table", PENGUINS)
def test_every_penguin_is_there_once(loaded: Loaded, birds: dict[str, Any], table: str) -> None:
    project, _, _ = loaded
    expected = penguins()
    if table == "penguins_appended":  # whose spec cleans the sex
        for row in expected:
            row["Sex"] = {"MALE": "male", "FEMALE": "female"}.get(row["Sex"])
    names = ", ".join(f'"{column["name"]}"' for column in birds["cols"])
    assert project.rows(table, names) == expected
    assert len(expected) == birds["rows"]


def test_the_penguins_are_what_the_manifest_says(loaded: Loaded, birds: dict[str, Any]) -> None:
    project, _, _ = loaded
    for column in birds["cols"]:
        values = [row[column["name"]] for row in project.rows("penguins")]
        there = [value for value in values if value is not None]
        assert len(values) - len(there) == column["null"], column["name"]
        assert len(set(there)) == column["distinct"], column["name"]
        if "sum" in column:
            found = [str(total(there)) for total in (sum, min, max)]
            assert found == [column[key] for key in ("sum", "min", "max")], column["name"]
        else:
            assert cells_md5(there) == column["md5_sorted"], column["name"]


def test_a_second_merge_changes_nothing(loaded: Loaded, rates: dict[str, Any]) -> None:
    _, first, second = loaded
    rows = rates["rows"]
    assert first.counts["vega.unemployment"] == accounts(read=rows, loaded=rows)
    assert second.counts["vega.unemployment"] == accounts(read=rows, unchanged=rows)
    assert first.tables["unemployment"] == second.tables["unemployment"]


@pytest.mark.parametrize("table", [*UNEMPLOYMENT[1:], *PENGUINS])
def test_a_reload_brings_the_same_rows_anew(
    loaded: Loaded, rates: dict[str, Any], birds: dict[str, Any], table: str
) -> None:
    project, first, second = loaded
    rows = (rates if table in UNEMPLOYMENT else birds)["rows"]
    for load in (first, second):
        assert load.counts[f"vega.{table}"] == accounts(read=rows, loaded=rows)
    assert first.data[table] == second.data[table]
    runs = Counter(row["_run_id"] for row in project.rows(table))
    assert list(runs.values()) == [rows]  # none of the first run's is left
    assert first.tables[table] != second.tables[table]
