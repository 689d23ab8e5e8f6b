"""What is wrong with a batch: which rows are set aside, and with what reasons."""

from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from runtime.errors import ContractError
from runtime.problems import LONGEST_VALUE, Problems, Reason


def batch(**columns: list[Any]) -> Problems:
    """Problems of a batch whose rows go by the labels 10, 11, …"""
    rows = pd.DataFrame(
        {
            name: pd.array(cells, pd.ArrowDtype(pa.array(cells).type))
            for name, cells in columns.items()
        }
    )
    rows.index = pd.RangeIndex(10, 10 + len(rows))
    return Problems(rows=rows)


def aside(problems: Problems) -> list[int]:
    return sorted(problems.reasons)


def test_only_rows_that_break_the_rule_are_set_aside() -> None:
    problems = batch(email=["a@b.c", "nobody", "x@y"])
    emails = problems.rows["email"]
    problems.require("email", "looks like an address", emails.str.contains("@", regex=False))
    (reason,) = problems.reasons[11]
    assert aside(problems) == [11]
    assert (reason.column, reason.value) == ("email", "nobody")
    assert "looks like an address" in reason.rule


def test_null_passes_whatever_the_rule_says_of_it() -> None:
    problems = batch(status=["new", None, "odd"], total=[Decimal("1.00"), None, Decimal("-1.00")])
    status, total = problems.rows["status"], problems.rows["total"]
    problems.require("status", "is one of new", status.isin(["new"]))
    problems.require("status", "is not new", ~status.str.fullmatch("new"))
    problems.require("total", "is at least 0", total >= 0)
    assert {row: len(reasons) for row, reasons in problems.reasons.items()} == {12: 2, 10: 1}


def test_a_rule_that_gives_null_holds() -> None:
    problems = batch(a=[1, 2], b=[None, 1])
    problems.require("a", "is at most b", problems.rows["a"] <= problems.rows["b"])
    assert aside(problems) == [11]


def test_a_plain_boolean_column_will_do() -> None:
    problems = batch(a=[1, 2])
    problems.require("a", "is odd", pd.Series([True, False], index=problems.rows.index))
    assert aside(problems) == [11]


def test_an_empty_batch_breaks_nothing() -> None:
    problems = batch(a=[1])
    problems.rows = problems.rows.iloc[:0]
    problems.require("a", "is odd", problems.rows["a"] > 1)
    problems.require("a", "is odd", problems.rows["a"] > 1, severity="warn")
    assert not problems.reasons
    assert sum(problems.warnings.values()) == 0


def test_warnings_are_counted_and_set_nothing_aside() -> None:
    problems = batch(a=[1, 2, None, 3])
    for _ in range(2):
        problems.require("a", "is at most 1", problems.rows["a"] <= 1, severity="warn")
    assert problems.warnings == {("a", "is at most 1"): 4}
    assert not problems.reasons


def test_a_column_that_is_not_there_is_named_with_those_that_are() -> None:
    problems = batch(total=[1], email=[2])
    with pytest.raises(ContractError, match=r"(?s)'totl'.*Columns: total, email"):
        problems.require("totl", "is at least 0", problems.rows["total"] >= 0)


def test_a_row_may_have_several_reasons() -> None:
    problems = Problems()
    problems.add("a", "is odd", pd.Series(["1"], index=[7]))
    problems.add("b", "is red", pd.Series(["2"], index=[7]))
    assert problems.reasons == {7: [Reason("a", "is odd", "1"), Reason("b", "is red", "2")]}
    assert [problems.has("a", 7), problems.has("c", 7), problems.has("a", 8)] == [
        True,
        False,
        False,
    ]
    assert problems.reasons[7][0].as_dict() == {"column": "a", "rule": "is odd", "value": "1"}


def test_asking_for_a_row_does_not_set_it_aside() -> None:
    problems = Problems()
    assert not problems.has("a", 1)
    assert not problems.reasons


@pytest.mark.parametrize("nothing", [None, pd.NA, pd.NaT, float("nan")])
def test_no_value_is_none(nothing: object) -> None:
    problems = Problems()
    problems.add("a", "is required", pd.Series([nothing], dtype=object))
    assert problems.reasons[0][0].value is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("1.10"), "1.10"),
        ([1, 2], "[1, 2]"),
        ("x" * LONGEST_VALUE, "x" * LONGEST_VALUE),
        ("x" * (LONGEST_VALUE + 1), "x" * LONGEST_VALUE + "…"),
    ],
)
def test_values_are_kept_as_text_but_not_without_end(value: object, text: str) -> None:
    problems = Problems()
    problems.add("a", "is odd", pd.Series([value], dtype=object))
    assert problems.reasons[0][0].value == text
