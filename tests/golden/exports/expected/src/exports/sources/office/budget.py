"""office budget → raw.budget"""

from collections.abc import Iterator, Sequence

import pandas as pd
from sqlalchemy import Column, Date, Integer, Numeric, Table

from exports.destination import metadata
from exports.runtime.conform import conform
from exports.runtime.excel_files import ExcelFiles
from exports.runtime.folders import Folder
from exports.runtime.problems import Problems
from exports.runtime.resource import Partition, Replace, Window, file_lineage

TABLE = Table(
    "budget",
    metadata,
    Column("cost_center", Integer, nullable=False),
    Column("amount", Numeric(12, 2)),
    Column("due", Date),
    *file_lineage(),
)

FILES = ExcelFiles(
    "budget.xlsx", columns=["Cost center", "Amount", "Due"], sheet="2026", range="B3:D"
)


def partitions(folder: Folder, window: Window) -> Sequence[Partition]:
    """One partition for each file."""
    return FILES.partitions(folder, window)


def extract(folder: Folder, partition: Partition) -> Iterator[pd.DataFrame]:
    """The records of one file in batches."""
    return FILES.read(folder, partition)


def transform(raw: pd.DataFrame, problems: Problems) -> pd.DataFrame:
    """Raw records in, columns named and typed as in `TABLE` out; the index stays."""
    rows = raw.rename(
        columns={"Cost center": "cost_center", "Amount": "amount", "Due": "due"}
    )
    rows["amount"] = rows["amount"].fillna("0.00")
    return conform(rows, TABLE, problems)


def check(rows: pd.DataFrame, problems: Problems) -> None:
    """Types and required columns are all that is asked of a row so far."""


LOAD = Replace(TABLE)
