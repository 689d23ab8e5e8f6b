"""The source's server goes away in mid-read: what was read of it never counts (F33)."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import BigInteger, Column, MetaData, NullPool, Table, Text, create_engine, text

from runtime import embedded, loading, sql_copy
from runtime.conform import conform
from runtime.connect import Destination
from runtime.errors import RetryableError
from runtime.problems import Problems
from runtime.resource import Partition, Replace, Resource, lineage
from runtime.sql_database import Database
from runtime.sql_rows import TableRows

pytestmark = pytest.mark.slow
ROWS = 200_000
NOTES = TableRows("notes", columns=["id", "note"], order_by=["id"])


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Path]:
    """A PostgreSQL of this test's own, with a table that no buffer on the way can hold."""
    data = tmp_path / "source"
    engine = create_engine(embedded.start(data), poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(
            text(
                "CREATE TABLE notes AS SELECT id, repeat('x', 200) AS note"
                f" FROM generate_series(1, {ROWS}) AS id"
            )
        )
    yield data
    embedded.stop(data)


def test_a_server_that_stops_in_mid_read_ends_the_read(
    server: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql_copy, "BATCH_BYTES", 100_000)
    reading = NOTES.read(Database.at(embedded.start(server)), Partition())
    next(reading)
    embedded.stop(server)
    with pytest.raises(RetryableError, match="the source database says"):
        list(reading)


def test_a_server_that_restarts_in_mid_read_is_read_again_as_a_whole(
    server: Path, destination: Destination, no_waiting: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql_copy, "BATCH_BYTES", 100_000)
    table = Table(
        "notes",
        MetaData(schema="shop"),
        Column("id", BigInteger, primary_key=True, autoincrement=False),
        Column("note", Text),
        *lineage(),
    )
    reads = []

    def extract(database: Database, partition: Partition) -> Iterator[pd.DataFrame]:
        reads.append(0)
        for batch in NOTES.read(database, partition):
            yield batch
            reads[-1] += len(batch)
            if len(reads) == 1 and reads[0] > ROWS / 10:
                embedded.stop(server)
                embedded.start(server)

    def transform(raw: pd.DataFrame, problems: Problems) -> pd.DataFrame:
        return conform(raw, table, problems)

    resource = Resource(
        "crm.notes",
        Replace(table),
        connect=lambda: Database.at(embedded.start(server)),
        partitions=NOTES.partitions,
        extract=extract,
        transform=transform,
        check=lambda rows, problems: None,
    )
    counts = loading.load(destination, resource, "run")

    assert (counts.read, counts.loaded) == (ROWS, ROWS)
    assert len(reads) == 2
    assert ROWS / 10 < reads[0] < ROWS == reads[1]
    with destination.transaction() as connection:
        found = connection.execute(
            text("SELECT count(*), count(DISTINCT id), sum(length(note)) FROM shop.notes")
        ).one()
    assert tuple(found) == (ROWS, ROWS, 200 * ROWS)
