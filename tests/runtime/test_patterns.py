"""Patterns of paths: what they match, and the values in a name."""

import pytest

from runtime.errors import ContractError
from runtime.patterns import PathPattern


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("a.csv", "a.csv"),
        ("*.csv", ".csv"),
        ("*.csv", "ünï x.csv"),
        ("?.csv", "a.csv"),
        ("[a-c].csv", "b.csv"),
        ("[!a].csv", "b.csv"),
        ("**/a.csv", "a.csv"),
        ("**/a.csv", "x/y/a.csv"),
        ("x/**/*.csv", "x/a.csv"),
        ("a+(b).csv", "a+(b).csv"),
    ],
)
def test_names_that_match(pattern: str, name: str) -> None:
    assert PathPattern(pattern).values(name) == {}


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("a.csv", "a-csv"),
        ("*.csv", "x/a.csv"),
        ("?.csv", "ab.csv"),
        ("[!a].csv", "a.csv"),
        ("[!a]b.csv", "/b.csv"),
        ("{a}.csv", "x/a.csv"),
        ("{day:%Y%m%d}.csv", "2026011.csv"),
    ],
)
def test_names_that_do_not(pattern: str, name: str) -> None:
    assert PathPattern(pattern).values(name) is None


def test_values_are_text_dates_and_moments() -> None:
    pattern = PathPattern("in/*_{plant}_{day:%Y%m%d}_{at:%H%M}*.csv")
    assert pattern.values("in/a_b_ulm_20260131_0930-2.csv") == {
        "{plant}": "ulm",
        "{day}": "2026-01-31",
        "{at}": "1900-01-01T09:30:00",
    }
    assert pattern.glob == "in/*_*_*_*.csv"


def test_a_date_may_be_folders() -> None:
    pattern = PathPattern("{day:%Y/%m/%d}/x.csv")
    assert pattern.values("2026/01/31/x.csv") == {"{day}": "2026-01-31"}
    assert pattern.glob == "*/*/*/x.csv"


def test_a_day_that_is_none_is_an_error_that_names_the_file() -> None:
    with pytest.raises(ContractError, match=r"x_20261340\.csv: '20261340' is no day in the format"):
        PathPattern("x_{day:%Y%m%d}.csv").values("x_20261340.csv")


@pytest.mark.parametrize(("pattern", "one"), [("a.csv", True), ("{a}.csv", False), ("*", False)])
def test_whether_a_file_is_named(pattern: str, one: bool) -> None:
    assert PathPattern(pattern).names_one_file is one
