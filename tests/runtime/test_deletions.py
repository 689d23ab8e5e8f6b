"""Rows that the source has deleted: by a flag of it, or by their absence where all is read."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import TIMESTAMP, BigInteger, Boolean, Column, MetaData, Numeric, Table, Text, text

from runtime import ledger, loading
from runtime.connect import Destination
from runtime.errors import ContractError
from runtime.publish import Counts
from runtime.resource import DeleteMissing, Merge, Resource, deleted_at, lineage
from tests.runtime.feed import Feed, Record, contents, ids, is_accounted, order, orders, run

pytestmark = pytest.mark.slow
ALL = DeleteMissing(max_share=Decimal(1))


def table(*more: Column[Any], soft: bool = False) -> Table:
    return Table(
        "orders",
        MetaData(schema="shop"),
        Column("id", BigInteger, primary_key=True, autoincrement=False),
        Column("amount", Numeric(12, 2)),
        Column("note", Text),
        Column("updated_at", TIMESTAMP(timezone=True)),
        *more,
        *lineage(),
        *([deleted_at()] if soft else []),
    )


def load(destination: Destination, load_as: Merge, name: str, records: Sequence[Record]) -> Counts:
    return run(destination, resource(load_as, records), name)


def resource(load_as: Merge, records: Sequence[Record]) -> Resource:
    return Feed({"a": records}).resource(load_as)


def marked(destination: Destination) -> dict[int, tuple[str | None, bool]]:
    """The run that wrote each row last, and whether it is marked as deleted."""
    with destination.transaction() as connection:
        found = connection.execute(
            text("SELECT id, _run_id, _deleted_at IS NOT NULL FROM shop.orders ORDER BY id")
        )
        return {row[0]: (row[1], row[2]) for row in found}


def warnings(destination: Destination) -> list[str]:
    with destination.transaction() as connection:
        newest = ledger.attempts.select().order_by(ledger.attempts.c.generation.desc())
        row = connection.execute(newest.limit(1)).one()
        return list(row.warnings)


class TestMissing:
    """Each run reads all there is: what it did not read is gone."""

    def test_rows_that_were_not_read_are_deleted_and_counted(
        self, destination: Destination
    ) -> None:
        merge = Merge(table(), missing=ALL)
        assert load(destination, merge, "one", orders(1, 2, 3)).deleted == 0

        counts = load(destination, merge, "two", orders(2, 4))

        assert ids(destination, merge.table) == [2, 4]
        assert (counts.loaded, counts.unchanged, counts.deleted) == (1, 1, 2)

    def test_they_may_be_kept_and_marked_until_they_come_back(
        self, destination: Destination
    ) -> None:
        merge = Merge(table(soft=True), missing=ALL)
        load(destination, merge, "one", orders(1, 2))
        assert load(destination, merge, "two", orders(1)).deleted == 1
        assert marked(destination) == {1: ("one", False), 2: ("two", True)}

        again = load(destination, merge, "three", orders(1))
        assert (again.deleted, again.unchanged) == (0, 1)
        assert marked(destination)[2] == ("two", True)

        back = load(destination, merge, "four", orders(1, 2))
        assert (back.loaded, back.deleted) == (1, 0)
        assert marked(destination) == {1: ("one", False), 2: ("four", False)}

    @pytest.mark.parametrize(
        ("missing", "gone", "said"),
        [
            (DeleteMissing(max_rows=2), 3, "3 of the 10 rows .* no more than 2 rows may"),
            (DeleteMissing(max_share=Decimal("0.2")), 3, "3 of the 10 rows .* than 20% may"),
            (DeleteMissing(max_rows=9, max_share=Decimal("0.2")), 3, "than 9 rows or 20% may"),
        ],
    )
    def test_too_many_end_the_run_before_anything_is_published(
        self, destination: Destination, missing: DeleteMissing, gone: int, said: str
    ) -> None:
        merge = Merge(table(), missing=missing)
        load(destination, merge, "one", orders(*range(1, 11)))
        before = contents(destination, merge.table)
        fewer = orders(*range(1, 11 - gone), note="changed")

        with pytest.raises(ContractError, match=said) as caught:
            loading.load(destination, resource(merge, fewer), "two")

        assert "Nothing was published" in str(caught.value)
        assert contents(destination, merge.table) == before
        enough = orders(*range(1, 9))
        assert load(destination, merge, "three", enough).deleted == 2

    def test_marked_rows_are_not_counted_again(self, destination: Destination) -> None:
        merge = Merge(table(soft=True), missing=DeleteMissing(max_share=Decimal("0.5")))
        load(destination, merge, "one", orders(1, 2, 3, 4))
        assert load(destination, merge, "two", orders(1, 2)).deleted == 2
        assert load(destination, merge, "three", orders(1)).deleted == 1

    def test_a_read_without_rows_deletes_nothing_and_says_so(
        self, destination: Destination
    ) -> None:
        merge = Merge(table(), missing=ALL)
        load(destination, merge, "one", orders(1, 2))

        assert load(destination, merge, "two", []).deleted == 0

        assert ids(destination, merge.table) == [1, 2]
        assert warnings(destination) == [
            "not read, but kept: 2 of shop.orders, for there was nothing to read"
        ]

    def test_a_read_without_rows_deletes_all_where_that_is_said(
        self, destination: Destination
    ) -> None:
        missing = DeleteMissing(max_share=Decimal(1), allow_empty=True)
        merge = Merge(table(), missing=missing)
        load(destination, merge, "one", orders(1, 2))
        assert load(destination, merge, "two", []).deleted == 2
        assert ids(destination, merge.table) == []

    def test_a_bad_row_may_be_any_of_those_that_are_missing(self, destination: Destination) -> None:
        merge = Merge(table(), missing=ALL)
        load(destination, merge, "one", orders(1, 2))

        counts = load(destination, merge, "two", [order(1), order(2, amount="-1.00")])

        assert (counts.quarantined, counts.deleted) == (1, 0)
        assert ids(destination, merge.table) == [1, 2]
        assert warnings(destination) == [
            "not read, but kept: 1 of shop.orders, for they may be among the rows set aside (1)"
        ]
        assert load(destination, merge, "three", [order(1)]).deleted == 1

    def test_a_row_that_is_filtered_out_is_not_in_the_table(self, destination: Destination) -> None:
        merge = Merge(table(), missing=ALL)
        load(destination, merge, "one", orders(1, 2))
        counts = load(destination, merge, "two", [order(1), order(2, note="skip")])
        assert (counts.filtered, counts.deleted) == (1, 1)
        assert ids(destination, merge.table) == [1]

    def test_publishing_again_says_the_same(self, destination: Destination) -> None:
        merge = Merge(table(), missing=ALL)
        load(destination, merge, "one", orders(1, 2))
        feed = resource(merge, orders(1))
        attempt, numbers = loading.plan(destination, feed, "two")
        for number in numbers:
            loading.write(destination, attempt, feed, number)
        loading.audit(destination, attempt, feed)
        first = loading.publish(destination, attempt, merge)
        assert first.deleted == 1
        assert loading.publish(destination, attempt, merge) == first


class TestFlag:
    """A column of the source says that a row is deleted."""

    def flagged(self, id: int, flag: str | None, at: str = "1") -> Record:
        return {**order(id, at=at), "gone": flag}

    def test_flagged_rows_are_deleted_and_come_back(self, destination: Destination) -> None:
        merge = Merge(table(Column("gone", Boolean)), deleted="gone")
        load(destination, merge, "one", [self.flagged(n, "f") for n in (1, 2, 3)])

        counts = load(destination, merge, "two", [self.flagged(1, "t"), self.flagged(2, None)])

        assert ids(destination, merge.table) == [2, 3]
        assert (counts.read, counts.loaded, counts.deleted) == (2, 2, 1)
        back = load(destination, merge, "three", [self.flagged(1, "f")])
        assert (back.loaded, back.deleted) == (1, 0)
        assert ids(destination, merge.table) == [1, 2, 3]

    def test_a_flagged_row_that_the_table_never_had_changes_nothing(
        self, destination: Destination
    ) -> None:
        merge = Merge(table(Column("gone", TIMESTAMP(timezone=True))), deleted="gone")
        records = [self.flagged(1, "2026-01-02T00:00:00Z"), self.flagged(2, None)]
        for name in ("one", "two"):
            counts = load(destination, merge, name, records)
            assert (counts.deleted, ids(destination, merge.table)) == (0, [2])
        assert counts.unchanged == 2

    def test_an_older_deletion_does_not_undo_a_newer_row(self, destination: Destination) -> None:
        merge = Merge(table(Column("gone", Boolean)), cursor="updated_at", deleted="gone")
        load(destination, merge, "one", [self.flagged(1, None, at="5")])
        counts = load(destination, merge, "two", [self.flagged(1, "t", at="3")])
        assert (counts.stale, counts.deleted) == (1, 0)
        assert ids(destination, merge.table) == [1]
        assert load(destination, merge, "three", [self.flagged(1, "t", at="6")]).deleted == 1

    def test_of_two_versions_in_one_read_the_newer_counts(self, destination: Destination) -> None:
        merge = Merge(table(Column("gone", Boolean)), cursor="updated_at", deleted="gone")
        load(destination, merge, "one", [self.flagged(1, None, at="1")])
        both = [self.flagged(1, "t", at="3"), self.flagged(1, None, at="2")]
        counts = load(destination, merge, "two", both)
        assert (counts.duplicates, counts.deleted) == (1, 1)
        assert ids(destination, merge.table) == []

    def test_they_may_be_kept_and_marked(self, destination: Destination) -> None:
        merge = Merge(table(Column("gone", Boolean), soft=True), deleted="gone")
        first = load(destination, merge, "one", [self.flagged(1, "f"), self.flagged(2, "t")])
        assert (first.loaded, first.deleted) == (2, 1)
        assert marked(destination) == {1: ("one", False), 2: ("one", True)}

        second = load(destination, merge, "two", [self.flagged(1, "t"), self.flagged(2, "t")])
        assert (second.loaded, second.unchanged, second.deleted) == (1, 1, 1)
        third = load(destination, merge, "three", [self.flagged(1, "f"), self.flagged(2, "t")])
        assert (third.loaded, third.deleted) == (1, 0)
        assert marked(destination) == {1: ("three", False), 2: ("one", True)}


def test_a_ledger_of_the_first_version_is_upgraded_by_the_next_run(
    destination: Destination,
) -> None:
    merge = Merge(table(), missing=ALL)
    load(destination, merge, "one", orders(1, 2))
    with destination.transaction() as connection:
        connection.execute(text("ALTER TABLE etl_shop.attempts DROP COLUMN deleted"))
        connection.execute(text("UPDATE etl_shop.version SET version = 1"))

    counts = load(destination, merge, "two", orders(1))

    assert counts.deleted == 1
    assert is_accounted(counts)
    with destination.transaction() as connection:
        found = connection.execute(text("SELECT version FROM etl_shop.version ORDER BY version"))
        assert found.scalars().all() == [1, ledger.VERSION]
