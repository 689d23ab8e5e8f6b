"""erp orders → store.orders"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import pandas as pd
from sqlalchemy import TIMESTAMP, BigInteger, Column, Integer, Numeric, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from store.destination import metadata
from store.runtime.children import child_key, each
from store.runtime.conform import conform
from store.runtime.endpoints import Endpoint, Query
from store.runtime.http import Api
from store.runtime.pages import PageNumber
from store.runtime.problems import Problems
from store.runtime.resource import Child, Merge, Partition, Window, lineage

TABLE = Table(
    "orders",
    metadata,
    Column("order_id", BigInteger, primary_key=True, autoincrement=False),
    Column("city", Text),
    Column("total", Numeric(12, 2)),
    Column("lines", JSONB),
    Column("updated_at", TIMESTAMP(timezone=True), nullable=False),
    *lineage(),
)

LINES_TABLE = Table(
    "order_lines",
    metadata,
    *child_key(TABLE),
    Column("sku", Text, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("price", Numeric(12, 2)),
    *lineage(),
)

ENDPOINT = Endpoint(
    "/orders",
    columns=["id", "shipping.address.city", "total", "lines", "updated_at"],
    records="$.data[*]",
    pages=PageNumber(
        size=200, size_param="per_page", total="$.meta.total", in_flight=8
    ),
    params={"expand": "lines"},
    documents=["lines"],
    cursor="updated_at",
    since=Query("updated_since"),
)


def partitions(api: Api, window: Window) -> Sequence[Partition]:
    """The endpoint is read as a whole."""
    return ENDPOINT.partitions(api, window)


def extract(api: Api, partition: Partition) -> Iterator[pd.DataFrame]:
    """The records of all pages in batches, each cell as text."""
    return ENDPOINT.read(api, partition)


def transform(raw: pd.DataFrame, problems: Problems) -> pd.DataFrame:
    """Raw records in, columns named and typed as in `TABLE` out; the index stays."""
    rows = raw.rename(columns={"id": "order_id", "shipping.address.city": "city"})
    rows["city"] = rows["city"].str.strip()
    rows["lines"] = each(rows["lines"], LINES, problems)
    return conform(rows, TABLE, problems)


def check(rows: pd.DataFrame, problems: Problems) -> None:
    """What each row must satisfy; one that does not goes to quarantine with the reason."""
    problems.require("total", "is at least 0", rows["total"] >= 0)


def transform_lines(raw: pd.DataFrame, problems: Problems) -> pd.DataFrame:
    """Elements of `lines` in, columns as in `LINES_TABLE` out."""
    rows = raw.rename(columns={"product.sku": "sku"})
    rows["sku"] = rows["sku"].str.strip().str.upper()
    return conform(rows, LINES_TABLE, problems)


def check_lines(rows: pd.DataFrame, problems: Problems) -> None:
    """What each element must satisfy; what holds one that does not is set aside as a whole."""
    problems.require("quantity", "is at least 1", rows["quantity"] >= 1)


LINES = Child(
    LINES_TABLE,
    "lines",
    keys=["product.sku", "quantity", "price"],
    transform=transform_lines,
    check=check_lines,
)


LOAD = Merge(
    TABLE, cursor="updated_at", lookback=timedelta(minutes=5), children=[LINES]
)
