"""machines orders → raw.orders"""

from collections.abc import Iterator, Sequence

import pandas as pd
from sqlalchemy import BigInteger, Column, Date, Table

from exports.destination import metadata
from exports.runtime.conform import conform
from exports.runtime.folders import Folder
from exports.runtime.json_files import JsonLines
from exports.runtime.problems import Problems
from exports.runtime.resource import Merge, Partition, Window, file_lineage

TABLE = Table(
    "orders",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("due", Date),
    *file_lineage(),
)

FILES = JsonLines("orders.zip", columns=["id", "due"], member="*.jsonl")


def partitions(folder: Folder, window: Window) -> Sequence[Partition]:
    """One partition for each file."""
    return FILES.partitions(folder, window)


def extract(folder: Folder, partition: Partition) -> Iterator[pd.DataFrame]:
    """The records of one file in batches."""
    return FILES.read(folder, partition)


def transform(raw: pd.DataFrame, problems: Problems) -> pd.DataFrame:
    """Raw records in, columns named and typed as in `TABLE` out; the index stays."""
    return conform(raw, TABLE, problems)


def check(rows: pd.DataFrame, problems: Problems) -> None:
    """Types and required columns are all that is asked of a row so far."""


LOAD = Merge(TABLE)
