"""Of rows that are the same by some columns the newest is loaded, and the others are counted."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from sqlalchemy import Table

from runtime.connect import Destination
from runtime.resource import Append, Load, Replace
from tests.runtime.feed import Feed, contents, ids, order, orders_table, run

RECORDS = [
    order(1, amount="1.00", at="2"),
    order(2, amount="1.00", at="1"),
    order(3, amount=None, at="1"),
    order(4, amount=None, at="1"),
    order(5, amount="2.00", at=None),
]


@pytest.mark.parametrize(
    ("load", "kept"),
    [
        (lambda table: Append(table, deduplicate=["amount"]), [2, 4, 5]),
        (lambda table: Append(table, "updated_at", deduplicate=["amount"]), [1, 4, 5]),
        (lambda table: Replace(table, deduplicate=["amount"]), [2, 4, 5]),
        (
            lambda table: Replace(table, deduplicate=["amount"], newest_by="updated_at"),
            [1, 4, 5],
        ),
    ],
    ids=["append", "append by cursor", "replace", "replace by cursor"],
)
def test_of_rows_with_the_same_values_one_is_loaded(
    destination: Destination, load: Callable[[Table], Load], kept: list[int]
) -> None:
    table = orders_table(key=False)
    feed = Feed({"a": RECORDS[:2], "b": RECORDS[2:]})
    for name in ("one", "two"):
        counts = run(destination, feed.resource(load(table)), name)
        assert (counts.read, counts.loaded, counts.duplicates) == (5, 3, 2)
        assert ids(destination, table) == kept


def test_of_rows_with_one_key_replace_keeps_the_newest(destination: Destination) -> None:
    load = Replace(orders_table(), newest_by="updated_at")
    feed = Feed({"a": [order(1, amount="2.00", at="2"), order(1, amount="1.00", at="1")]})
    assert run(destination, feed.resource(load), "one").duplicates == 1
    assert contents(destination, load.table, "amount") == [(Decimal("2.00"),)]
