"""What append, replace and merge do to the table, the cursor, the ledger and quarantine."""

import json
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from sqlalchemy import (
    ARRAY,
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
    SmallInteger,
    String,
    Table,
    Text,
    Time,
    Uuid,
    inspect,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from runtime import ledger, loading
from runtime.connect import Destination, column_types, connect, create_schema, postgresql_url
from runtime.errors import ContractError
from runtime.problems import Problems
from runtime.publish import Counts
from runtime.resource import (
    EXTRA,
    LINEAGE,
    Append,
    Load,
    Merge,
    Partition,
    Replace,
    Resource,
    Window,
    file_lineage,
    lineage,
)
from runtime.target import declared_type
from tests.runtime.feed import (
    DISPOSITIONS,
    Feed,
    contents,
    cursor,
    day,
    ids,
    is_accounted,
    load_as,
    order,
    orders,
    orders_table,
    quarantined,
    staging_tables,
)


def run(destination: Destination, resource: Resource, name: str, *window: Any) -> Counts:
    counts = loading.load(destination, resource, name, *window)
    assert is_accounted(counts)
    with destination.transaction() as connection:
        row = connection.execute(
            select(ledger.attempts)
            .where(ledger.attempts.c.run_id == name)
            .order_by(ledger.attempts.c.generation.desc())
            .limit(1)
        ).one()
    assert {count: getattr(row, count) for count in ledger.ACCOUNTED} == vars(counts)
    assert staging_tables(destination) == []
    return counts


DIRTY = {
    "a": [
        order(1),
        order(2, note="skip"),
        order("x"),
        order(3, amount="-1"),
        order(None, amount="12345678901.00"),
    ],
    "b": [order(1, amount="2.00", at="2"), order(4)],
}


@pytest.mark.parametrize(
    ("disposition", "first", "again"),
    [
        ("append", Counts(7, 3, 0, 3, 0, 1, 0), Counts(7, 3, 0, 3, 0, 1, 0)),
        ("replace", Counts(7, 2, 0, 3, 1, 1, 0), Counts(7, 2, 0, 3, 1, 1, 0)),
        ("merge", Counts(7, 2, 0, 3, 1, 1, 0), Counts(7, 0, 2, 3, 1, 1, 0)),
    ],
)
def test_each_row_read_is_accounted_for(
    destination: Destination, disposition: str, first: Counts, again: Counts
) -> None:
    resource = Feed(DIRTY).resource(load_as(disposition))
    assert run(destination, resource, "first") == first
    target = contents(destination, resource.load.table)
    assert run(destination, resource, "again") == again
    assert contents(destination, resource.load.table) == target


@pytest.mark.parametrize("disposition", DISPOSITIONS)
def test_lineage(destination: Destination, disposition: str) -> None:
    feed = Feed({"a": [order(1), order(2, amount="-1"), order(3)], "b": [order(4), order(5)]})
    resource = feed.resource(load_as(disposition))
    run(destination, resource, "r")
    rows = contents(
        destination, resource.load.table, "id", "_run_id", "_source_file", "_source_row"
    )
    assert rows == [(1, "r", "a", 1), (3, "r", "a", 3), (4, "r", "b", 1), (5, "r", "b", 2)]
    loaded = {row[0] for row in contents(destination, resource.load.table, "_loaded_at")}
    assert len(loaded) == 1
    assert abs((datetime.now(UTC) - loaded.pop()).total_seconds()) < 60


@pytest.mark.parametrize("disposition", DISPOSITIONS)
def test_unknown_columns_are_kept(destination: Destination, disposition: str) -> None:
    feed = Feed({"a": [order(1) | {"colour": "red", "a%b:c": "1"}, order(2) | {"colour": None}]})
    resource = feed.resource(load_as(disposition))
    run(destination, resource, "r")
    assert contents(destination, resource.load.table, "id", EXTRA) == [
        (1, {"a%b:c": "1", "colour": "red"}),
        (2, None),
    ]


class TestAppend:
    def test_a_file_is_never_doubled(self, destination: Destination) -> None:
        feed = Feed({"a": orders(1, 2), "b": orders(3)})
        resource = feed.resource(load_as("append"))
        for name in ("one", "two", "two"):
            assert run(destination, resource, name).loaded == 3
            assert ids(destination, resource.load.table) == [1, 2, 3]

    def test_a_changed_file_takes_the_place_of_what_it_brought(
        self, destination: Destination
    ) -> None:
        feed = Feed({"a": orders(1, 2), "b": orders(3)})
        resource = feed.resource(load_as("append"))
        run(destination, resource, "one")
        feed.files = {"a": orders(7), "c": orders(8)}
        run(destination, resource, "two")
        assert ids(destination, resource.load.table) == [3, 7, 8]

    def test_equal_rows_are_all_kept_without_a_key(self, destination: Destination) -> None:
        resource = Feed({"a": orders(1, 1, 1)}).resource(load_as("append"))
        assert run(destination, resource, "one") == Counts(read=3, loaded=3)

    def test_with_a_key_the_first_load_of_a_row_stays(self, destination: Destination) -> None:
        table = orders_table(files=False)
        feed = Feed({"a": [order(1, note="old"), order(2, note="old")]})
        resource = feed.resource(Append(table))
        run(destination, resource, "one")
        feed.files = {"a": [order(2, note="new"), order(3, note="new"), order(3, note="newer")]}
        assert run(destination, resource, "two") == Counts(read=3, loaded=1, duplicates=2)
        assert contents(destination, table, "id", "note") == [(1, "old"), (2, "old"), (3, "newer")]

    def test_a_row_that_another_constraint_refuses_is_not_a_duplicate(
        self, destination: Destination
    ) -> None:
        feed = Feed({"a": [order(1, note="same")]})
        resource = feed.resource(Append(orders_table()))
        run(destination, resource, "one")
        with destination.transaction() as connection:
            connection.execute(text("ALTER TABLE shop.orders ADD UNIQUE (note)"))
        feed.files = {"b": [order(2, note="same")]}
        with pytest.raises(Exception, match="duplicate key value violates"):
            run(destination, resource, "two")
        assert ids(destination, resource.load.table) == [1]

    def test_a_window_is_loaded_anew(self, destination: Destination) -> None:
        table = orders_table(files=False)
        feed = Feed({"a": [order(n, at=str(n)) for n in range(1, 6)]})
        resource = feed.resource(Append(table, cursor="updated_at"))
        run(destination, resource, "all", Window(day(1), day(6)))
        feed.files = {"a": [order(3, at="3", amount="7"), order(30, at="3")]}
        counts = run(destination, resource, "part", Window(day(3), day(5)))
        assert counts == Counts(read=2, loaded=2)
        assert ids(destination, table) == [1, 2, 3, 5, 30]

    def test_the_index_that_reloading_needs(self, destination: Destination) -> None:
        resource = Feed({"a": orders(1)}).resource(load_as("append"))
        run(destination, resource, "one")
        with destination.transaction() as connection:
            found = inspect(connection).get_indexes("orders", "shop")
        assert [index["column_names"] for index in found] == [["_source_file"]]


class TestReplace:
    def test_the_table_becomes_what_was_read(self, destination: Destination) -> None:
        feed = Feed({"a": orders(1, 2), "b": orders(3)})
        resource = feed.resource(load_as("replace"))
        run(destination, resource, "one")
        feed.files = {"c": orders(3, 4, 4)}
        assert run(destination, resource, "two") == Counts(read=3, loaded=2, duplicates=1)
        assert ids(destination, resource.load.table) == [3, 4]

    def test_the_old_rows_stay_when_the_second_half_fails(self, destination: Destination) -> None:
        feed = Feed({"a": orders(1, 2)})
        resource = feed.resource(load_as("replace"))
        run(destination, resource, "one")

        def fail(file: str, batch: int) -> None:
            if batch == 2:
                raise RuntimeError("answered 500")

        feed.files, feed.on_batch = {"a": orders(*range(10, 20))}, fail
        with pytest.raises(RuntimeError):
            run(destination, resource, "two")
        assert ids(destination, resource.load.table) == [1, 2]

    @pytest.mark.parametrize("files", [{}, {"a": []}], ids=["no file", "an empty file"])
    def test_an_empty_read_keeps_the_rows(
        self, destination: Destination, files: dict[str, Any]
    ) -> None:
        feed = Feed({"a": [*orders(1, 2), order(3, amount="-1")]})
        resource = feed.resource(load_as("replace"))
        run(destination, resource, "one")
        feed.files = files
        assert run(destination, resource, "two") == Counts()
        assert ids(destination, resource.load.table) == [1, 2]

    @pytest.mark.parametrize("bad", [order(3, amount="-1"), order(3, note="skip")])
    def test_a_read_of_which_nothing_is_left_is_refused(
        self, destination: Destination, bad: dict[str, str | None]
    ) -> None:
        feed = Feed({"a": orders(1, 2)})
        resource = feed.resource(load_as("replace"))
        run(destination, resource, "one")
        feed.files = {"a": [bad, bad]}
        with pytest.raises(ContractError, match="none of the 2 rows read is fit to load"):
            run(destination, resource, "two")
        assert ids(destination, resource.load.table) == [1, 2]

    def test_it_supersedes_whatever_was_in_quarantine(self, destination: Destination) -> None:
        feed = Feed({"a": [order(1), order(2, amount="-1")]})
        resource = feed.resource(load_as("replace"))
        run(destination, resource, "one")
        feed.files = {}
        run(destination, resource, "two")
        assert quarantined(destination, "superseded_by") == [(None,)]
        feed.files = {"other": orders(1)}
        run(destination, resource, "three")
        assert quarantined(destination, "superseded_by") == [("three",)]


class TestMerge:
    def test_only_rows_that_differ_are_touched(self, destination: Destination) -> None:
        feed = Feed({"a": orders(1, 2, 3)})
        resource = feed.resource(Merge(orders_table()))
        run(destination, resource, "one")
        before = versions(destination, resource)
        feed.files = {"a": [order(1), order(2, amount="1.000"), order(3, note=None), order(4)]}
        assert run(destination, resource, "two") == Counts(read=4, loaded=2, unchanged=2)
        after = versions(destination, resource)
        assert {id for id in after if after[id] != before.get(id)} == {3, 4}
        by = contents(destination, resource.load.table, "id", "note", "_run_id")
        assert by == [(1, "", "one"), (2, "", "one"), (3, None, "two"), (4, "", "two")]

    @pytest.mark.parametrize("column", ["amount", "note", "updated_at", "colour"])
    def test_a_difference_in_any_column_counts(self, destination: Destination, column: str) -> None:
        """Also in one that the table does not have, and also from and to NULL."""
        feed = Feed({"a": [order(1, None, None, None)]})
        resource = feed.resource(Merge(orders_table()))
        run(destination, resource, "one")
        value = {"amount": "5", "note": "x", "updated_at": "2026-01-01", "colour": "red"}[column]
        for name, changes in [("two", {column: value}), ("three", {})]:
            feed.files = {"a": [order(1, None, None, None) | changes]}
            assert run(destination, resource, name) == Counts(read=1, loaded=1)
            assert run(destination, resource, name) == Counts(read=1, unchanged=1)

    def test_the_newest_of_duplicates_wins(self, destination: Destination) -> None:
        """By the cursor, then by position: the last of the last file."""
        feed = Feed(
            {
                "a": [order(1, note="newest", at="9"), order(2, note="first", at="5")],
                "b": [order(1, note="older", at="8"), order(2, note="second", at="5")],
                "c": [order(2, note="third", at="5"), order(2, note="last", at="5")],
                "d": [order(1, note="no cursor", at=None), order(2, note="older", at="4")],
            }
        )
        resource = feed.resource(load_as("merge"))
        assert run(destination, resource, "one") == Counts(read=8, loaded=2, duplicates=6)
        assert contents(destination, resource.load.table, "note") == [("last",), ("newest",)]

    def test_without_a_cursor_the_last_wins(self, destination: Destination) -> None:
        feed = Feed({f"f{n:02}": [order(1, note=str(n), at=str(20 - n))] for n in range(12)})
        resource = feed.resource(Merge(orders_table()))
        assert run(destination, resource, "one") == Counts(read=12, loaded=1, duplicates=11)
        assert contents(destination, resource.load.table, "note") == [("11",)]

    @pytest.mark.parametrize(
        ("there", "offered", "becomes"),
        [
            ("5", "4", "stale"),
            ("5", None, "stale"),
            ("5", "5", "loaded"),
            ("5", "6", "loaded"),
            (None, "1", "loaded"),
            (None, None, "loaded"),
        ],
    )
    def test_older_never_overwrites_newer(
        self, destination: Destination, there: str | None, offered: str | None, becomes: str
    ) -> None:
        feed = Feed({"a": [order(1, note="there", at=there)]})
        resource = feed.resource(load_as("merge"))
        run(destination, resource, "one")
        feed.files = {"a": [order(1, note="offered", at=offered)]}
        assert run(destination, resource, "two") == Counts(**{"read": 1, becomes: 1})
        note = "there" if becomes == "stale" else "offered"
        assert contents(destination, resource.load.table, "note") == [(note,)]

    def test_a_table_of_nothing_but_its_key(self, destination: Destination) -> None:
        columns = [Column("id", BigInteger, primary_key=True, autoincrement=False)]
        stamps = [column for column in lineage() if column.name != EXTRA]
        table = Table("keys", MetaData(schema="shop"), *columns, *stamps)
        feed = Feed({"a": [{"id": "1"}, {"id": "2"}]})
        resource = feed.resource(Merge(table))
        assert run(destination, resource, "one") == Counts(read=2, loaded=2)
        feed.files = {"a": [{"id": "2"}, {"id": "3"}]}
        assert run(destination, resource, "two") == Counts(read=2, loaded=1, unchanged=1)
        assert contents(destination, table, "id", "_run_id") == [
            (1, "one"),
            (2, "one"),
            (3, "two"),
        ]

    def test_a_key_of_several_columns(self, destination: Destination) -> None:
        table = Table(
            "lines",
            MetaData(schema="shop"),
            Column("order", Uuid, primary_key=True),
            Column("line", Integer, primary_key=True, autoincrement=False),
            Column("tags", JSONB),
            *lineage(),
        )
        one, two = (f"00000000-0000-0000-0000-00000000000{n}" for n in (1, 2))
        feed = Feed(
            {
                "a": [
                    {"order": one, "line": "1", "tags": '{"a": 1, "b": 2}'},
                    {"order": one, "line": "2", "tags": "[]"},
                    {"order": two, "line": "1", "tags": "null"},
                ]
            }
        )
        resource = feed.resource(Merge(table))
        assert run(destination, resource, "one") == Counts(read=3, loaded=3)
        feed.files = {
            "a": [
                {"order": one, "line": "1", "tags": '{"b": 2, "a": 1}'},
                {"order": two, "line": "1", "tags": "1"},
            ]
        }
        assert run(destination, resource, "two") == Counts(read=2, loaded=1, unchanged=1)


def versions(destination: Destination, resource: Resource) -> dict[int, tuple[str, str]]:
    """Where each row is, and who wrote it there: neither changes unless the row is touched."""
    with destination.transaction() as connection:
        rows = connection.execute(text("SELECT id, ctid::text, xmin::text FROM shop.orders")).all()
    return {row[0]: (row[1], row[2]) for row in rows}


class TestCursor:
    def test_it_advances_and_never_goes_back(self, destination: Destination) -> None:
        feed = Feed({"a": []})
        resource = feed.resource(load_as("merge"))
        known = []
        for name, days in [("a", "5"), ("b", "3"), ("c", None), ("d", "7")]:
            feed.files = {"a": orders(1, at=days)}
            run(destination, resource, name)
            known.append(datetime.fromisoformat(str(cursor(destination))).day)
        assert known == [5, 5, 5, 7]

    def test_the_future_does_not_poison_it(self, destination: Destination) -> None:
        rows = [order(1, at="5"), order(2, at="2099-01-01T00:00:00Z"), order(3, at="6")]
        resource = Feed({"a": rows}).resource(load_as("merge"))
        run(destination, resource, "one")
        assert datetime.fromisoformat(str(cursor(destination))) == day(6)
        assert ids(destination, resource.load.table) == [1, 2, 3]

    def test_nor_does_a_future_day(self, destination: Destination) -> None:
        table = Table(
            "days",
            MetaData(schema="shop"),
            Column("id", Integer, primary_key=True, autoincrement=False),
            Column("on", Date),
            *lineage(),
        )
        days = ["2026-01-05", "2099-01-01", None]
        feed = Feed({"a": [{"id": str(n), "on": on} for n, on in enumerate(days)]})
        run(destination, feed.resource(Merge(table, cursor="on")), "one")
        assert cursor(destination) == "2026-01-05"

    @pytest.mark.parametrize(
        ("kind", "values", "furthest"),
        [
            (BigInteger, ["9", "10", "-1"], "10"),
            (Numeric(10, 2), ["9.5", "10.25"], "10.25"),
            (Text, ["b", "a", "c"], "c"),
            (TIMESTAMP(), ["2026-01-01 10:00", "2026-01-02 09:00"], "2026-01-02 09:00:00"),
        ],
        ids=["bigint", "numeric", "text", "timestamp"],
    )
    def test_of_other_types(
        self, destination: Destination, kind: Any, values: list[str], furthest: str
    ) -> None:
        table = Table(
            "moves",
            MetaData(schema="shop"),
            Column("id", Integer, primary_key=True, autoincrement=False),
            Column("at%", kind),
            *lineage(),
        )
        feed = Feed({"a": [{"id": str(n), "at%": value} for n, value in enumerate(values)]})
        resource = feed.resource(Merge(table, cursor="at%"))
        run(destination, resource, "one")
        assert cursor(destination) == furthest
        feed.files = {"a": [{"id": "1", "at%": values[0]}]}
        run(destination, resource, "two")
        assert cursor(destination) == furthest

    @pytest.mark.parametrize(
        "window", [Window(day(1), day(9)), Window(start=day(1)), Window(end=day(9))], ids=str
    )
    def test_a_given_window_leaves_it_alone(self, destination: Destination, window: Window) -> None:
        resource = Feed({"a": orders(1, at="5")}).resource(load_as("merge"))
        run(destination, resource, "one", window)
        assert cursor(destination) is None

    @pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/St_Johns"])
    def test_the_session_s_time_zone_does_not_matter(
        self, destination: Destination, zone: str
    ) -> None:
        in_zone(destination, zone)
        feed = Feed({"a": orders(1, at="2026-01-05T23:59:59.123456Z")})
        resource = feed.resource(load_as("merge"))
        run(destination, resource, "one")
        moment = datetime(2026, 1, 5, 23, 59, 59, 123456, UTC)
        assert datetime.fromisoformat(str(cursor(destination))) == moment
        in_zone(destination, "UTC")
        assert contents(destination, resource.load.table, "updated_at") == [(moment,)]
        assert run(destination, resource, "two") == Counts(read=1, unchanged=1)
        assert datetime.fromisoformat(str(cursor(destination))) == moment

    @pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Niue"])
    def test_nor_for_a_cursor_without_a_zone(self, destination: Destination, zone: str) -> None:
        """It is read as UTC: an hour ago is not the future, in an hour is."""
        in_zone(destination, zone)
        now = pd.Timestamp.now("UTC").tz_localize(None).floor("s")
        hours = [(now + pd.Timedelta(hours=n)).isoformat(sep=" ") for n in (-1, 1)]
        table = Table(
            "moves",
            MetaData(schema="shop"),
            Column("id", Integer, primary_key=True, autoincrement=False),
            Column("at", TIMESTAMP()),
            *lineage(),
        )
        feed = Feed({"a": [{"id": str(n), "at": value} for n, value in enumerate(hours)]})
        run(destination, feed.resource(Merge(table, cursor="at")), "one")
        assert cursor(destination) == hours[0]


def in_zone(destination: Destination, zone: str) -> None:
    with destination.transaction() as connection:
        name = connection.execute(text("SELECT current_database()")).scalar()
        connection.execute(text(f"ALTER DATABASE {name} SET timezone = '{zone}'"))
    destination.engine.dispose()


class TestQuarantine:
    def test_an_entry_says_what_where_and_why(self, destination: Destination) -> None:
        resource = Feed(DIRTY).resource(load_as("merge"))
        run(destination, resource, "r")
        entries = quarantined(
            destination, "run_id", "attempt", "source_file", "source_row", "reasons", "payload"
        )
        assert [entry[:4] for entry in entries] == [("r", 1, "a", n) for n in (3, 4, 5)]
        assert [entry[5]["id"] for entry in entries] == ["x", "3", None]
        assert entries[0][4] == [{"column": "id", "rule": "is not a whole number", "value": "x"}]
        (reason,) = entries[1][4]
        assert (reason["column"], reason["value"]) == ("amount", "-1.00")
        assert "is at least 0" in reason["rule"]
        assert [reason["column"] for reason in entries[2][4]] == ["id", "amount"]
        assert entries[1][5] == order(3, amount="-1")

    def test_a_record_that_could_not_be_read(self, destination: Destination) -> None:
        feed = Feed({"a": orders(1, 2), "b": []})

        def extract(connection: Feed, partition: Partition) -> Any:
            yield from feed.extract(connection, partition)
            partition.reject(9, "has 3 fields instead of 4", "a;b\x00;c")

        resource = feed.resource(load_as("merge"), extract=extract)
        assert run(destination, resource, "r") == Counts(read=4, loaded=2, quarantined=2)
        assert quarantined(destination, "source_file", "source_row", "reasons", "payload") == [
            (file, 9, [{"rule": "has 3 fields instead of 4"}], "a;b\x00;c") for file in "ab"
        ]

    def test_a_file_read_anew_supersedes_its_entries(self, destination: Destination) -> None:
        bad = order(9, amount="-1")
        feed = Feed({"a": [bad], "b": [bad]})
        resource = feed.resource(load_as("merge"))
        run(destination, resource, "one")
        feed.files = {"a": orders(9)}
        run(destination, resource, "two")
        entries = quarantined(destination, "source_file", "superseded_by")
        assert entries == [("a", "two"), ("b", None)]

    @pytest.mark.parametrize("disposition", DISPOSITIONS)
    def test_a_run_read_anew_supersedes_its_entries(
        self, destination: Destination, disposition: str
    ) -> None:
        """Also where there are no files, and whatever became of its attempts."""
        table = orders_table(key=disposition != "append", files=False)
        feed = Feed({"": [order(1), order(9, amount="-1")]})

        def partitions(feed: Feed, window: Window) -> list[Partition]:
            return [Partition(0, window, detail={"file": ""})]

        def extract(feed: Feed, partition: Partition) -> Any:
            assert partition.detail == {"file": ""}
            yield from feed.extract(feed, Partition(0, partition.window, file=""))

        resource = feed.resource(
            load_as(disposition, table), partitions=partitions, extract=extract
        )

        def fail(file: str, batch: int) -> None:
            if batch == 1:
                raise RuntimeError("broken off")

        feed.files, feed.on_batch = {"": [*feed.files[""], order(2)]}, fail
        with pytest.raises(RuntimeError):
            run(destination, resource, "failed")
        feed.on_batch = lambda file, batch: None
        for name in ("one", "one"):
            run(destination, resource, name)
        entries = quarantined(destination, "run_id", "attempt", "superseded_by")
        assert entries == [("failed", 1, "one"), ("one", 1, "one"), ("one", 2, None)]

    def test_tries_that_lost_leave_no_entry(self, destination: Destination) -> None:
        feed = Feed({"a": [order(1, amount="-1"), order(2), order(3)]})
        resource = feed.resource(load_as("merge"))
        broken = iter([ConnectionResetError("reset"), None])

        def break_once(file: str, batch: int) -> None:
            if batch == 1 and (error := next(broken)):
                raise error

        feed.on_batch = break_once
        assert run(destination, resource, "r") == Counts(read=3, loaded=2, quarantined=1)
        assert quarantined(destination, "source_row", "try") == [(1, 2)]

    def test_no_more_is_kept_than_helps(
        self, destination: Destination, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("runtime.write.KEPT_REJECTS", 3)
        bad = [order(n, amount="-1") for n in range(9)]
        resource = Feed({"a": bad, "b": bad}).resource(load_as("merge"))
        assert run(destination, resource, "r") == Counts(read=18, quarantined=18)
        assert len(quarantined(destination)) == 6

    def test_a_row_that_only_the_server_refuses(self, destination: Destination) -> None:
        """It is found by halving, in binary: the others of its batch are kept."""
        table = Table(
            "events",
            MetaData(schema="shop"),
            Column("id", Integer, primary_key=True, autoincrement=False),
            Column("data", JSONB),
            *file_lineage(),
        )
        records = [{"id": str(n), "data": json.dumps({"n": n})} for n in range(50)]
        # JSON to the client; but in jsonb numbers end somewhere.
        records[7]["data"], records[30]["data"] = "1e200000", "[-1e131073]"
        feed = Feed({})

        def extract(feed: Feed, partition: Partition) -> Any:
            yield pd.DataFrame(
                {
                    name: pd.arrays.ArrowExtensionArray(pa.array([r[name] for r in records]))
                    for name in ("id", "data")
                },
                index=range(1, 51),
            )

        resource = feed.resource(Merge(table), partitions=one_partition, extract=extract)
        counts = run(destination, resource, "r")
        assert counts == Counts(read=50, loaded=48, quarantined=2)
        assert sorted(quarantined(destination, "source_row")) == [(8,), (31,)]
        reasons = [why for (why,) in quarantined(destination, "reasons")]
        assert all("is refused by PostgreSQL: " in reason["rule"] for (reason,) in reasons)
        assert ids(destination, table) == [n for n in range(50) if n not in (7, 30)]

    def test_a_row_that_only_the_server_refuses_as_text(self, destination: Destination) -> None:
        """A type without a binary route: the server itself reads the text."""
        table = Table(
            "events",
            MetaData(schema="shop"),
            Column("id", Integer, primary_key=True, autoincrement=False),
            Column("name", String(5)),
            Column("note", Text),
            *file_lineage(),
        )
        rows = [
            ("1", "short", ""),
            ("2", "too long", "x"),
            ("3", None, 'q"u\no,te'),
            ("4", "", None),
        ]
        feed = Feed({"a": [dict(zip(("id", "name", "note"), row, strict=True)) for row in rows]})
        resource = feed.resource(Merge(table))
        assert run(destination, resource, "r") == Counts(read=4, loaded=3, quarantined=1)
        assert contents(destination, table, "id", "name", "note") == [
            (1, "short", ""),
            (3, None, 'q"u\no,te'),
            (4, "", None),
        ]


def one_partition(feed: Feed, window: Window) -> list[Partition]:
    return [Partition(0, window, file="f")]


class TestTarget:
    """A table that is there already fits the code, is extended, or is an error at plan."""

    def load_after(self, destination: Destination, ddl: str, load: Load | None = None) -> Counts:
        with destination.transaction() as connection:
            connection.execute(text("CREATE SCHEMA shop"))
            connection.execute(text(ddl))
        resource = Feed({"a": orders(1, 2)}).resource(load or load_as("merge"))
        return run(destination, resource, "r")

    FITS = (
        "id bigint PRIMARY KEY, amount numeric(12,2), note text, updated_at timestamptz,"
        " _run_id text, _loaded_at timestamptz, _source_file text, _source_row bigint"
    )

    def test_a_column_is_added(self, destination: Destination) -> None:
        counts = self.load_after(destination, f"CREATE TABLE shop.orders ({self.FITS})")
        assert counts.loaded == 2
        with destination.transaction() as connection:
            columns = inspect(connection).get_columns("orders", "shop")
        assert columns[-1]["name"] == EXTRA

    @pytest.mark.parametrize("name", ["a%b", "a:b", '"q"', "%s", "%(a)s", "é b"])
    def test_a_column_of_any_name_is_added(self, destination: Destination, name: str) -> None:
        feed = Feed({"a": [order(1)]})
        run(destination, feed.resource(load_as("merge")), "one")
        table = orders_table()
        table.append_column(Column(name, Text))
        feed.files = {"a": [order(1) | {name: "x"}]}
        assert run(destination, feed.resource(load_as("merge", table)), "two").loaded == 1
        assert contents(destination, table, name) == [("x",)]

    @pytest.mark.parametrize(
        ("ddl", "message"),
        [
            (
                FITS.replace("numeric(12,2)", "numeric(10,2)"),
                r"amount is numeric\(10,2\) in the database and numeric\(12,2\) in the code",
            ),
            (FITS.replace("timestamptz", "timestamp", 1), "updated_at is timestamp without"),
            (FITS.replace("PRIMARY KEY", ""), r"no primary key or unique constraint on \(id\)"),
            (FITS.replace(" _run_id text,", ""), "no column '_run_id', and the code says"),
        ],
        ids=["precision", "time zone", "key", "lineage"],
    )
    def test_what_a_person_must_decide(
        self, destination: Destination, ddl: str, message: str
    ) -> None:
        with pytest.raises(ContractError, match=message) as refused:
            self.load_after(destination, f"CREATE TABLE shop.orders ({ddl})")
        assert "\n  " in str(refused.value)
        with destination.transaction() as connection:
            assert connection.execute(select(ledger.attempts)).all() == []

    @pytest.mark.parametrize("key", ["UNIQUE (id)", "CONSTRAINT own PRIMARY KEY (id)"])
    @pytest.mark.parametrize("disposition", DISPOSITIONS)
    def test_a_table_of_somebody_s_with_more_to_it(
        self, destination: Destination, disposition: str, key: str
    ) -> None:
        """More columns, of types that we don't know, a collation, a view upon it."""
        columns = self.FITS.replace(" PRIMARY KEY", " NOT NULL").replace(
            "note text", 'note text COLLATE "C", dropped int'
        )
        more = "found tsvector, span int4range, place point, tags text[], kind mood DEFAULT 'ok'"
        counts = self.load_after(
            destination,
            f"CREATE TYPE mood AS ENUM ('ok', 'bad');"
            f"CREATE TABLE shop.orders ({columns}, {more}, {key});"
            "ALTER TABLE shop.orders DROP dropped;"
            "CREATE VIEW shop.seen AS SELECT * FROM shop.orders;",
            load_as(disposition, orders_table()),
        )
        assert counts.loaded == 2
        with destination.transaction() as connection:
            seen = connection.execute(text("SELECT id, kind FROM shop.seen ORDER BY id")).all()
        assert seen == [(1, "ok"), (2, "ok")]

    def test_each_type_is_recognised(self, destination: Destination) -> None:
        """Planning again over one's own table finds nothing to do."""
        kinds = [Text(), Boolean(), SmallInteger(), Integer(), BigInteger(), Numeric(12, 2)]
        kinds += [Double(), Date(), Time(), TIMESTAMP(), TIMESTAMP(timezone=True), Uuid()]
        kinds += [JSONB(), LargeBinary(), String(7), Numeric(38, 38), ARRAY(Text)]
        columns = [Column(f"c{n}", kind) for n, kind in enumerate(kinds)]
        table = Table("kinds", MetaData(schema="shop"), *columns)
        with destination.transaction() as connection:
            create_schema(connection, "shop")
            table.create(connection)
            actual = column_types(connection, "shop", "kinds")
        assert actual == {column.name: declared_type(column) for column in columns}


class TestTransform:
    """What a team's own transform may and may not do."""

    @pytest.mark.parametrize(
        "change",
        [
            lambda rows: rows.reset_index(drop=True),
            lambda rows: pd.concat([rows, rows]),
            lambda rows: rows.set_axis([7] * len(rows)),
        ],
        ids=["reset_index", "concat", "set_index"],
    )
    def test_the_index_must_stay(self, destination: Destination, change: Any) -> None:
        feed = Feed({"a": orders(1, 2)})
        plain = feed.resource(load_as("merge"))

        def transform(raw: pd.DataFrame, problems: Problems) -> pd.DataFrame:
            rows: pd.DataFrame = change(plain.transform(raw, problems))
            return rows

        resource = feed.resource(plain.load, transform=transform)
        with pytest.raises(ContractError, match="must keep the index"):
            run(destination, resource, "r")
        assert staging_tables(destination) == []

    def test_it_ends_with_conform(self, destination: Destination) -> None:
        feed = Feed({"a": orders(1, 2)})
        resource = feed.resource(
            load_as("merge"),
            transform=lambda raw, problems: raw,
            check=lambda rows, problems: None,
        )
        with pytest.raises(ContractError, match=r"must end with conform\(\)"):
            run(destination, resource, "r")

    @pytest.mark.parametrize("disposition", DISPOSITIONS)
    def test_it_may_sort_and_filter(self, destination: Destination, disposition: str) -> None:
        feed = Feed({"a": orders(1, 2, 3, 4)})
        plain = feed.resource(load_as(disposition))

        def transform(raw: pd.DataFrame, problems: Problems) -> pd.DataFrame:
            rows = plain.transform(raw, problems)
            return rows[rows["id"] != 3].sort_values("id", ascending=False)

        resource = feed.resource(plain.load, transform=transform)
        assert run(destination, resource, "r") == Counts(read=4, loaded=3, filtered=1)
        rows = contents(destination, plain.load.table, "id", "_source_row")
        assert rows == [(1, 1), (2, 2), (4, 4)]

    def test_a_row_with_a_problem_may_be_dropped_too(self, destination: Destination) -> None:
        feed = Feed({"a": orders(1, 2)})
        plain = feed.resource(load_as("merge"))

        def transform(raw: pd.DataFrame, problems: Problems) -> pd.DataFrame:
            rows = plain.transform(raw, problems)
            problems.add("note", "is odd", rows["note"][rows["id"] == 1])
            return rows[rows["id"] == 2]

        resource = feed.resource(plain.load, transform=transform)
        assert run(destination, resource, "r") == Counts(read=2, loaded=1, quarantined=1)


HOSTILE_TABLES = ['users"; DROP TABLE users; --', "a%b", "a:b", "%s", "日本語", "select"]
HOSTILE_COLUMNS = [
    "a');SELECT pg_sleep(5);--",
    *["a b", "a-b", "a.b", "a%b", "a:b", "a(b)", "%s", ":x", "100%", "?", "é", "日本語", "🙂"],
    *['"q"', "`t`", "[z]", "%(a)s", "a\\b", "a'b", "A b", "user", "one", "distinct", "excluded"],
    *["{x}", "$1", "a%%b", "a::b", "written", "rows", "x" * 63],
]


@pytest.mark.parametrize("name", HOSTILE_TABLES)
@pytest.mark.parametrize("disposition", DISPOSITIONS)
def test_identifiers_are_only_names(destination: Destination, disposition: str, name: str) -> None:
    """I09, I10, I11: in DDL, COPY, staging, merge and the index."""
    with destination.transaction() as connection:
        connection.execute(text("CREATE TABLE users (id int)"))
    table = Table(
        name,
        MetaData(schema='s"h%o:p'),
        Column("id%", BigInteger, primary_key=disposition != "append", autoincrement=False),
        *(Column(column, Text) for column in HOSTILE_COLUMNS),
        Column("a%t:", TIMESTAMP(timezone=True)),
        *file_lineage(),
    )
    load: Load = {
        "append": Append(table),
        "replace": Replace(table),
        "merge": Merge(table, cursor="a%t:"),
    }[disposition]
    rows = [
        {"id%": str(n), "a%t:": f"2026-01-0{n}"} | {c: f"{c}{n}" for c in HOSTILE_COLUMNS}
        for n in (1, 2, 3)
    ]
    feed = Feed({"it's 100%s:x.csv": rows})
    resource = feed.resource(load)
    for number in (1, 2):
        counts = run(destination, resource, f"r'{number}%s:x")
        assert counts.loaded + counts.unchanged == 3
    for column in HOSTILE_COLUMNS:
        with destination.transaction() as connection:
            found = connection.execute(select(table.c[column])).scalars().all()
        assert sorted(found) == [f"{column}{n}" for n in (1, 2, 3)]
    with destination.transaction() as connection:
        names = set(inspect(connection).get_table_names("public"))
        columns = [c["name"] for c in inspect(connection).get_columns(name, table.schema)]
    assert names == {"users"}
    assert set(columns) - set(LINEAGE) - {EXTRA, "id%", "a%t:"} == set(HOSTILE_COLUMNS)


def test_long_names_of_tables_do_not_collide(destination: Destination) -> None:
    """Each of 63 bytes, and different only at the end: their indexes have names of their own."""
    for end in "ab":
        table = orders_table("t" * 62 + end, key=False)
        assert run(destination, Feed({"a": orders(1)}).resource(Append(table)), end).loaded == 1


def test_a_hostile_work_schema(database: str) -> None:
    destination = connect(postgresql_url(database), 'w"% :x', "tests")
    feed = Feed({"a": orders(1)})
    resource = feed.resource(load_as("merge"))
    for name in ("one", "two"):
        loading.plan(destination, resource, name, take_over=True)
        assert run(destination, resource, name, *[]).read == 1
    destination.engine.dispose()
