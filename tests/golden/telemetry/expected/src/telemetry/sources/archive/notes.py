"""archive notes → raw.notes"""

from collections.abc import Iterator, Sequence

import pandas as pd
from sqlalchemy import Column, Table, Text

from telemetry.destination import metadata
from telemetry.runtime.conform import conform
from telemetry.runtime.csv_files import CsvFiles
from telemetry.runtime.folders import Folder
from telemetry.runtime.problems import Problems
from telemetry.runtime.resource import Partition, Replace, Window, file_lineage

TABLE = Table(
    "notes",
    metadata,
    Column("text", Text),
    *file_lineage(),
)

FILES = CsvFiles("notes.csv", columns=["text"], delimiter="|", quote="")


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


LOAD = Replace(TABLE)
