"""Arrays as tables: published with their parents, replaced by their keys, exact."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import (
    TIMESTAMP,
    BigInteger,
    Boolean,
    Column,
    Date,
    Double,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    Text,
    Uuid,
    inspect,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB

from runtime import loading
from runtime.children import child_key, each
from runtime.conform import conform
from runtime.connect import Destination
from runtime.problems import Problems
from runtime.resource import (
    Append,
    Child,
    DeleteMissing,
    Load,
    Merge,
    Replace,
    Resource,
    lineage,
)
from tests.runtime.feed import Feed, quarantined

metadata = MetaData(schema="shop")
ORDERS = Table(
    "orders",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("lines", JSONB),
    *lineage(),
)
LINES = Table(
    "order_lines",
    metadata,
    *child_key(ORDERS),
    Column("sku", Text, nullable=False),
    Column("price", Numeric(12, 2)),
    *lineage(),
)


def transform_lines(raw: pd.DataFrame, problems: Problems) -> pd.DataFrame:
    rows = raw.rename(columns={"SKU": "sku"})
    rows["sku"] = rows["sku"].str.strip()
    return conform(rows, LINES, problems)


def check_lines(rows: pd.DataFrame, problems: Problems) -> None:
    problems.require("price", "is at least 0", rows["price"] >= 0)
    problems.require("sku", "is short", rows["sku"].str.len() < 3, severity="warn")


ORDER_LINES = Child(LINES, "lines", ["SKU", "price"], transform_lines, check_lines)


def resource(feed: Feed, load: Load) -> Resource:
    def transform(raw: pd.DataFrame, problems: Problems) -> pd.DataFrame:
        rows = raw.copy()
        rows["lines"] = each(rows["lines"], ORDER_LINES, problems)
        return conform(rows, ORDERS, problems)

    return feed.resource(load, transform=transform, check=lambda rows, problems: None)


def lines(destination: Destination) -> list[tuple[Any, ...]]:
    with destination.transaction() as connection:
        c = LINES.c
        query = select(c.id, c["_position"], c.sku, c.price).order_by(c.id, c["_position"])
        return [tuple(row) for row in connection.execute(query)]


def record(id: int, lines: str | None) -> dict[str, str | None]:
    return {"id": str(id), "lines": lines}


A, B = '{"SKU": "a ", "price": 1.50}', '{"SKU": "b", "price": "2"}'
LOADS: dict[str, Load] = {
    "merge": Merge(ORDERS, children=[ORDER_LINES]),
    "replace": Replace(ORDERS, children=[ORDER_LINES]),
    "append": Append(ORDERS, children=[ORDER_LINES]),
}


@pytest.mark.parametrize("disposition", LOADS)
def test_they_come_with_their_parents(destination: Destination, disposition: str) -> None:
    feed = Feed({"one": [record(1, f"[{A}, {B}]"), record(2, "[]"), record(3, None)]})
    counts = loading.load(destination, resource(feed, LOADS[disposition]), "one")
    assert counts.loaded == 3
    assert lines(destination) == [(1, 1, "a", Decimal("1.50")), (1, 2, "b", Decimal("2.00"))]


@pytest.mark.parametrize("disposition", ["merge", "replace"])
def test_they_are_replaced_with_their_parent(destination: Destination, disposition: str) -> None:
    load = LOADS[disposition]
    feed = Feed({"one": [record(1, f"[{A}, {B}]"), record(2, f"[{A}]")]})
    loading.load(destination, resource(feed, load), "one")
    feed.files = {"one": [record(1, f"[{B}]"), record(2, f"[{A}]")]}
    counts = loading.load(destination, resource(feed, load), "two")
    assert (counts.loaded, counts.unchanged) == ((1, 1) if disposition == "merge" else (2, 0))
    assert [row[:3] for row in lines(destination)] == [(1, 1, "b"), (2, 1, "a")]


@pytest.mark.parametrize(
    ("disposition", "kept"), [("merge", [1, 2]), ("append", [1, 2]), ("replace", [1])]
)
def test_those_of_a_parent_that_does_not_come_stay_with_it(
    destination: Destination, disposition: str, kept: list[int]
) -> None:
    feed = Feed({"one": [record(2, f"[{A}]")]})
    loading.load(destination, resource(feed, LOADS[disposition]), "one")
    feed.files = {"two": [record(1, f"[{B}]")]}
    loading.load(destination, resource(feed, LOADS[disposition]), "two")
    assert [row[0] for row in lines(destination)] == kept


def test_those_of_a_parent_that_is_as_it_was_are_not_touched(destination: Destination) -> None:
    feed = Feed({"one": [record(1, f"[{A}]")]})
    loading.load(destination, resource(feed, LOADS["merge"]), "one")
    loading.load(destination, resource(feed, LOADS["merge"]), "two")
    with destination.transaction() as connection:
        assert connection.execute(select(LINES.c["_run_id"])).scalars().all() == ["one"]


def test_a_run_may_be_repeated(destination: Destination) -> None:
    feed = Feed({"one": [record(1, f"[{A}]")]})
    for _ in range(2):
        loading.load(destination, resource(feed, LOADS["append"]), "one")
    assert [row[:3] for row in lines(destination)] == [(1, 1, "a")]


def test_they_go_with_a_parent_that_the_source_deleted(destination: Destination) -> None:
    load = Merge(ORDERS, missing=DeleteMissing(max_rows=1), children=[ORDER_LINES])
    feed = Feed({"one": [record(1, f"[{A}]"), record(2, f"[{A}, {B}]")]})
    loading.load(destination, resource(feed, load), "one")
    feed.files = {"one": [record(1, f"[{B}]")]}
    counts = loading.load(destination, resource(feed, load), "two")
    assert (counts.loaded, counts.deleted) == (1, 1)
    assert [row[:3] for row in lines(destination)] == [(1, 1, "b")]


def test_what_is_wrong_with_one_keeps_its_parent_out(destination: Destination) -> None:
    bad = '{"SKU": "b", "price": "much"}'
    feed = Feed({"one": [record(1, f"[{A}, {bad}]"), record(2, f"[{A}]"), record(3, '{"a": 1}')]})
    counts = loading.load(destination, resource(feed, LOADS["merge"]), "one")
    assert (counts.loaded, counts.quarantined) == (1, 2)
    assert [row[:3] for row in lines(destination)] == [(2, 1, "a")]
    (first,), (second,) = quarantined(destination, "reasons")
    assert first == [{"column": "lines[2].price", "rule": "is not a number", "value": "much"}]
    assert second[0]["rule"] == "is not an array of objects"


def test_one_that_breaks_a_rule_keeps_its_parent_out(destination: Destination) -> None:
    records = [record(1, f'[{A}, {{"SKU": "b", "price": -1}}]'), record(2, f"[{A}]")]
    counts = loading.load(destination, resource(Feed({"one": records}), LOADS["merge"]), "one")
    assert (counts.loaded, counts.quarantined) == (1, 1)
    (([reason],),) = quarantined(destination, "reasons")
    assert reason == {
        "column": "lines[2].price",
        "rule": 'breaks "is at least 0"',
        "value": "-1.00",
    }


def test_a_warning_is_counted_under_the_name_of_the_array() -> None:
    problems = Problems()
    texts = pd.Series(['[{"SKU": "long"}, {"SKU": "a"}]'], name="lines", dtype="string[pyarrow]")
    each(texts, ORDER_LINES, problems)
    assert problems.warnings["lines.sku", "is short"] == 1
    assert problems.reasons == {}


@pytest.mark.parametrize("private", ["lines", "price"])
def test_what_is_private_in_one_is_not_told(private: str) -> None:
    problems = Problems(private=frozenset({private}))
    texts = pd.Series(['[{"price": "S3cr3t-canary"}]'], name="lines", dtype="string[pyarrow]")
    each(texts, ORDER_LINES, problems)
    assert "S3cr3t-canary" not in repr(problems.reasons)
    assert [reason.rule for reason in problems.reasons[0]] == ["is required", "is not a number"]


def test_a_column_may_be_inside_an_object_of_the_element() -> None:
    inside = Child(LINES, "lines", ["product.sku", "price"], transform_inside)
    texts = pd.Series(
        ['[{"product": {"sku": "a", "colour": "red"}, "price": 1}]'],
        name="lines",
        dtype="string[pyarrow]",
    )
    (text,) = each(texts, inside, Problems())
    assert text == '[{"sku":"a","price":1.00,"_extra":{"product.colour":"red"}}]'


def transform_inside(raw: pd.DataFrame, problems: Problems) -> pd.DataFrame:
    return conform(raw.rename(columns={"product.sku": "sku"}), LINES, problems)


def test_what_is_not_declared_is_kept(destination: Destination) -> None:
    feed = Feed({"one": [record(1, '[{"SKU": "a", "colour": "red"}]')]})
    loading.load(destination, resource(feed, LOADS["merge"]), "one")
    with destination.transaction() as connection:
        assert connection.execute(select(LINES.c["_extra"])).scalar_one() == {"colour": "red"}


def test_a_parent_takes_its_children_with_it(destination: Destination) -> None:
    feed = Feed({"one": [record(1, f"[{A}]"), record(2, f"[{B}]")]})
    loading.load(destination, resource(feed, LOADS["replace"]), "one")
    feed.files = {"one": [record(2, f"[{B}]")]}
    loading.load(destination, resource(feed, LOADS["replace"]), "two")
    assert [row[:3] for row in lines(destination)] == [(2, 1, "b")]
    keys = inspect(destination.engine).get_foreign_keys("order_lines", schema="shop")
    assert [key["referred_table"] for key in keys] == ["orders"]


VALUES: dict[str, tuple[Any, str, Any]] = {
    "text": (Text, '"\\"quoted\\" \\\\ ä 😀\\n"', '"quoted" \\ ä 😀\n'),
    "empty": (Text, '""', ""),
    "boolean": (Boolean, "true", True),
    "integer": (Integer, "-7", -7),
    "bigint": (BigInteger, "9007199254740993", 9007199254740993),
    "numeric": (Numeric(38, 2), f"{'9' * 36}.99", Decimal(f"{'9' * 36}.99")),
    "double": (Double, "1e300", 1e300),
    "date": (Date, '"0001-01-01"', date(1, 1, 1)),
    "instant": (
        TIMESTAMP(timezone=True),
        '"2026-01-02T03:04:05.000006+02:00"',
        datetime(2026, 1, 2, 1, 4, 5, 6, UTC),
    ),
    "moment": (TIMESTAMP, '"9999-12-31T23:59:59"', datetime(9999, 12, 31, 23, 59, 59)),
    "uuid": (Uuid(as_uuid=False), f'"{"ab" * 16}"', "abababab-abab-abab-abab-abababababab"),
    "bytea": (LargeBinary, '"00ff"', b"\x00\xff"),
    "jsonb": (JSONB, '{"a": [1, {"b": null}]}', {"a": [1, {"b": None}]}),
    "json string": (JSONB, '"a"', "a"),
    "nothing": (Integer, "null", None),
}


@pytest.mark.parametrize("case", VALUES)
def test_every_type_comes_through_exactly(destination: Destination, case: str) -> None:
    kind, text, value = VALUES[case]
    tables = MetaData(schema="shop")
    key = Column("id", BigInteger, primary_key=True, autoincrement=False)
    parent = Table("orders", tables, key, Column("lines", JSONB), *lineage())
    child = Table("items", tables, *child_key(parent), Column("value", kind), *lineage())

    documents = ["value"] if kind is JSONB else []

    def transform_items(raw: pd.DataFrame, problems: Problems) -> pd.DataFrame:
        return conform(raw, child, problems)

    items = Child(child, "lines", ["value"], transform_items, documents=documents)

    def transform(raw: pd.DataFrame, problems: Problems) -> pd.DataFrame:
        rows = raw.copy()
        rows["lines"] = each(rows["lines"], items, problems)
        return conform(rows, parent, problems)

    feed = Feed({"one": [record(1, f'[{{"value": {text}}}]')]})
    load = Merge(parent, children=[items])
    found = feed.resource(load, transform=transform, check=lambda rows, problems: None)
    counts = loading.load(destination, found, "one")
    assert counts.quarantined == 0, quarantined(destination, "reasons")
    with destination.transaction() as connection:
        assert connection.execute(select(child.c.value)).scalar_one() == value
