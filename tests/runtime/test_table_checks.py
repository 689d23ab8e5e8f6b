"""Checks of a whole load: what they say, and that nothing is published where they forbid it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import BigInteger, Column, Date, MetaData, Table, select
from sqlalchemy import text as sql

from runtime import ledger, loading, screen
from runtime.connect import Destination
from runtime.errors import ContractError
from runtime.loading import audit, write
from runtime.resource import TIMESTAMP, Append, Load, Merge, Replace, lineage
from runtime.table_checks import (
    Freshness,
    NoRows,
    NullShare,
    References,
    RowCount,
    TableCheck,
    Unique,
)
from tests.runtime.feed import (
    Feed,
    Record,
    contents,
    ids,
    load_as,
    order,
    orders,
    orders_table,
    planned,
    run,
    staging_tables,
)

pytestmark = pytest.mark.slow

KEYLESS = Append(orders_table(key=False))


def said(
    destination: Destination,
    check: TableCheck,
    records: Sequence[Record],
    load: Load = KEYLESS,
    **parts: Any,
) -> str | None:
    """What the check says of these records, as the error of a run or None."""
    resource = Feed({"a": records}).resource(load, checks=[check], **parts)
    try:
        run(destination, resource, f"run-{datetime.now(UTC):%H%M%S%f}")
    except ContractError as error:
        return str(error).partition("\n")[0].removeprefix("feed.orders: ")
    return None


def test_unique_names_the_values_and_how_often_they_stand(destination: Destination) -> None:
    records = [*orders(1, 2, 2, 3, 3, 3), order(4, note=None), order(5, note=None)]
    told = said(destination, Unique("id"), records)
    assert told == "id is not unique: 2 values in 5 rows, such as '3' (3 rows); '2' (2 rows)"
    assert said(destination, Unique("id", "amount"), [order(1), order(1, "2")]) is None


def test_null_is_no_value_that_could_stand_twice(destination: Destination) -> None:
    assert said(destination, Unique("amount"), [order(1, None), order(2, None)]) is None


def test_of_rows_with_the_same_key_only_the_one_that_would_be_published_is_checked(
    destination: Destination,
) -> None:
    older_and_newer = [order(1, note="x", at="1"), order(1, note="x", at="2")]
    assert said(destination, Unique("note"), older_and_newer, load_as("merge")) is None
    told = said(
        destination, Unique("note"), [*older_and_newer, order(2, note="x")], load_as("merge")
    )
    assert told == "note is not unique: 1 value in 2 rows, such as 'x' (2 rows)"


@pytest.mark.parametrize(
    ("check", "told"),
    [
        (RowCount(at_least=3), "there are 2 rows, and at least 3 are expected"),
        (RowCount(at_most=1), "there are 2 rows, and at most 1 are expected"),
        (RowCount(at_least=2, at_most=2), None),
        (
            NullShare("note", at_most=0.49),
            "note is NULL in 1 of 2 rows, and at most 0.49 of them are expected",
        ),
        (NullShare("note", at_most=0.5), None),
        (
            NoRows("ids are even", "SELECT * FROM rows WHERE id % 2 = 1;"),
            "ids are even: not so in 1 row",
        ),
        (NoRows("it is never noon", "SELECT FROM rows WHERE '12:00'::time < '01:00'"), None),
    ],
    ids=str,
)
def test_what_a_check_says(destination: Destination, check: TableCheck, told: str | None) -> None:
    assert said(destination, check, [order(1, note="a"), order(2, note=None)]) == told


def test_no_rows_have_no_share_of_nulls_and_nothing_that_is_twice(destination: Destination) -> None:
    for check in (NullShare("note", at_most=0), Unique("id"), RowCount(at_most=0)):
        assert said(destination, check, []) is None
    assert said(destination, RowCount(at_least=1), []) == (
        "there are 0 rows, and at least 1 are expected"
    )


class TestFreshness:
    check = Freshness("updated_at", within=timedelta(days=2))

    def test_old_rows(self, destination: Destination) -> None:
        assert said(destination, self.check, orders(1)) == (
            "updated_at is not fresh: the newest is 2026-01-01 00:00:00+00:00, "
            "and 2 days is the limit"
        )

    def test_new_rows(self, destination: Destination) -> None:
        now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        assert said(destination, self.check, [order(1), order(2, at=now)]) is None

    def test_a_quiet_hour_is_fine_where_the_table_has_what_is_fresh(
        self, destination: Destination
    ) -> None:
        now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        merge = load_as("merge")
        assert said(destination, self.check, [], merge) == (
            "updated_at is not fresh: no row has one"
        )
        assert said(destination, self.check, [order(1, at=now)], merge) is None
        assert said(destination, self.check, [], merge) is None
        assert said(destination, self.check, orders(1), merge) is None
        assert said(destination, self.check, orders(1), Replace(merge.table)) is not None

    @pytest.mark.parametrize("kind", [Date(), TIMESTAMP()])
    def test_a_day_lasts_until_its_end_and_a_time_without_a_zone_is_utc(
        self, destination: Destination, kind: Any
    ) -> None:
        table = Table("orders", MetaData(schema="shop"), Column("updated_at", kind), *lineage())
        limit = datetime.now(UTC).replace(tzinfo=None) - timedelta(days=2)
        for at, is_fresh in (
            (limit + timedelta(minutes=5), True),
            (limit - timedelta(days=1, minutes=5), False),
        ):
            text = f"{at:%Y-%m-%d}" if isinstance(kind, Date) else f"{at:%Y-%m-%d %H:%M:%S}"
            told = said(destination, self.check, [{"updated_at": text}], Replace(table))
            assert (told is None) == is_fresh


class TestReferences:
    check = References("id", "customers", "no")

    def customers(self, destination: Destination, *numbers: int) -> None:
        with destination.transaction() as connection:
            connection.execute(sql("CREATE SCHEMA shop"))
            connection.execute(sql("CREATE TABLE shop.customers (no integer)"))
            for number in numbers:
                connection.execute(sql("INSERT INTO shop.customers VALUES (:n)"), {"n": number})

    def test_a_value_that_is_not_there(self, destination: Destination) -> None:
        self.customers(destination, 1, 2)
        assert said(destination, self.check, orders(1, 2, 2)) is None
        assert said(destination, self.check, orders(1, 7, 7, 8)) == (
            "id is not in shop.customers.no: 2 values in 3 rows, such as '7' (2 rows); '8' (1 row)"
        )

    def test_a_table_that_is_not_there(self, destination: Destination) -> None:
        assert said(destination, self.check, orders(1)) == (
            "id refers to shop.customers, which is not there: load it first"
        )

    @pytest.mark.parametrize("disposition", ["replace", "merge"])
    def test_a_table_may_refer_to_itself(self, destination: Destination, disposition: str) -> None:
        table = Table(
            "orders",
            MetaData(schema="shop"),
            Column("id", BigInteger, primary_key=True),
            Column("parent", BigInteger),
            *lineage(),
        )
        load: Load = Replace(table) if disposition == "replace" else Merge(table)
        check = References("parent", "orders", "id")
        first: list[Record] = [{"id": "1", "parent": None}, {"id": "2", "parent": "1"}]
        second: list[Record] = [{"id": "3", "parent": "2"}]
        assert said(destination, check, first, load) is None
        told = said(destination, check, second, load)
        assert (told is None) == (disposition == "merge")


def test_an_error_leaves_the_table_as_it_was_and_says_all_that_is_wrong(
    destination: Destination,
) -> None:
    table = orders_table()
    run(destination, Feed({"a": orders(1)}).resource(Replace(table)), "first")
    before = contents(destination, table)
    checks = [RowCount(at_least=5), Unique("note", severity="warn"), Unique("amount")]
    resource = Feed({"a": orders(2, 3)}).resource(Replace(table), checks=checks)

    with pytest.raises(ContractError) as broken:
        run(destination, resource, "second")

    assert str(broken.value) == (
        "feed.orders: there are 2 rows, and at least 5 are expected; "
        "amount is not unique: 1 value in 2 rows, such as '1.00' (2 rows)\n"
        "  Nothing was published: shop.orders keeps what it has. "
        "Correct the source, or the module's CHECKS, and run again."
    )
    assert contents(destination, table) == before
    assert staging_tables(destination) == []
    with destination.transaction() as connection:
        row = connection.execute(
            select(ledger.attempts).where(ledger.attempts.c.run_id == "second")
        ).one()
    assert row.status == "failed"
    assert row.error.startswith("feed.orders: there are 2 rows")


def test_a_warning_is_published_counted_and_shown(
    destination: Destination, capsys: pytest.CaptureFixture[str]
) -> None:
    table = orders_table()
    checks = [Unique("note", severity="warn"), RowCount(at_least=5, severity="warn")]
    resource = Feed({"a": orders(2, 3)}).resource(Replace(table), checks=checks)
    results = screen.Results()
    results.add(resource, run(destination, resource, "first"), 0.1)
    assert ids(destination, table) == [2, 3]

    results.show(destination, "first")
    screen.show_status(destination, 5)

    shown = capsys.readouterr().out
    assert (
        "feed.orders: note is not unique: 1 value in 2 rows, such as '' (2 rows); "
        "that is only a warning\n"
    ) in shown
    assert "feed.orders: there are 2 rows, and at least 5 are expected; that" in shown
    status = [line.split() for line in shown.splitlines()][-1]
    assert status[status.index("published") + 8] == "2"


def test_a_check_can_change_nothing(destination: Destination) -> None:
    table = orders_table()
    run(destination, Feed({"a": orders(1)}).resource(Replace(table)), "first")
    removing = "WITH gone AS (DELETE FROM shop.orders RETURNING 1) SELECT * FROM gone"
    breaking = "SELECT 1) AS broken; DELETE FROM shop.orders; SELECT * FROM (SELECT 1"
    for query in (removing, breaking):
        resource = Feed({"a": orders(2)}).resource(
            Replace(table), checks=[NoRows("it is tidy", query)]
        )
        with pytest.raises(Exception, match=r"read-only transaction|must be at the top level"):
            loading.load(destination, resource, f"run-{len(query)}")
    assert ids(destination, table) == [1]


def test_a_query_that_makes_no_sense_is_an_error_of_the_load(destination: Destination) -> None:
    resource = Feed({"a": orders(2)}).resource(
        KEYLESS, checks=[NoRows("it is tidy", "SELECT nothing FROM rows")]
    )
    with pytest.raises(Exception, match='column "nothing" does not exist'):
        loading.load(destination, resource, "run")


def test_an_audit_that_is_repeated_checks_once(destination: Destination) -> None:
    calls: list[int] = []

    class Counting:
        severity: Any = "warn"

        def broken(self, staged: object) -> str | None:
            calls.append(1)
            return None

    resource = Feed({"a": orders(1)}).resource(KEYLESS, checks=[Counting()])
    attempt = planned(destination, resource)
    write(destination, attempt, resource, 0)
    audit(destination, attempt, resource)
    audit(destination, attempt, resource)
    assert calls == [1]


def test_a_long_value_is_cut_and_its_control_characters_are_spelled(
    destination: Destination,
) -> None:
    records = [order(n, note="\x1b[2J" + "x" * 200) for n in (1, 2)]
    told = said(destination, Unique("note"), records)
    assert told is not None
    assert "\x1b" not in told
    assert len(told) < 200
