"""machines measurements → raw.measurements"""

from collections.abc import Iterator, Sequence

import pandas as pd
from sqlalchemy import TIMESTAMP, Column, Numeric, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from exports.destination import metadata
from exports.runtime.arrow_files import ParquetFiles
from exports.runtime.conform import conform
from exports.runtime.convert import to_timestamp
from exports.runtime.folders import Folder
from exports.runtime.problems import Problems
from exports.runtime.resource import Merge, Partition, Window, file_lineage

TABLE = Table(
    "measurements",
    metadata,
    Column("machine", Text, primary_key=True),
    Column("taken_at", TIMESTAMP(timezone=True), primary_key=True),
    Column("value", Numeric(10, 3)),
    Column("tags", JSONB),
    *file_lineage(),
)

FILES = ParquetFiles(
    "measurements/*.parquet",
    columns=["machine", "taken_at", "val", "tags"],
    texts=["taken_at"],
    only_new=True,
)


def partitions(folder: Folder, window: Window) -> Sequence[Partition]:
    """One partition for each file."""
    return FILES.partitions(folder, window)


def extract(folder: Folder, partition: Partition) -> Iterator[pd.DataFrame]:
    """The records of one file in batches."""
    return FILES.read(folder, partition)


def transform(raw: pd.DataFrame, problems: Problems) -> pd.DataFrame:
    """Raw records in, columns named and typed as in `TABLE` out; the index stays."""
    rows = raw.rename(columns={"val": "value"})
    rows["machine"] = rows["machine"].str.strip()
    rows["taken_at"] = to_timestamp(
        rows["taken_at"], problems, timezone="Europe/Berlin"
    )
    return conform(rows, TABLE, problems)


def check(rows: pd.DataFrame, problems: Problems) -> None:
    """Types and required columns are all that is asked of a row so far."""


LOAD = Merge(TABLE)
