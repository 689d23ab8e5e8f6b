"""A small resource whose rows stand in the test: files of text records that a test can change."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pyarrow as pa
from sqlalchemy import TIMESTAMP, BigInteger, Column, MetaData, Numeric, Table, Text, select, text

from runtime import ledger, loading
from runtime.attempts import Attempt
from runtime.columns import arrow_frame
from runtime.conform import conform
from runtime.connect import Destination
from runtime.loading import plan
from runtime.problems import Problems
from runtime.publish import COUNTS, Counts
from runtime.resource import (
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

Record = dict[str, str | None]
DISPOSITIONS = ("append", "replace", "merge")


def order(
    id: int | str | None, amount: str | None = "1.00", note: str | None = "", at: str | None = "1"
) -> Record:
    """One record as it stands in a file; `at` is a day of January 2026, or a whole timestamp."""
    day = at if at is None or "-" in at else f"2026-01-{int(at):02}T00:00:00Z"
    return {
        "id": None if id is None else str(id),
        "amount": amount,
        "note": note,
        "updated_at": day,
    }


def orders(*ids: int, **values: str | None) -> list[Record]:
    """Several of them that differ in their id alone."""
    return [order(id, **values) for id in ids]


@dataclass
class Feed:
    """Files by name, each a list of records; they are read in batches of two.

    `on_batch` is called before each batch is given, with the file's name and the batch's number.
    """

    files: Mapping[str, Sequence[Record]]
    on_batch: Callable[[str, int], None] = lambda file, batch: None
    windows: list[Window] = field(default_factory=list)

    def partitions(self, feed: "Feed", window: Window) -> list[Partition]:
        """One for each file."""
        self.windows.append(window)
        return [Partition(n, window, file=name) for n, name in enumerate(self.files)]

    def extract(self, feed: "Feed", partition: Partition) -> Iterator[pd.DataFrame]:
        """The records of a file as text, indexed from 1."""
        records = self.files[str(partition.file)]
        for start in range(0, len(records), 2):
            self.on_batch(str(partition.file), start // 2)
            batch = records[start : start + 2]
            names = list(dict.fromkeys(name for record in batch for name in record))
            yield arrow_frame(
                [(name, pa.array([r.get(name) for r in batch], pa.string())) for name in names],
                range(start + 1, start + 1 + len(batch)),
            )

    def resource(self, load: Load, **parts: Any) -> Resource:
        """A resource that reads these files: a negative amount is a problem, 'skip' is filtered."""

        def transform(raw: pd.DataFrame, problems: Problems) -> pd.DataFrame:
            if "note" in raw:
                raw = raw[raw["note"].ne("skip").fillna(True)]
            return conform(raw, load.table, problems)

        def check(rows: pd.DataFrame, problems: Problems) -> None:
            if "amount" in rows:
                problems.require("amount", "is at least 0", rows["amount"] >= 0)

        functions: dict[str, Any] = {
            "connect": lambda: self,
            "partitions": self.partitions,
            "extract": self.extract,
            "transform": transform,
            "check": check,
        }
        return Resource(f"feed.{load.table.name}", load, **functions | parts)


def orders_table(name: str = "orders", *, key: bool = True, files: bool = True) -> Table:
    """The table that `order` fits."""
    return Table(
        name,
        MetaData(schema="shop"),
        Column("id", BigInteger, primary_key=key, nullable=False, autoincrement=False),
        Column("amount", Numeric(12, 2)),
        Column("note", Text),
        Column("updated_at", TIMESTAMP(timezone=True)),
        *(file_lineage() if files else lineage()),
    )


def load_as(disposition: str, table: Table | None = None) -> Load:
    """The disposition by its name; append without a key, merge with a cursor."""
    if disposition == "append":
        return Append(orders_table(key=False) if table is None else table)
    target = orders_table() if table is None else table
    return Replace(target) if disposition == "replace" else Merge(target, cursor="updated_at")


def planned(
    destination: Destination, resource: Resource, run: str = "run", **options: Any
) -> Attempt:
    """Plan a run as a scheduler does: nobody owns it, its lease decides."""
    return plan(destination, resource, run, **options)[0]


def contents(destination: Destination, table: Table, *names: str) -> list[tuple[Any, ...]]:
    """The rows of a table, sorted; [] where there is no table."""
    columns = [table.c[name] for name in names or ("id", "amount", "note", "updated_at")]
    with destination.transaction() as connection:
        quote = connection.dialect.identifier_preparer.format_table
        there = connection.execute(text("SELECT to_regclass(:name)"), {"name": quote(table)})
        if there.scalar() is None:
            return []
        rows = connection.execute(select(*columns)).all()
    return sorted((tuple(row) for row in rows), key=repr)


def ids(destination: Destination, table: Table) -> list[int]:
    """The ids in a table, each as often as it is there."""
    return sorted(row[0] for row in contents(destination, table, "id"))


def ledger_row(destination: Destination, attempt: Attempt) -> Any:
    """What the ledger knows of an attempt."""
    with destination.transaction() as connection:
        query = select(ledger.attempts).where(attempt.rows(ledger.attempts))
        return connection.execute(query).one()


def status(destination: Destination, attempt: Attempt) -> str:
    """The attempt's status."""
    return str(ledger_row(destination, attempt).status)


def cursor(destination: Destination) -> str | None:
    """The only resource's cursor."""
    with destination.transaction() as connection:
        value: str | None = connection.execute(select(ledger.resources.c.cursor)).scalar_one()
    return value


def quarantined(destination: Destination, *names: str) -> list[tuple[Any, ...]]:
    """Quarantine's entries in their order; `superseded_by` and more by name."""
    columns = [ledger.quarantine.c[n] for n in names or ("source_file", "source_row")]
    with destination.transaction() as connection:
        query = select(*columns).order_by(ledger.quarantine.c.id)
        return [tuple(row) for row in connection.execute(query)]


def staging_tables(destination: Destination) -> list[str]:
    """The staging tables that are there."""
    with destination.transaction() as connection:
        query = text(
            "SELECT tablename FROM pg_tables WHERE schemaname = :schema AND tablename ~ '^stage_'"
        )
        found = connection.execute(query, {"schema": destination.work_schema})
        return sorted(found.scalars())


def is_accounted(counts: Counts) -> bool:
    """Whether each row that was read became exactly one thing."""
    became = {name: getattr(counts, name) for name in ledger.ACCOUNTED if name != "read"}
    return counts.read == sum(became.values()) and min(became.values()) >= 0


def day(number: int) -> datetime:
    """A day of January 2026."""
    return datetime(2026, 1, number, tzinfo=UTC)


def run(destination: Destination, resource: Resource, name: str, *window: Any) -> Counts:
    """One load, all of whose counts are right in the ledger too; it leaves no staging table."""
    counts = loading.load(destination, resource, name, *window)
    assert is_accounted(counts)
    with destination.transaction() as connection:
        row = connection.execute(
            select(ledger.attempts)
            .where(ledger.attempts.c.run_id == name)
            .order_by(ledger.attempts.c.generation.desc())
            .limit(1)
        ).one()
    assert {count: getattr(row, count) for count in COUNTS} == vars(counts)
    assert staging_tables(destination) == []
    return counts
