"""crm events → crm.events"""

from collections.abc import Iterator, Sequence

import pandas as pd
from sqlalchemy import TIMESTAMP, BigInteger, Column, LargeBinary, Table

from crm_etl.destination import metadata
from crm_etl.runtime.conform import conform
from crm_etl.runtime.problems import Problems
from crm_etl.runtime.resource import Append, Partition, Window, lineage
from crm_etl.runtime.sql_bounds import ByKey
from crm_etl.runtime.sql_database import Database
from crm_etl.runtime.sql_rows import TableRows

TABLE = Table(
    "events",
    metadata,
    Column("id", BigInteger, nullable=False),
    Column("at", TIMESTAMP),
    Column("payload", LargeBinary),
    *lineage(),
)

ROWS = TableRows(
    "event log",
    columns=["id", "at", "payload"],
    cursor="id",
    split=ByKey("id", rows=500000),
)


def partitions(database: Database, window: Window) -> Sequence[Partition]:
    """The rows within the window, in parts that are read on their own."""
    return ROWS.partitions(database, window)


def extract(database: Database, partition: Partition) -> Iterator[pd.DataFrame]:
    """The rows in batches, as they are at one moment, each cell as text."""
    return ROWS.read(database, partition)


def transform(raw: pd.DataFrame, problems: Problems) -> pd.DataFrame:
    """Raw records in, columns named and typed as in `TABLE` out; the index stays."""
    return conform(raw, TABLE, problems)


def check(rows: pd.DataFrame, problems: Problems) -> None:
    """Types and required columns are all that is asked of a row so far."""


LOAD = Append(TABLE, cursor="id")
