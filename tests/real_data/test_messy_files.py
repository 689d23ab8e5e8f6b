"""CleverCSV's examples: what no dialect here can read is set aside, not guessed."""

from datetime import datetime
from decimal import Decimal

import pytest

from .conftest import MakeProject
from .data import FOLDER, needed, records, truth
from .project import Load, Project, accounts

pytestmark = [needed, pytest.mark.slow]
DATA = FOLDER / "CleverCSV/example"

Loaded = tuple[Project, Load, Load]


@pytest.fixture(scope="module")
def loaded(make_project: MakeProject) -> Loaded:
    """Loaded twice."""
    project = make_project("clevercsv.yaml", CLEVERCSV_PATH=DATA)
    return project, project.run(), project.run()


def test_a_remark_below_the_rows_is_quarantined(loaded: Loaded) -> None:
    project, first, second = loaded
    known = truth("S10-clevercsv-airedale.csv")
    *payments, remark = records(DATA / "airedale.csv")
    line = accounts(read=known["rows"], loaded=len(payments), quarantined=1)
    assert first.counts["clevercsv.payments"] == line
    assert second.counts["clevercsv.payments"] == line
    [aside] = project.quarantined("clevercsv.payments")
    assert aside["payload"]["Department Family"] == remark["Department Family"]
    assert [reason["rule"] for reason in aside["reasons"]] == ["is required"]


def test_amounts_and_days_are_read_exactly(loaded: Loaded) -> None:
    project, _, _ = loaded
    payments = records(DATA / "airedale.csv")[:-1]
    assert project.rows("payments", "paid_on, expense_type, amount") == [
        {
            "paid_on": datetime.strptime(payment["Payment Date"], "%d/%m/%Y").date(),
            "expense_type": " ".join(payment["Expense Type"].split()),
            "amount": Decimal(payment["Amount"].replace(",", "")),
        }
        for payment in payments
    ]


def test_a_record_with_too_many_fields_is_quarantined(loaded: Loaded) -> None:
    project, first, second = loaded
    known = truth("S10-clevercsv-imdb.csv")
    [torn] = known["ragged"].values()
    whole = known["rows"] - torn
    line = accounts(read=known["rows"], loaded=whole, quarantined=torn)
    assert first.counts["clevercsv.films"] == line
    assert second.counts["clevercsv.films"] == line | {"loaded": 0, "unchanged": whole}
    assert first.tables["films"] == second.tables["films"]
    [film] = project.quarantined("clevercsv.films")
    assert film["source_row"] == 65
    assert film["reasons"] == [{"rule": "has 46 fields instead of 44"}]
    assert "Dr. Seltsam" in str(film["payload"])


def test_columns_that_the_spec_leaves_out_are_kept_beside(loaded: Loaded) -> None:
    project, _, _ = loaded
    declared = {"tid", "title", "imdbRating", "ratingCount", "duration", "year"}
    films = [film for film in records(DATA / "imdb.csv") if film["tid"] != "tt0057012"]
    rows = project.rows("films", "tid, title, rating, ratings, seconds, year, _extra")
    assert rows == [
        {
            "tid": film["tid"],
            "title": film["title"],
            "rating": Decimal(film["imdbRating"]),
            "ratings": int(film["ratingCount"]),
            "seconds": int(film["duration"]),
            "year": int(film["year"]),
            "_extra": {name: cell for name, cell in film.items() if name not in declared},
        }
        for film in films
    ]


def test_a_sheet_for_readers_loads_line_by_line(loaded: Loaded) -> None:
    project, first, second = loaded
    rows = truth("S10-clevercsv-milk.csv")["rows"]
    for load in (first, second):
        assert load.counts["clevercsv.milk"] == accounts(read=rows, loaded=rows)
    period, production = (
        "UK Availability  Disposals and Production of Milk and Milk Products Year",
        "AVAILABILITY of RAW MILK UK Milk   Production million litres",
    )
    lines = records(DATA / "milk.csv", "\t")
    assert project.rows("milk", "period, production") == [
        {
            "period": line[period] or None,
            "production": Decimal(line[production]) if line[production] else None,
        }
        for line in lines
    ]
