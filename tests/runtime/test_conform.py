"""The last step of a transform: exactly the table's columns and types, and no digit lost."""

import json
import uuid
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import (
    TIMESTAMP,
    BigInteger,
    Boolean,
    Column,
    Date,
    Double,
    Integer,
    Interval,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    String,
    Table,
    Text,
    Time,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from runtime.columns import as_arrow
from runtime.conform import arrow_type, conform, data_columns, staged_columns
from runtime.errors import ContractError
from runtime.problems import Problems
from runtime.resource import EXTRA, file_lineage, lineage

NAUGHTY = Path(__file__).parents[3] / "shared/data/big-list-of-naughty-strings/blns.json"
LABELS = [50, 7, 9]


def table(**columns: Any) -> Table:
    """A table with these columns, each a type or a Column's arguments after the name."""
    made = [
        Column(name, *kind) if isinstance(kind, tuple) else Column(name, kind)
        for name, kind in columns.items()
    ]
    return Table("t", MetaData(), *made, *lineage())


def text(**columns: list[str | None]) -> pd.DataFrame:
    """A raw batch; its rows go by the labels 0, 1, …"""
    return pd.DataFrame(columns, dtype=pd.ArrowDtype(pa.string()))


def fit(kind: Any, values: pd.Series) -> tuple[list[Any], dict[int, list[str]]]:
    """The cells of a column `c` after conform, and the rules that rows break."""
    problems = Problems()
    rows = conform(values.to_frame("c"), table(c=kind), problems)
    assert as_arrow(rows["c"]).type == arrow_type(kind)
    broken = {row: [reason.rule for reason in why] for row, why in problems.reasons.items()}
    return as_arrow(rows["c"]).to_pylist(), broken


def series(*values: Any, dtype: Any = object) -> pd.Series:
    return pd.Series(list(values), dtype=dtype)


TYPES: list[tuple[TypeEngine[Any], str, Any]] = [
    (Text(), " kept as it is ", " kept as it is "),
    (Boolean(), "yes", True),
    (SmallInteger(), "-5", -5),
    (Integer(), "5", 5),
    (BigInteger(), str(2**63 - 1), 2**63 - 1),
    (Numeric(12, 2), "1.5", Decimal("1.50")),
    (Numeric(50, 10), "9" * 40 + ".0000000001", Decimal("9" * 40 + ".0000000001")),
    (Double(), "0.1", 0.1),
    (Date(), "2026-01-31", date(2026, 1, 31)),
    (Time(), "23:59:59.5", time(23, 59, 59, 500_000)),
    (TIMESTAMP(), "2026-01-31T10:00", datetime(2026, 1, 31, 10)),
    (TIMESTAMP(timezone=True), "2026-01-31T10:00Z", datetime(2026, 1, 31, 10, tzinfo=UTC)),
    (Uuid(), str(uuid.UUID(int=7)), uuid.UUID(int=7).bytes),
    (JSONB(), '{"a": 1.10}', '{"a": 1.10}'),
    (LargeBinary(), "\\x00ff", b"\x00\xff"),
]
every_type = pytest.mark.parametrize(
    ("kind", "cell", "value"), TYPES, ids=[str(kind) for kind, _, _ in TYPES]
)


class TestText:
    @every_type
    def test_text_becomes_the_tables_type(self, kind: Any, cell: str, value: Any) -> None:
        assert fit(kind, series(cell, None, dtype="str")) == ([value, None], {})

    @every_type
    def test_a_column_without_values_has_the_type_all_the_same(
        self, kind: Any, cell: str, value: Any
    ) -> None:
        for nothing in (
            series(None, None),
            series(np.nan, np.nan, dtype=float),
            series(pd.NA, None),
        ):
            assert fit(kind, nothing) == ([None, None], {})

    @every_type
    def test_an_empty_batch_has_the_type_all_the_same(
        self, kind: Any, cell: str, value: Any
    ) -> None:
        assert fit(kind, series(dtype="str")) == ([], {})
        assert fit(kind, series()) == ([], {})

    @every_type
    def test_what_is_typed_already_stays_as_it_is(self, kind: Any, cell: str, value: Any) -> None:
        typed = pd.Series(pd.arrays.ArrowExtensionArray(pa.array([value, None], arrow_type(kind))))
        assert fit(kind, typed) == ([value, None], {})

    def test_a_bad_cell_is_a_problem_of_its_row(self) -> None:
        cells, broken = fit(Integer(), series("1", "x", None, "99999999999", dtype="str"))
        assert cells == [1, None, None, None]
        assert broken == {1: ["is not a whole number"], 3: ["is out of range for integer"]}

    def test_a_text_is_not_trimmed_and_not_null_where_it_is_empty(self) -> None:
        assert fit(Text(), series("", "  ", None, dtype="str")) == (["", "  ", None], {})

    def test_text_that_postgresql_has_no_place_for(self) -> None:
        cells = series("ok", "n\x00l", "ünï🙈", "toolong", dtype="str")
        _, broken = fit(String(5), cells)
        assert broken == {1: ["holds a NUL character"], 3: ["is longer than 5 characters"]}
        assert fit(String(3), series("😀😀😀", dtype="str"))[1] == {}

    @pytest.mark.skipif(not NAUGHTY.is_file(), reason=f"there is no {NAUGHTY}")
    def test_naughty_strings_come_through_unharmed(self) -> None:
        strings = json.loads(NAUGHTY.read_text())
        assert fit(Text(), series(*strings, dtype="str")) == (strings, {})
        problems = Problems()
        rows = conform(text(c=strings, odd=strings), table(c=Text()), problems)
        packed = [json.loads(document)["odd"] for document in as_arrow(rows[EXTRA]).to_pylist()]
        assert packed == strings

    @given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))))
    def test_each_text_comes_back(self, strings: list[str]) -> None:
        assert fit(Text(), series(*strings, dtype="str")) == (strings, {})


class TestRequired:
    def test_null_is_one_problem_of_its_row(self) -> None:
        raw = text(id=["1", None, "", "x"])
        problems = Problems()
        conform(raw, table(id=(BigInteger,)), problems)
        assert list(problems.reasons) == [3]
        problems = Problems()
        needed = Table("t", MetaData(), Column("id", BigInteger, primary_key=True))
        conform(raw, needed, problems)
        rules = {row: [reason.rule for reason in why] for row, why in problems.reasons.items()}
        assert rules == {1: ["is required"], 2: ["is required"], 3: ["is not a whole number"]}

    def test_the_reason_shows_what_stood_there(self) -> None:
        problems = Problems()
        needed = Table("t", MetaData(), Column("id", BigInteger, nullable=False))
        conform(text(id=["  ", None]), needed, problems)
        assert [why[0].value for why in problems.reasons.values()] == ["  ", None]

    def test_a_conversion_that_failed_before_is_not_said_twice(self) -> None:
        problems = Problems()
        problems.add("id", "is no customer number", pd.Series(["x"], index=[0]))
        needed = Table("t", MetaData(), Column("id", BigInteger, nullable=False))
        conform(text(id=[None]), needed, problems)
        assert [reason.rule for reason in problems.reasons[0]] == ["is no customer number"]


class TestColumns:
    def test_the_tables_columns_in_its_order_and_the_rows_by_their_labels(self) -> None:
        raw = text(b=["x", "y", "z"], a=["1", "2", "bad"]).set_axis(LABELS)
        problems = Problems()
        rows = conform(raw, table(a=Integer(), b=Text()), problems)
        assert rows.columns.tolist() == ["a", "b", EXTRA]
        assert rows.index.tolist() == LABELS
        assert list(problems.reasons) == [9]

    def test_a_missing_column_names_the_nearest(self) -> None:
        with pytest.raises(ContractError, match=r"(?s)no column 'email'.*did you mean 'emial'\?"):
            conform(text(emial=["x"]), table(email=Text()), Problems())
        with pytest.raises(ContractError, match=r"(?s)no column 'email'.*columns: 1, z"):
            conform(pd.DataFrame({1: ["a"], "z": ["b"]}), table(email=Text()), Problems())

    def test_two_columns_of_one_name_are_refused(self) -> None:
        twice = text(a=["1"], b=["2"], c=["3"]).set_axis(["b", "b", "c"], axis=1)
        with pytest.raises(ContractError, match="two columns would both become 'b'"):
            conform(twice, table(b=Text()), Problems())

    def test_what_the_table_does_not_have_goes_to_extra(self) -> None:
        odd = 'qu"ote\n\\ ünï 🙈'
        raw = text(a=["1", "2", "3"], z=[odd, None, None], **{odd: [None, "", None]})
        rows = conform(raw.set_axis(LABELS), table(a=Integer()), Problems())
        packed = [
            document and json.loads(document) for document in as_arrow(rows[EXTRA]).to_pylist()
        ]
        assert packed == [{"z": odd}, {odd: ""}, None]
        assert rows.index.tolist() == LABELS

    def test_extra_takes_values_of_any_type(self) -> None:
        raw = pd.DataFrame(
            {
                "a": ["1"],
                "number": [Decimal("1.10")],
                "day": [date(2026, 1, 31)],
                "moment": [pd.Timestamp("2026-01-31T10:00Z")],
                "list": [[1, None]],
                "float": [0.5],
                "nothing": [float("nan")],
                5: ["five"],
            }
        )
        rows = conform(raw, table(a=Integer()), Problems())
        (packed,) = as_arrow(rows[EXTRA]).to_pylist()
        assert msgspec.json.decode(packed) == {
            "number": "1.10",
            "day": "2026-01-31",
            "moment": "2026-01-31 10:00:00+00:00",
            "list": [1, None],
            "float": 0.5,
            "5": "five",
        }

    def test_lineage_in_the_source_is_data_like_any_other(self) -> None:
        raw = text(a=["1"], _run_id=["theirs"], _extra=["theirs"])
        rows = conform(raw, table(a=Integer()), Problems())
        (packed,) = as_arrow(rows[EXTRA]).to_pylist()
        assert json.loads(packed) == {"_run_id": "theirs", "_extra": "theirs"}

    def test_no_rows(self) -> None:
        rows = conform(text(a=[], z=[]), table(a=Integer()), Problems())
        assert len(rows) == 0
        assert as_arrow(rows[EXTRA]).type == pa.string()

    def test_what_the_source_brings_and_what_travels(self) -> None:
        full = Table("t", MetaData(), Column("a", Text), *file_lineage())
        assert [column.name for column in data_columns(full)] == ["a"]
        assert [column.name for column in staged_columns(full)] == ["a", EXTRA]
        bare = Table("t", MetaData(), Column("a", Text))
        assert [column.name for column in staged_columns(bare)] == ["a"]


class TestTyped:
    """What a transform has typed by its own means."""

    @pytest.mark.parametrize(
        ("kind", "values", "expected"),
        [
            (BigInteger(), series(1, None, dtype="Int64"), [1, None]),
            (SmallInteger(), series(1, 2, dtype="int64"), [1, 2]),
            (Numeric(12, 2), series(5, None, dtype="Int64"), [Decimal("5.00"), None]),
            (Numeric(20, 0), series(2**64 - 1, dtype="uint64"), [Decimal(2**64 - 1)]),
            (Numeric(12, 2), series(Decimal("1.5"), None), [Decimal("1.50"), None]),
            (Numeric(12, 2), series("1.5", "2").map(Decimal), [Decimal("1.50"), Decimal(2)]),
            (BigInteger(), series(Decimal("7.00")), [7]),
            (Double(), series(1, None, dtype="Int64"), [1.0, None]),
            (Double(), series(Decimal("0.5")), [0.5]),
            (Date(), series(date(2026, 1, 31), None), [date(2026, 1, 31), None]),
            (Time(), series(time(10)), [time(10)]),
            (Text(), series(5, dtype="int64"), ["5"]),
            (Text(), series(Decimal("1.10")), ["1.10"]),
            (Text(), series(date(2026, 1, 31)), ["2026-01-31"]),
            (Text(), series("a", None, "a", dtype="category"), ["a", None, "a"]),
            (Uuid(), series(uuid.UUID(int=7)), [uuid.UUID(int=7).bytes]),
            (LargeBinary(), series(b"\x00"), [b"\x00"]),
            (TIMESTAMP(), series(datetime(2026, 1, 31)), [datetime(2026, 1, 31)]),
            (
                TIMESTAMP(timezone=True),
                pd.Series(["2026-01-31T10:00"]).astype("datetime64[ns, Europe/Berlin]"),
                [datetime(2026, 1, 31, 9, tzinfo=UTC)],
            ),
        ],
        ids=str,
    )
    def test_it_is_taken_where_nothing_is_lost(
        self, kind: Any, values: pd.Series, expected: list[Any]
    ) -> None:
        assert fit(kind, values) == (expected, {})

    @pytest.mark.parametrize(
        ("kind", "good", "bad"),
        [
            (SmallInteger(), 1, 2**40),
            (BigInteger(), Decimal("1"), Decimal("1.5")),
            (Numeric(5, 2), Decimal("1"), Decimal("1.005")),
            (Numeric(5, 2), Decimal("1"), Decimal("1000")),
            (Numeric(5, 2), 1, 1000),
            (Numeric(38, 0), Decimal(1), Decimal("9" * 39)),
        ],
        ids=str,
    )
    def test_a_value_that_does_not_fit_is_a_problem_of_its_row(
        self, kind: Any, good: Any, bad: Any
    ) -> None:
        cells, broken = fit(kind, series(good, bad, good, None))
        assert cells == [good, None, good, None]
        assert broken == {1: [f"does not fit {kind}"]}

    @pytest.mark.parametrize("kind", [Numeric(12, 2), BigInteger(), Text(), JSONB(), Date()])
    def test_floating_point_has_lost_digits_already(self, kind: Any) -> None:
        with pytest.raises(ContractError, match=r"(?s)'c' is floating point.*lost digits already"):
            fit(kind, series(1.5, None, dtype=float))

    @pytest.mark.parametrize(
        ("kind", "values"),
        [
            (TIMESTAMP(timezone=True), series(datetime(2026, 1, 31))),
            (TIMESTAMP(), series(datetime(2026, 1, 31, tzinfo=UTC))),
            (TIMESTAMP(), series(1_767_225_600, dtype="int64")),
            (Date(), series(5, dtype="int32")),
            (Date(), series(datetime(2026, 1, 31, 10))),
            (Boolean(), series(5, dtype="int64")),
            (BigInteger(), series(True, dtype=bool)),
            (Text(), series(b"\xff")),
            (Text(), series({"a": 1})),
            (JSONB(), series({"a": 1})),
            (JSONB(), series(date(2026, 1, 31))),
        ],
        ids=str,
    )
    def test_another_meaning_is_refused_rather_than_guessed(
        self, kind: Any, values: pd.Series
    ) -> None:
        with pytest.raises(ContractError, match=r"column 'c' is .*, the table's is"):
            fit(kind, values)

    def test_a_column_of_mixed_types_is_refused_by_name(self) -> None:
        with pytest.raises(ContractError, match="column 'c' is mixed"):
            fit(Text(), series(1, "1"))


class TestArrowType:
    @pytest.mark.parametrize(
        ("precision", "scale", "kind"),
        [(1, 0, pa.decimal128(1)), (38, 38, pa.decimal128(38, 38)), (39, 2, pa.decimal256(39, 2))],
    )
    def test_numeric(self, precision: int, scale: int, kind: pa.DataType) -> None:
        assert arrow_type(Numeric(precision, scale)) == kind

    def test_numeric_without_a_precision_has_no_exact_type(self) -> None:
        with pytest.raises(ContractError, match="precision"):
            arrow_type(Numeric())

    def test_a_type_that_is_not_known_is_refused(self) -> None:
        with pytest.raises(ContractError, match="no Arrow type is exact"):
            arrow_type(Interval())
