"""A source that changes between loads: nothing is skipped, nothing comes twice (F34, F35)."""

from typing import Any

import pandas as pd
import pytest
from sqlalchemy import TIMESTAMP, BigInteger, Column, MetaData, NullPool, Table, create_engine, text

from runtime import loading, sql_copy, sql_fetch, sql_sqlite
from runtime.conform import conform
from runtime.connect import Destination
from runtime.problems import Problems
from runtime.resource import Merge, Resource, lineage
from runtime.sql_database import Database
from runtime.sql_rows import TableRows

pytestmark = pytest.mark.slow
TABLE = Table(
    "visits",
    MetaData(schema="shop"),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("at", TIMESTAMP(timezone=True)),
    *lineage(),
)


def change(url: str, *statements: str) -> None:
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def visits(url: str, *rows: str) -> Resource:
    """A resource that goes on from `at`, over a table with these rows."""
    change(url, "CREATE TABLE visits (id INT PRIMARY KEY, at VARCHAR(19) NOT NULL)")
    if not url.startswith("sqlite"):
        change(url, "DROP TABLE visits", "CREATE TABLE visits (id INT PRIMARY KEY, at TIMESTAMP)")
    if rows:
        change(url, f"INSERT INTO visits VALUES {', '.join(rows)}")
    read = TableRows("visits", columns=["id", "at"], order_by=["id"], cursor="at")

    def transform(raw: pd.DataFrame, problems: Problems) -> pd.DataFrame:
        return conform(raw, TABLE, problems)

    return Resource(
        "crm.visits",
        Merge(TABLE, cursor="at"),
        connect=lambda: Database.at(url),
        partitions=read.partitions,
        extract=read.read,
        transform=transform,
        check=lambda rows, problems: None,
    )


def ids(destination: Destination) -> list[Any]:
    with destination.transaction() as connection:
        return list(connection.execute(text("SELECT id FROM shop.visits ORDER BY id")).scalars())


def test_a_row_with_the_newest_value_of_before_is_still_found(
    source_url: str, destination: Destination
) -> None:
    resource = visits(source_url, "(1, '2026-01-01 10:00:00')", "(2, '2026-01-02 10:00:00')")
    loading.load(destination, resource, "one")
    change(source_url, "INSERT INTO visits VALUES (3, '2026-01-02 10:00:00')")

    counts = loading.load(destination, resource, "two")

    assert (counts.read, counts.loaded, counts.unchanged) == (2, 1, 1)
    assert ids(destination) == [1, 2, 3]
    again = loading.load(destination, resource, "three")
    assert (again.read, again.loaded) == (2, 0)


def test_a_row_from_the_future_hides_none_that_comes_after_it(
    source_url: str, destination: Destination
) -> None:
    resource = visits(source_url, "(1, '2026-01-01 10:00:00')", "(2, '2037-01-01 00:00:00')")
    loading.load(destination, resource, "one")
    change(source_url, "INSERT INTO visits VALUES (3, '2026-01-03 10:00:00')")
    loading.load(destination, resource, "two")
    assert ids(destination) == [1, 2, 3]


def test_changes_in_mid_read_come_with_the_next_load(
    source_url: str, destination: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    if source_url.startswith("sqlite"):
        pytest.skip("SQLite locks writers out while it is read")
    monkeypatch.setattr(sql_copy, "BATCH_BYTES", 1_000)
    for module in (sql_fetch, sql_sqlite):
        monkeypatch.setattr(module, "FIRST_ROWS", 10)
    monkeypatch.setattr(sql_fetch, "BATCH_BYTES", 1_000)
    rows = [f"({n}, '2026-01-01 {n // 60 % 24:02}:{n % 60:02}:00')" for n in range(1, 1001)]
    resource = visits(source_url, *rows)
    seen = 0

    def transform(raw: pd.DataFrame, problems: Problems) -> pd.DataFrame:
        nonlocal seen
        seen += 1
        if seen in (2, 4, 6):  # behind and ahead of what is being read
            change(
                source_url,
                f"UPDATE visits SET at = '2026-02-0{seen} 00:00:00' WHERE id IN ({seen}, 99{seen})",
                f"INSERT INTO visits VALUES ({2000 + seen}, '2026-02-01 00:00:00')",
            )
        return conform(raw, TABLE, problems)

    changing = Resource(**{**vars(resource), "transform": transform})
    first = loading.load(destination, changing, "one")
    assert seen > 6
    assert (first.read, first.loaded) == (1000, 1000)

    second = loading.load(destination, resource, "two")
    assert second.loaded == 9
    assert ids(destination) == [*range(1, 1001), 2002, 2004, 2006]
