"""What append, replace and merge do to the table, the cursor and the ledger."""

from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import (
    TIMESTAMP,
    BigInteger,
    Column,
    Date,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
    Uuid,
    inspect,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from runtime.connect import Destination
from runtime.errors import ContractError
from runtime.problems import Problems
from runtime.publish import Counts
from runtime.resource import (
    EXTRA,
    Append,
    Merge,
    Resource,
    Window,
    lineage,
)
from tests.runtime.feed import (
    DISPOSITIONS,
    Feed,
    contents,
    cursor,
    day,
    ids,
    load_as,
    order,
    orders,
    orders_table,
    quarantined,
    run,
    staging_tables,
)

pytestmark = pytest.mark.slow

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
