"""Texts that are cleaned in ways that pandas has no method for."""

from datetime import date
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pytest

from runtime.clean import as_text, extract_text
from runtime.columns import arrow_frame


def texts(*values: str | None) -> pd.Series:
    return pd.Series([*values], range(1, len(values) + 1), pd.ArrowDtype(pa.string()), "c")


def test_extract_gives_what_the_group_finds() -> None:
    found = extract_text(texts("No 12, No 13", "none", None, "No 7"), "No (?P<value>[0-9]+)")
    assert found.dtype == pd.ArrowDtype(pa.string())
    assert found.dropna().to_dict() == {1: "12", 4: "7"}
    assert (found.index.tolist(), found.name) == ([1, 2, 3, 4], "c")


@pytest.mark.parametrize("values", [[], [None, None]])
def test_extract_of_nothing_is_nothing(values: list[None]) -> None:
    nothing = pd.Series(values, dtype=pd.ArrowDtype(pa.null()))
    assert extract_text(nothing, "(?P<value>a)").dtype == pd.ArrowDtype(pa.string())


def test_i19_a_catastrophic_regex_costs_nothing() -> None:
    # An engine that goes back would be at it for longer than there is time.
    assert extract_text(texts("a" * 50_000 + "!"), r"\A(?P<value>(?:a+)+)\z").isna().all()


def test_numbers_and_dates_become_text_as_they_are_written() -> None:
    frame = arrow_frame(
        [
            ("n", pa.array([7, None], pa.int64())),
            ("price", pa.array([Decimal("12.50"), None], pa.decimal128(9, 2))),
            ("day", pa.array([date(2026, 1, 31), None], pa.date32())),
            ("text", pa.array([" 007 ", None], pa.string())),
        ],
        [1, 2],
    )
    texts = {name: as_text(frame[name]).to_list()[0] for name in frame}
    assert texts == {"n": "7", "price": "12.50", "day": "2026-01-31", "text": "007"}
    assert all(as_text(frame[name]).isna().to_list() == [False, True] for name in frame)
