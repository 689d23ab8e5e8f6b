"""Rows through COPY, on each type's route: they come out as they went in."""

import json
import math
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    TIMESTAMP,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    Double,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    String,
    Table,
    Text,
    Time,
    Uuid,
    cast,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from runtime import stage
from runtime.conform import arrow_type
from runtime.connect import Destination
from runtime.ledger import bootstrap
from runtime.stage import BINARY_ROUTES, Stager

pytestmark = pytest.mark.slow

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
TRICKY = [
    "",
    "\\.",
    "a\n\\.\nb",
    "\\N",
    "NULL",
    '"',
    '""',
    ",",
    "\r\n",
    "\r",
    "\\",
    "'",
    " x ",
    "\ufeff",
]
# pgpq and PostgreSQL's text agree on these years; conform takes no others.
FIRST, LAST = datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999999)
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


def integers(bits: int) -> st.SearchStrategy[int]:
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


@st.composite
def decimals(draw: st.DrawFn) -> tuple[TypeEngine[Any], st.SearchStrategy[Decimal]]:
    precision = draw(st.integers(1, 38))
    scale = draw(st.integers(0, precision))
    digits = st.integers(-(10**precision) + 1, 10**precision - 1)
    values = digits.map(lambda n: Decimal((n < 0, tuple(map(int, str(abs(n)))), -scale)))
    return Numeric(precision, scale), values


def kind(sql: TypeEngine[Any], values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.just((sql, values))


KINDS = st.one_of(
    kind(Text(), TEXTS | st.sampled_from(TRICKY)),
    kind(Boolean(), st.booleans()),
    kind(SmallInteger(), integers(16)),
    kind(Integer(), integers(32)),
    kind(BigInteger(), integers(64)),
    decimals(),
    kind(Double(), st.floats()),
    kind(Date(), st.dates()),
    kind(Time(), st.times()),
    kind(TIMESTAMP(), st.datetimes(FIRST, LAST)),
    kind(TIMESTAMP(timezone=True), st.datetimes(FIRST, LAST, timezones=st.just(UTC))),
    kind(Uuid(), st.binary(min_size=16, max_size=16)),
    kind(JSONB(), JSONS.map(json.dumps)),
    kind(LargeBinary(), st.binary(max_size=8)),
)
# Types that only have the route of text.
TEXT_ONLY = st.one_of(
    kind(String(8), TEXTS | st.sampled_from(TRICKY)),
    st.integers(39, 76).flatmap(
        lambda precision: kind(
            Numeric(precision, 3),
            st.integers(-(10**38), 10**38).map(lambda n: Decimal(n).scaleb(-3)),
        )
    ),
)


@st.composite
def tables(draw: st.DrawFn, kinds: st.SearchStrategy[Any] = KINDS) -> tuple[Table, pa.Table]:
    """A table of up to six columns, and up to five rows for it."""
    chosen = draw(st.lists(kinds, min_size=1, max_size=6))
    size = draw(st.integers(0, 5))
    columns = [Column(f"c{n} %s:x", sql) for n, (sql, _) in enumerate(chosen)]
    cells = [
        draw(st.lists(st.none() | values, min_size=size, max_size=size)) for _, values in chosen
    ]
    arrays = {
        column.name: pa.array(values, arrow_type(column.type))
        for column, values in zip(columns, cells, strict=True)
    }
    return Table("stage_1_1", MetaData(schema="etl_shop"), *columns), pa.table(arrays)


@pytest.fixture
def copied(destination: Destination) -> Callable[..., Any]:
    """Copy rows into a table of their own, and give them as the server has them."""
    with destination.transaction() as connection:
        bootstrap(connection)

    def copy(table: Table, rows: pa.Table, route: str) -> list[tuple[Any, ...]]:
        with destination.engine.connect() as connection:
            table.create(connection)
            stager = Stager(connection, destination.work_schema, table)
            with pytest.MonkeyPatch.context() as patched:
                if route == "text":
                    patched.setattr(stage, "BINARY_ROUTES", {})
                else:
                    patched.setattr(Stager, "_as_csv", None)
                assert list(stager.copy(connection, rows)) == []
            return read(connection, table)

    return copy


def read(connection: Connection, table: Table) -> list[tuple[Any, ...]]:
    # As a value of Python's, JSON's null would be the same as NULL.
    columns = [cast(c, Text) if isinstance(c.type, JSONB) else c for c in table.columns]
    return [tuple(row) for row in connection.execute(select(*columns))]


def comparable(value: Any, sql: TypeEngine[Any]) -> Any:
    """A cell of Arrow's or of the server's as one thing to compare."""
    if value is None:
        return None
    if isinstance(sql, Uuid):
        return value if isinstance(value, bytes) else value.bytes
    if isinstance(sql, JSONB):
        return ("json", json.loads(value, parse_float=Decimal, parse_int=Decimal))
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else (value, math.copysign(1, value))
    if isinstance(value, memoryview):
        return bytes(value)
    return value


EVERYTHING: list[tuple[TypeEngine[Any], list[Any]]] = [
    (Text(), TRICKY),
    (Boolean(), [True, False]),
    (SmallInteger(), [-(2**15), 2**15 - 1, 0]),
    (Integer(), [-(2**31), 2**31 - 1, 0]),
    (BigInteger(), [-(2**63), 2**63 - 1, 2**53 + 1]),
    (Numeric(12, 2), [Decimal("-9999999999.99"), Decimal("0.01"), Decimal("0.00")]),
    (Numeric(38, 0), [Decimal("9" * 38), Decimal("-" + "9" * 38)]),
    (Numeric(38, 38), [Decimal("0." + "9" * 38), Decimal("1E-38")]),
    (Double(), [0.1 + 0.2, 5e-324, 1.7976931348623157e308, -0.0, math.inf, math.nan]),
    (Date(), [date.min, date.max, date(1970, 1, 1), date(2000, 1, 1), date(1504, 2, 29)]),
    (Time(), [time.min, time.max]),
    (TIMESTAMP(), [FIRST, LAST, datetime(1969, 12, 31, 23, 59, 59, 999999)]),
    (TIMESTAMP(timezone=True), [FIRST.replace(tzinfo=UTC), LAST.replace(tzinfo=UTC)]),
    (Uuid(), [b"\x00" * 16, b"\xff" * 16]),
    (JSONB(), ["null", "{}", '"\\u2028\\n"', "1e100", '{"a": [1.10, "%s"]}', '"\\\\."']),
    (LargeBinary(), [b"", b"\x00", b"\\x00", bytes(range(256))]),
]


@pytest.mark.parametrize("route", ["binary", "text"])
@pytest.mark.parametrize(("sql", "values"), EVERYTHING, ids=lambda value: str(value)[:20])
def test_extremes(
    copied: Callable[..., Any], sql: TypeEngine[Any], values: list[Any], route: str
) -> None:
    table = Table("stage_1_1", MetaData(schema="etl_shop"), Column("c", sql))
    there = copied(table, pa.table({"c": pa.array([*values, None], arrow_type(sql))}), route)
    found = [comparable(value, sql) for (value,) in there]
    assert found == [comparable(value, sql) for value in [*values, None]]


@pytest.mark.parametrize("route", ["binary", "text"])
def test_any_table(copied: Callable[..., Any], route: str) -> None:
    @settings(
        max_examples=60,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(tables())
    @example(
        (
            Table("stage_1_1", MetaData(schema="etl_shop"), Column("c", Text)),
            pa.table({"c": TRICKY}),
        )
    )
    def round_trip(case: tuple[Table, pa.Table]) -> None:
        same(copied, *case, route)

    round_trip()


def test_types_that_only_have_the_route_of_text(copied: Callable[..., Any]) -> None:
    @settings(max_examples=25, database=None, suppress_health_check=list(HealthCheck))
    @given(tables(KINDS | TEXT_ONLY))
    def round_trip(case: tuple[Table, pa.Table]) -> None:
        same(copied, *case, "text")

    round_trip()


def same(copied: Callable[..., Any], table: Table, rows: pa.Table, route: str) -> None:
    there = copied(table, rows, route)
    kinds = [column.type for column in table.columns]
    sent = zip(*(column.to_pylist() for column in rows.columns), strict=True)
    assert [tuple(map(comparable, row, kinds)) for row in there] == [
        tuple(map(comparable, row, kinds)) for row in sent
    ]


@pytest.mark.parametrize(
    ("sql", "array"),
    [
        (Numeric(12, 2), pa.array([5], pa.int64())),
        (Numeric(12, 2), pa.array([Decimal("5.00")], pa.decimal128(13, 2))),
        (Numeric(12, 2), pa.array([Decimal("5.000")], pa.decimal128(12, 3))),
        (Numeric(), pa.array([Decimal("5.00")], pa.decimal128(12, 2))),
        (BigInteger(), pa.array([5], pa.int32())),
        (Integer(), pa.array([5], pa.int64())),
        (Double(), pa.array([5], pa.int64())),
        (Double(), pa.array([5], pa.float32())),
        (TIMESTAMP(), pa.array([datetime(2026, 1, 1)], pa.timestamp("ms"))),
        (TIMESTAMP(), pa.array([datetime(2026, 1, 1, tzinfo=UTC)], pa.timestamp("us", "UTC"))),
        (Date(), pa.array([date(2026, 1, 1)], pa.date64())),
        (String(5), pa.array(["5"], pa.string())),
        (LargeBinary(), pa.array([b"0123456789abcdef"], pa.binary(16))),
    ],
    ids=str,
)
def test_another_type_never_takes_the_binary_route(
    copied: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    sql: TypeEngine[Any],
    array: pa.Array,
) -> None:
    """It would be stored as another value, silently."""
    monkeypatch.setattr(Stager, "_as_binary", None)
    table = Table("stage_1_1", MetaData(schema="etl_shop"), Column("c", sql))
    ((value,),) = copied(table, pa.table({"c": array}), "text")
    assert value is not None


def test_each_declared_type_has_a_binary_route(destination: Destination) -> None:
    """So that a table made by us never takes the slow one by mistake."""
    kinds = [sql for sql, _ in EVERYTHING]
    columns = [Column(f"c{n}", sql) for n, sql in enumerate(kinds)]
    table = Table("stage_1_1", MetaData(schema="etl_shop"), *columns)
    with destination.transaction() as connection:
        bootstrap(connection)
        table.create(connection)
        types = Stager(connection, destination.work_schema, table).types
    assert [BINARY_ROUTES[types[column.name]] for column in columns] == list(map(arrow_type, kinds))
