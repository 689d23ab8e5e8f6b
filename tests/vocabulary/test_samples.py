"""Synthetic rows: good ones pass every rule, a bad cell breaks the one that it is for."""

from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etlgen.errors import SpecError
from etlgen.vocabulary.checks import holds, read_check
from etlgen.vocabulary.clean import read_clean
from etlgen.vocabulary.column import BadValue, Column, Notation
from etlgen.vocabulary.regex import fullmatches
from etlgen.vocabulary.samples import REQUIRED, BadCell, bad_cells, good_rows, judge
from etlgen.vocabulary.types import TYPES, read_type

GERMAN = Notation(decimal_mark=",", thousands_mark=".", null_values=("", "NA"))


def column(type_text: str, *checks: dict[str, Any], **facts: Any) -> Column:
    type = read_type(type_text)
    facts["clean"] = tuple(map(read_clean, facts.get("clean", ())))
    return Column(
        facts.pop("name", "c"), type, checks=tuple(read_check(raw, type) for raw in checks), **facts
    )


def good_cells(made: Column, count: int = 3) -> list[str | None]:
    return [row[made.name] for row in good_rows([made], count)]


@pytest.mark.parametrize("name", [*TYPES])
def test_every_type_in_every_notation_of_it(name: str) -> None:
    notations = {
        "strptime": [Notation(format="%d.%m.%Y %H:%M", timezone="Europe/Berlin")],
        "words": [Notation(format="J/N")],
        "encoding": [Notation(format="base64"), Notation(format="hex")],
    }.get(TYPES[name].takes_format or "", [GERMAN])
    for notation in [Notation(), *notations]:
        made = column("numeric(12,2)" if name == "numeric" else name, notation=notation)
        cells = good_cells(made)
        assert len(set(cells)) == (2 if name == "boolean" else 3)
        for cell in cells:
            value, reasons = judge(made, cell)
            assert (value is not None, reasons) == (True, ())
        assert [cell.column for cell in bad_cells([made])] == ([] if name == "text" else ["c"])


def test_a_notation_is_seen_in_the_cells() -> None:
    assert good_cells(column("numeric(12,2)", {"at_least": 1000}, notation=GERMAN))[0] == "1.010,00"
    date = Notation(format="%d.%m.%Y")
    assert good_cells(column("date", notation=date))[0] == "15.01.2026"
    assert good_cells(column("boolean", notation=Notation(format="J/N")))[:2] == ["J", "N"]
    berlin = Notation(timezone="Europe/Berlin")
    assert good_cells(column("timestamptz", notation=berlin))[0] == "2026-01-15T10:30:00"


def test_samples_are_of_rows_that_a_filter_keeps() -> None:
    kept = read_check({"between": [5, 9]}, read_type("integer"))
    made = column("integer", {"at_most": 7}, filters=(kept,))
    assert all(5 <= int(str(cell)) <= 7 for cell in good_cells(made))
    wrong_type, too_much = bad_cells([made])
    assert wrong_type.reason == "is not a whole number"
    assert too_much.raw_value in ("8", "9")


COMBINATIONS = [
    column("integer", {"between": [5, 6]}, nullable=False),
    column("integer", {"at_least": 0}, {"at_most": 10}, {"one_of": [3, 4, 99]}, nullable=False),
    column("smallint", {"at_least": 32767}, nullable=False),
    column("bigint", {"at_most": -(2**63)}, nullable=False),
    column("numeric(4,2)", {"between": ["0.01", "0.03"]}, nullable=False),
    column("numeric(38,2)", {"at_least": "9" * 36}, nullable=False),
    column("double", {"between": ["0.001", "0.002"]}, nullable=False),
    column("date", {"at_least": "9999-12-30"}, nullable=False),
    column("time", {"at_least": "23:59:00"}, nullable=False),
    column(
        "timestamp", {"between": ["1900-01-01T00:00:00", "1900-01-01T02:00:00"]}, nullable=False
    ),
    column("text", {"matches": "[A-Z]{2}"}, clean=["strip", "upper"], nullable=False),
    column("text", {"matches": r"[^@\s]+@[^@\s]+"}, clean=["lower"], nullable=False),
    column("text", {"matches": r"X-\d{7}-[a-f]+"}, {"length": {"at_most": 12}}, nullable=False),
    column("text", {"matches": r"(?P<y>\d{4})/(0[1-9]|1[0-2])"}, nullable=False),
    column("text", {"matches": "(?i)sku-[0-9]{3}"}, clean=["upper"], nullable=False),
    column("text", {"length": {"at_least": 3, "at_most": 3}}, nullable=False),
    column("text", {"length": {"at_least": 300}}, nullable=False),
    column("text", {"one_of": ["new", "paid"]}, clean=["strip", "lower"], nullable=False),
    column("text", {"one_of": ["NA", "DE"]}, notation=GERMAN, nullable=False),
    column("uuid"),
    column("text", {"one_of": ["b"]}, clean=[{"replace": {"amber": "b"}}], nullable=False),
    column("text", clean=[{"null_if": ["amber", "birch"]}], nullable=False),
    column("text", {"matches": "ü{3}[ß-ÿ]"}, example="üüüß", nullable=False),
    column("integer", {"at_least": 5}, default=7, nullable=False),
]


@pytest.mark.parametrize("made", COMBINATIONS, ids=lambda c: f"{c.type} {c.checks}")
def test_good_and_bad_cells_of_combinations(made: Column) -> None:
    for cell in good_cells(made):
        assert cell is None or judge(made, cell)[1] == ()
    found = bad_cells([made])
    assert all(judge(made, cell.raw_value)[1] == (cell.reason,) for cell in found)
    reasons = [cell.reason for cell in found]
    assert len(reasons) == len(set(reasons))
    if not made.nullable and made.default is None:
        assert REQUIRED in reasons
    if len(made.checks) == 1 and made.type.name not in ("smallint", "bigint"):
        assert f'breaks "{made.checks[0].message}"' in reasons


def test_a_rule_that_cannot_be_broken_alone_has_no_bad_cell() -> None:
    made = column("integer", {"at_least": 0}, {"at_least": 5})
    assert [cell.reason for cell in bad_cells([made])] == [
        "is not a whole number",
        'breaks "is at least 5"',
    ]


def test_a_warning_sets_no_row_aside() -> None:
    made = column("integer", {"at_least": 100, "severity": "warn"})
    assert [cell.reason for cell in bad_cells([made])] == ["is not a whole number"]
    assert all(holds(made.checks[0], int(cell)) for cell in good_cells(made) if cell)


def test_a_default_leaves_nothing_required() -> None:
    made = column("text", default="x", nullable=False)
    assert bad_cells([made]) == []


def test_bad_cells_are_in_the_source_s_notation() -> None:
    made = column("numeric(12,2)", {"at_least": 0}, notation=GERMAN, nullable=False)
    assert bad_cells([made]) == [
        BadCell("c", "twelve", "is not a number"),
        BadCell("c", None, "is required"),
        BadCell("c", "-1,01", 'breaks "is at least 0"'),
    ]


def test_keys_are_distinct() -> None:
    key = [column("text", {"one_of": ["a", "b"]}, name="k", in_key=True, nullable=False)]
    other = column("boolean", name="o", in_key=True, nullable=False)
    assert [row["k"] for row in good_rows(key, 5)] == ["a", "b"]
    rows = [tuple(row.values()) for row in good_rows([*key, other], 3)]
    assert len(set(rows)) == len(rows) == 3
    number = column("bigint", name="n", in_key=True, nullable=False)
    assert [tuple(r.values()) for r in good_rows([number, *key], 3)] == [
        ("1", "a"),
        ("2", "b"),
        ("3", "a"),
    ]


def test_keys_are_distinct_after_cleaning() -> None:
    made = column(
        "text", {"matches": "[a-c]"}, clean=["lower"], name="k", in_key=True, nullable=False
    )
    rows = good_rows([made], 3)
    assert len({str(row["k"]).lower() for row in rows}) == 3


def test_the_last_row_is_null_where_it_may_be() -> None:
    columns = [
        column("bigint", name="key", in_key=True, nullable=False),
        column("date", name="moved", is_cursor=True),
        column("text", name="note"),
        column("text", name="unwritable", notation=Notation(writes_null=False)),
    ]
    *_, last = good_rows(columns, 3)
    assert [name for name, cell in last.items() if cell is None] == ["note"]
    assert good_rows([column("text", name="only")], 2)[1] == {"only": "birch"}


def test_where_nothing_can_be_made_up_an_example_is_asked_for() -> None:
    made = column("text", {"matches": "ü{3}[ß-ÿ]"})
    with pytest.raises(SpecError, match="'c'; add one to the column: 'example: …'"):
        good_rows([made])


def test_samples_are_the_same_each_time() -> None:
    for made in COMBINATIONS:
        assert good_rows([made]) == good_rows([made])
        assert bad_cells([made]) == bad_cells([made])


@given(st.from_regex(r"[a-z]{1,3}(\[0-9\]|\\d|[A-Z])(\{[1-4]\}|\+|\?)?", fullmatch=True))
@settings(max_examples=50)
def test_texts_for_a_regex_match_in_arrow(pattern: str) -> None:
    made = column("text", {"matches": pattern}, nullable=False)
    cells = [cell for cell in good_cells(made) if cell is not None]
    assert all(fullmatches(pattern, cell) for cell in cells)
    texts = pd.Series(cells, dtype=pd.ArrowDtype(pa.string()))
    assert texts.str.fullmatch(pattern).all()


@given(st.text(max_size=20))
def test_judging_any_cell_gives_a_verdict(text: str) -> None:
    for name in TYPES:
        made = column("numeric(12,2)" if name == "numeric" else name, nullable=False)
        try:
            value, reasons = judge(made, text)
        except BadValue:  # pragma: no cover
            pytest.fail("judge() raised")
        assert (value is None) == bool(reasons)
