"""Incremental loads: what a run reads of a source that grows, and where the next one goes on."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from sqlalchemy import (
    TIMESTAMP,
    BigInteger,
    Column,
    Date,
    MetaData,
    Numeric,
    Table,
    Text,
    select,
    update,
)
from sqlalchemy.types import TypeEngine

from runtime import cursors, ledger, loading
from runtime.columns import arrow_frame
from runtime.conform import conform
from runtime.connect import Destination
from runtime.errors import ContractError, RetryableError
from runtime.problems import Problems
from runtime.resource import (
    Append,
    Load,
    Merge,
    Partition,
    Range,
    Replace,
    Resource,
    Value,
    Window,
    lineage,
)
from tests.runtime.feed import day

INSTANT = TIMESTAMP(timezone=True)


@dataclass
class Log:
    """A source that can be asked for a range of its cursor: rows of `(id, at, note)`."""

    rows: list[tuple[int, Value, str]] = field(default_factory=list)
    asked: list[Range] = field(default_factory=list)

    def partitions(self, log: "Log", window: Window) -> list[Partition]:
        self.asked.append(window.of("at"))
        return [Partition(0, window, detail=window.of("at").as_detail())]

    def extract(self, log: "Log", partition: Partition) -> Iterator[pd.DataFrame]:
        wanted = Range.of(partition.detail)
        found = [
            row
            for row in self.rows
            if (wanted.low is None or row[1] >= wanted.low)  # type: ignore[operator]
            and (wanted.high is None or row[1] < wanted.high)  # type: ignore[operator]
        ]
        columns = [pa.array([str(row[n]) for row in found], pa.string()) for n in range(3)]
        yield arrow_frame(
            [*zip(("id", "at", "note"), columns, strict=True)], range(1, len(found) + 1)
        )

    def resource(self, load: Load) -> Resource:
        def transform(raw: pd.DataFrame, problems: Problems) -> pd.DataFrame:
            return conform(raw, load.table, problems)

        def check(rows: pd.DataFrame, problems: Problems) -> None:
            pass

        return Resource(
            "log.entries", load, lambda: self, self.partitions, self.extract, transform, check
        )


def entries(kind: TypeEngine[Any] = INSTANT, *, key: bool = True) -> Table:
    return Table(
        "entries",
        MetaData(schema="shop"),
        Column("id", BigInteger, primary_key=key, autoincrement=False),
        Column("at", kind),
        Column("note", Text),
        *lineage(),
    )


def loaded(destination: Destination, load: Load) -> list[tuple[int, str]]:
    with destination.transaction() as connection:
        found = connection.execute(select(load.table.c.id, load.table.c.note))
        return sorted((row.id, row.note) for row in found)


def run(destination: Destination, log: Log, load: Load, run_id: str, *window: Window) -> Range:
    """One load; gives what it asked the source for."""
    loading.load(destination, log.resource(load), run_id, *window)
    return log.asked[-1]


class TestGoingOn:
    def test_the_first_load_begins_at_the_initial_value(self, destination: Destination) -> None:
        log = Log([(1, day(1), "before"), (2, day(2), "first")])
        load = Merge(entries(), cursor="at", initial_value=day(2))
        assert run(destination, log, load, "one") == Range("at", day(2))
        assert loaded(destination, load) == [(2, "first")]

    def test_without_one_it_reads_all(self, destination: Destination) -> None:
        log, load = Log([(1, day(1), "a")]), Merge(entries(), cursor="at")
        assert run(destination, log, load, "one") == Range("at")

    def test_the_next_goes_on_from_the_newest(self, destination: Destination) -> None:
        log = Log([(1, day(1), "a"), (2, day(3), "b")])
        load = Merge(entries(), cursor="at", initial_value=day(1))
        run(destination, log, load, "one")
        log.rows.append((3, day(4), "c"))
        assert run(destination, log, load, "two") == Range("at", day(3))
        assert loaded(destination, load) == [(1, "a"), (2, "b"), (3, "c")]

    @pytest.mark.parametrize("key", [True, False])
    def test_a_row_of_the_same_moment_that_came_later_is_not_lost(
        self, destination: Destination, key: bool
    ) -> None:
        """Nor are those that were loaded already there twice, with a key or without."""
        load: Load = Merge(entries(), "at") if key else Append(entries(key=False), "at")
        log = Log([(1, day(1), "a"), (2, day(2), "b")])
        run(destination, log, load, "one")
        log.rows.append((3, day(2), "late"))
        run(destination, log, load, "two")
        run(destination, log, load, "three")
        assert loaded(destination, load) == [(1, "a"), (2, "b"), (3, "late")]

    def test_a_lookback_finds_what_was_committed_late(self, destination: Destination) -> None:
        log = Log([(1, day(10), "a")])
        load = Merge(entries(), cursor="at", lookback=timedelta(days=2))
        run(destination, log, load, "one")
        log.rows += [(2, day(7), "too late"), (3, day(8), "late")]
        assert run(destination, log, load, "two") == Range("at", day(8))
        assert loaded(destination, load) == [(1, "a"), (3, "late")]

    def test_a_delay_leaves_young_rows_to_the_next_load(self, destination: Destination) -> None:
        now = datetime.now(UTC)
        log = Log([(1, now - timedelta(hours=2), "old"), (2, now, "young")])
        load = Merge(entries(), cursor="at", delay=timedelta(hours=1))
        asked = run(destination, log, load, "one")
        assert isinstance(asked.high, datetime)
        assert timedelta(0) <= now - timedelta(hours=1) - asked.high + timedelta(minutes=1)
        assert loaded(destination, load) == [(1, "old")]
        run(destination, log, Merge(load.table, cursor="at"), "without delay")
        assert loaded(destination, load) == [(1, "old"), (2, "young")]

    def test_a_row_of_the_year_2099_hides_nothing(self, destination: Destination) -> None:
        log = Log([(1, day(1), "a"), (2, datetime(2099, 1, 1, tzinfo=UTC), "future")])
        load = Merge(entries(), cursor="at")
        run(destination, log, load, "one")
        log.rows.append((3, day(2), "b"))
        assert run(destination, log, load, "two") == Range("at", day(1))
        assert loaded(destination, load) == [(1, "a"), (2, "future"), (3, "b")]

    @pytest.mark.parametrize(
        ("kind", "values", "lookback", "low"),
        [
            (BigInteger(), (7, 9), 1, 8),
            (Numeric(12, 2), (Decimal("7.50"), Decimal("9.25")), 1, Decimal("8.25")),
            (Date(), (date(2026, 1, 7), date(2026, 1, 9)), timedelta(days=1), date(2026, 1, 8)),
            (
                TIMESTAMP(),
                (datetime(2026, 1, 7), datetime(2026, 1, 9)),
                timedelta(hours=1),
                datetime(2026, 1, 8, 23),
            ),
        ],
        ids=["bigint", "numeric", "date", "timestamp"],
    )
    def test_every_type_that_advances(
        self,
        destination: Destination,
        kind: TypeEngine[Any],
        values: tuple[Value, Value],
        lookback: timedelta | int,
        low: Value,
    ) -> None:
        log = Log([(n, value, "") for n, value in enumerate(values)])
        load = Merge(entries(kind), cursor="at", lookback=lookback)
        run(destination, log, load, "one")
        assert run(destination, log, load, "two") == Range("at", low)


class TestAnotherRun:
    def test_that_loaded_meanwhile_is_noticed(
        self, destination: Destination, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Between looking at the cursor and opening the attempt."""
        log, load = Log([(1, day(1), "a")]), Append(entries(key=False), cursor="at")
        run(destination, log, load, "zero")
        resource, partitions = log.resource(load), log.partitions

        def and_meanwhile(source: Log, window: Window) -> list[Partition]:
            log.rows.append((2, day(2), "b"))
            monkeypatch.setattr(log, "partitions", partitions)
            run(destination, log, load, "other")
            return partitions(source, window)

        slow = Resource(**{**vars(resource), "partitions": and_meanwhile})
        with pytest.raises(RetryableError, match="another run has loaded it meanwhile"):
            loading.plan(destination, slow, "slow")
        run(destination, log, load, "slow")
        assert loaded(destination, load) == [(1, "a"), (2, "b")]


class TestWindows:
    def test_a_window_of_time_is_one_of_the_cursor(self, destination: Destination) -> None:
        log = Log([(n, date(2026, 1, n), "") for n in range(1, 6)])
        load = Merge(entries(Date()), cursor="at")
        asked = run(destination, log, load, "one", Window(day(2), day(4)))
        assert asked == Range("at", date(2026, 1, 2), date(2026, 1, 4))
        assert loaded(destination, load) == [(2, ""), (3, "")]
        assert run(destination, log, load, "two") == Range("at")  # it moved no cursor

    def test_a_number_has_none(self, destination: Destination) -> None:
        log, load = Log([(1, 1, "")]), Merge(entries(BigInteger()), cursor="at")
        with pytest.raises(ContractError, match="a window of time says nothing of it"):
            run(destination, log, load, "one", Window(day(1), day(2)))

    @pytest.mark.parametrize(
        ("load", "window"),
        [
            (Replace(entries()), Window(day(2), day(3))),
            (Merge(entries()), Window(day(2), day(3))),
            (Merge(entries(), cursor="at"), Window()),
            (Merge(entries(), cursor="at", by_interval=True), Window(day(2), day(3))),
            (
                Append(entries(), "at", by_interval=True, lookback=timedelta(days=1)),
                Window(day(1), day(3)),
            ),
        ],
        ids=["replace", "no cursor", "cursor", "by interval", "with lookback"],
    )
    def test_what_a_scheduled_run_reads(self, load: Load, window: Window) -> None:
        resource = Log().resource(load)
        interval = ("2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z")
        assert resource.window((None, None), interval) == window
        assert resource.window(("2026-01-05", None), interval) == Window(day(5))


@pytest.mark.parametrize(
    "value",
    [None, 7, Decimal("1.50"), "b", date(2026, 1, 2), day(3), datetime(2026, 1, 2, 3, 4, 5, 6)],
    ids=repr,
)
def test_a_range_travels_as_json(destination: Destination, value: Value | None) -> None:
    """Through the ledger, as a partition does."""
    wanted = Range("at", low=value)
    load = Merge(entries(), cursor="at")
    resource = Log().resource(load)
    parts = [Partition(0, detail=wanted.as_detail())]
    one = Resource(**{**vars(resource), "partitions": lambda log, window: parts})
    loading.plan(destination, one, "run")
    with destination.transaction() as connection:
        detail = connection.execute(select(ledger.partitions.c.detail)).scalar_one()
    assert Range.of(detail) == wanted


def test_a_cursor_that_was_set_by_hand_counts(destination: Destination) -> None:
    log, load = Log([(1, day(1), "a"), (2, day(2), "b")]), Merge(entries(), cursor="at")
    run(destination, log, load, "one")
    with destination.transaction() as connection:
        connection.execute(update(ledger.resources).values(cursor="2026-01-01 12:00+00"))
        window = cursors.resolved(connection, "log.entries", load, Window())
    assert window.since == datetime(2026, 1, 1, 12, tzinfo=UTC)
