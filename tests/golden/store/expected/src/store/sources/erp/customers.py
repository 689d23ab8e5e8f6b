"""erp customers → store.customers"""

from collections.abc import Iterator, Sequence

import pandas as pd
from sqlalchemy import Column, Table, Text, Uuid

from store.destination import metadata
from store.runtime.conform import conform
from store.runtime.endpoints import Endpoint
from store.runtime.http import Api
from store.runtime.pages import Linked
from store.runtime.problems import Problems
from store.runtime.resource import Partition, Replace, Window, lineage

TABLE = Table(
    "customers",
    metadata,
    Column("id", Uuid, nullable=False),
    Column("name", Text),
    *lineage(),
)

ENDPOINT = Endpoint("/customers", columns=["id", "name"], pages=Linked())


def partitions(api: Api, window: Window) -> Sequence[Partition]:
    """The endpoint is read as a whole."""
    return ENDPOINT.partitions(api, window)


def extract(api: Api, partition: Partition) -> Iterator[pd.DataFrame]:
    """The records of all pages in batches, each cell as text."""
    return ENDPOINT.read(api, partition)


def transform(raw: pd.DataFrame, problems: Problems) -> pd.DataFrame:
    """Raw records in, columns named and typed as in `TABLE` out; the index stays."""
    return conform(raw, TABLE, problems)


def check(rows: pd.DataFrame, problems: Problems) -> None:
    """Types and required columns are all that is asked of a row so far."""


LOAD = Replace(TABLE)
