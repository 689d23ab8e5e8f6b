"""plant readings → raw.readings"""

from collections.abc import Iterator, Sequence

import pandas as pd
from sqlalchemy import (
    TIMESTAMP,
    Boolean,
    Column,
    Double,
    LargeBinary,
    Numeric,
    SmallInteger,
    Table,
    Time,
    Uuid,
)

from telemetry.destination import metadata
from telemetry.runtime.conform import conform
from telemetry.runtime.convert import to_bytes, to_timestamp
from telemetry.runtime.csv_files import CsvFiles
from telemetry.runtime.folders import Folder
from telemetry.runtime.problems import Problems
from telemetry.runtime.resource import Append, Partition, Window, file_lineage

TABLE = Table(
    "readings",
    metadata,
    Column("device", Uuid, nullable=False),
    Column("taken_at", TIMESTAMP),
    Column("celsius", Double),
    Column("raised", Boolean),
    Column("payload", LargeBinary),
    Column("count", SmallInteger),
    Column("at", Time),
    Column("100 %", Numeric(5, 2)),
    *file_lineage(),
)

FILES = CsvFiles(
    "**/readings_*.csv",
    columns=[
        "device",
        "taken_at",
        "celsius",
        "raised",
        "payload",
        "count",
        "at",
        "100 %",
    ],
    encoding="iso8859-1",
    header_row=0,
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
    rows = raw.copy()
    rows["taken_at"] = to_timestamp(rows["taken_at"], problems, format="%Y%m%d%H%M%S")
    rows["payload"] = to_bytes(rows["payload"], problems, format="base64")
    return conform(rows, TABLE, problems)


def check(rows: pd.DataFrame, problems: Problems) -> None:
    """What each row must satisfy; one that does not goes to quarantine with the reason."""
    problems.require(
        "celsius",
        "is between -80 and 150",
        rows["celsius"].between(-80, 150),
        severity="warn",
    )


LOAD = Append(TABLE)
