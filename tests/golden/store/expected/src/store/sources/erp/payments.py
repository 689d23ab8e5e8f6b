"""erp payments → store.payments"""

from collections.abc import Iterator, Sequence

import pandas as pd
from sqlalchemy import BigInteger, Column, Integer, Numeric, Table

from store.destination import metadata
from store.runtime.conform import conform
from store.runtime.endpoints import Endpoint
from store.runtime.http import Api
from store.runtime.keys import KeysOf
from store.runtime.problems import Problems
from store.runtime.resource import Merge, Partition, Window, lineage

TABLE = Table(
    "payments",
    metadata,
    Column("order_id", BigInteger, primary_key=True, autoincrement=False),
    Column("payment_no", Integer, primary_key=True, autoincrement=False),
    Column("amount", Numeric(12, 2), nullable=False),
    *lineage(),
)

ENDPOINT = Endpoint(
    "/orders/{order}/payments",
    columns=["{order}", "no", "amount"],
    in_flight=8,
    skip_missing=True,
)

# What the names in the path stand for.
EACH = {"order": KeysOf("orders", "order_id")}


def partitions(api: Api, window: Window) -> Sequence[Partition]:
    """The parts of the endpoint that are read on their own."""
    return ENDPOINT.partitions(api, window)


def extract(api: Api, partition: Partition) -> Iterator[pd.DataFrame]:
    """The records of all pages in batches, each cell as text."""
    return ENDPOINT.read(api, partition)


def transform(raw: pd.DataFrame, problems: Problems) -> pd.DataFrame:
    """Raw records in, columns named and typed as in `TABLE` out; the index stays."""
    rows = raw.rename(columns={"{order}": "order_id", "no": "payment_no"})
    return conform(rows, TABLE, problems)


def check(rows: pd.DataFrame, problems: Problems) -> None:
    """Types and required columns are all that is asked of a row so far."""


LOAD = Merge(TABLE)
