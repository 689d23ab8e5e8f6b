"""machines shifts → raw.shifts"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import pandas as pd
from sqlalchemy import Column, Date, Integer, SmallInteger, Table, Text

from exports.destination import metadata
from exports.runtime.conform import conform
from exports.runtime.csv_files import CsvFiles
from exports.runtime.files import Ready
from exports.runtime.folders import Folder
from exports.runtime.problems import Problems
from exports.runtime.resource import Append, Partition, Window, file_lineage

TABLE = Table(
    "shifts",
    metadata,
    Column("plant", Text),
    Column("day", Date),
    Column("shift", SmallInteger, nullable=False),
    Column("produced", Integer),
    *file_lineage(),
)

FILES = CsvFiles(
    "{plant}/shifts_{day:%Y%m%d}.csv.gz",
    columns=["{plant}", "{day}", "shift", "produced"],
    delimiter=";",
    footer_rows=1,
    comment="#",
    only_new=True,
    ready=Ready(min_age=timedelta(minutes=5), marker="*.done", count=2),
    archive="done",
)


def partitions(folder: Folder, window: Window) -> Sequence[Partition]:
    """One partition for each file."""
    return FILES.partitions(folder, window)


def extract(folder: Folder, partition: Partition) -> Iterator[pd.DataFrame]:
    """The records of one file in batches."""
    return FILES.read(folder, partition)


def transform(raw: pd.DataFrame, problems: Problems) -> pd.DataFrame:
    """Raw records in, columns named and typed as in `TABLE` out; the index stays."""
    rows = raw.rename(columns={"{plant}": "plant", "{day}": "day"})
    return conform(rows, TABLE, problems)


def check(rows: pd.DataFrame, problems: Problems) -> None:
    """What each row must satisfy; one that does not goes to quarantine with the reason."""
    problems.require(
        "plant", "is one of berlin, ulm", rows["plant"].isin(["berlin", "ulm"])
    )
    problems.require("produced", "is at least 0", rows["produced"] >= 0)


def after_publish(folder: Folder, partition: Partition) -> None:
    """A file whose rows are in the table goes to done."""
    FILES.put_away(folder, partition)


LOAD = Append(TABLE, replace_by=["plant", "day"])
