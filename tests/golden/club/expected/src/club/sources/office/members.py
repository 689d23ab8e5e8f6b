"""office members → club.members"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
from sqlalchemy import Column, Integer, Table, Text

from club.destination import metadata
from club.runtime.conform import conform
from club.runtime.csv_files import CsvFiles
from club.runtime.problems import Problems
from club.runtime.resource import Merge, Partition, Window, file_lineage
from club.runtime.table_checks import Unique

TABLE = Table(
    "members",
    metadata,
    Column("member_no", Integer, primary_key=True, autoincrement=False),
    Column("email", Text),
    *file_lineage(),
)

FILES = CsvFiles("members.csv", columns=["member_no", "email"])


def partitions(folder: Path, window: Window) -> Sequence[Partition]:
    """One partition for each file."""
    return FILES.partitions(folder, window)


def extract(folder: Path, partition: Partition) -> Iterator[pd.DataFrame]:
    """The records of one file in batches, each cell as text."""
    return FILES.read(folder, partition)


def transform(raw: pd.DataFrame, problems: Problems) -> pd.DataFrame:
    """Raw records in, columns named and typed as in `TABLE` out; the index stays."""
    rows = raw.copy()
    rows["email"] = rows["email"].str.strip().str.lower()
    return conform(rows, TABLE, problems)


def check(rows: pd.DataFrame, problems: Problems) -> None:
    """Types and required columns are all that is asked of a row so far."""


# What the rows of a load must satisfy together, before anybody sees them.
CHECKS = [
    Unique("email", severity="warn"),
]


LOAD = Merge(TABLE)
