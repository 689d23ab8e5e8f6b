"""crm customers → crm.customers"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pandas as pd
from sqlalchemy import TIMESTAMP, BigInteger, Column, Numeric, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from crm_etl.destination import metadata
from crm_etl.runtime.conform import conform
from crm_etl.runtime.convert import to_timestamp
from crm_etl.runtime.problems import Problems
from crm_etl.runtime.resource import Merge, Partition, Window, lineage
from crm_etl.runtime.sql_database import Database
from crm_etl.runtime.sql_rows import TableRows

TABLE = Table(
    "customers",
    metadata,
    Column("customer_id", BigInteger, primary_key=True, autoincrement=False),
    Column("email", Text),
    Column("credit", Numeric(12, 2)),
    Column("tags", JSONB),
    Column("updated_at", TIMESTAMP(timezone=True), nullable=False),
    *lineage(),
)

ROWS = TableRows(
    "customers",
    columns=["customer_id", "email", "creditLimit", "tags", "updated_at"],
    order_by=["customer_id"],
    cursor="updated_at",
    timezone="Europe/Berlin",
)


def partitions(database: Database, window: Window) -> Sequence[Partition]:
    """The rows within the window are read as a whole."""
    return ROWS.partitions(database, window)


def extract(database: Database, partition: Partition) -> Iterator[pd.DataFrame]:
    """The rows in batches, as they are at one moment, each cell as text."""
    return ROWS.read(database, partition)


def transform(raw: pd.DataFrame, problems: Problems) -> pd.DataFrame:
    """Raw records in, columns named and typed as in `TABLE` out; the index stays."""
    rows = raw.rename(columns={"creditLimit": "credit"})
    rows["email"] = rows["email"].str.strip().str.lower()
    rows["updated_at"] = to_timestamp(
        rows["updated_at"], problems, timezone="Europe/Berlin"
    )
    return conform(rows, TABLE, problems)


def check(rows: pd.DataFrame, problems: Problems) -> None:
    """What each row must satisfy; one that does not goes to quarantine with the reason."""
    problems.require(
        "email",
        "looks like an e-mail address",
        rows["email"].str.fullmatch(r"[^@\s]+@[^@\s]+"),
    )


LOAD = Merge(
    TABLE,
    cursor="updated_at",
    initial_value=datetime(2020, 1, 1, 0, 0, tzinfo=UTC),
    lookback=timedelta(minutes=5),
)
