"""crm monthly_sales → crm.monthly_sales"""

from collections.abc import Iterator, Sequence

import pandas as pd
from sqlalchemy import Column, Date, Numeric, Table

from crm_etl.destination import metadata
from crm_etl.runtime.conform import conform
from crm_etl.runtime.problems import Problems
from crm_etl.runtime.resource import Merge, Partition, Window, lineage
from crm_etl.runtime.sql_database import Database
from crm_etl.runtime.sql_rows import QueryRows

TABLE = Table(
    "monthly_sales",
    metadata,
    Column("month", Date, primary_key=True),
    Column("total", Numeric(14, 2)),
    *lineage(),
)

ROWS = QueryRows(
    """SELECT date_trunc('month', ordered_at)::date AS month, sum(total) AS total
FROM sales.orders
WHERE status <> 'cancelled'
GROUP BY 1""",
    columns=["month", "total"],
    order_by=["month"],
)


def partitions(database: Database, window: Window) -> Sequence[Partition]:
    """The rows within the window are read as a whole."""
    return ROWS.partitions(database, window)


def extract(database: Database, partition: Partition) -> Iterator[pd.DataFrame]:
    """The rows in batches, as they are at one moment, each cell as text."""
    return ROWS.read(database, partition)


def transform(raw: pd.DataFrame, problems: Problems) -> pd.DataFrame:
    """Raw records in, columns named and typed as in `TABLE` out; the index stays."""
    return conform(raw, TABLE, problems)


def check(rows: pd.DataFrame, problems: Problems) -> None:
    """What each row must satisfy; one that does not goes to quarantine with the reason."""
    problems.require("total", "is at least 0", rows["total"] >= 0)


LOAD = Merge(TABLE)
