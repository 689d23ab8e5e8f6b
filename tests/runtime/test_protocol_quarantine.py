"""Quarantine: what an entry says, and what becomes of it when its rows are read anew."""

import json
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from sqlalchemy import (
    Column,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

from runtime.connect import Destination
from runtime.publish import Counts
from runtime.resource import (
    Merge,
    Partition,
    Window,
    file_lineage,
)
from tests.runtime.feed import (
    DISPOSITIONS,
    Feed,
    contents,
    ids,
    load_as,
    order,
    orders,
    orders_table,
    quarantined,
    run,
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
