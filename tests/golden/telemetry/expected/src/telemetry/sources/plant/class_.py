"""plant class → raw.Device Classes"""

from collections.abc import Iterator, Sequence
from datetime import date

import pandas as pd
from sqlalchemy import Column, Date, Integer, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from telemetry.destination import metadata
from telemetry.runtime.conform import conform
from telemetry.runtime.folders import Folder
from telemetry.runtime.json_files import JsonArray
from telemetry.runtime.problems import Problems
from telemetry.runtime.resource import Merge, Partition, Window, file_lineage

TABLE = Table(
    "Device Classes",
    metadata,
    Column("code", Text, primary_key=True),
    Column("limits", JSONB, nullable=False),
    Column("since", Date),
    Column("weight", Integer),
    *file_lineage(),
    comment='Kinds of device; "quoted" and with a \\ backslash',
)

FILES = JsonArray(
    "classes.json",
    columns=[("code", "id"), "limits", "since", "weight"],
    documents=["limits"],
)


def partitions(folder: Folder, window: Window) -> Sequence[Partition]:
    """One partition for each file."""
    return FILES.partitions(folder, window)


def extract(folder: Folder, partition: Partition) -> Iterator[pd.DataFrame]:
    """The records of one file in batches."""
    return FILES.read(folder, partition)


def transform(raw: pd.DataFrame, problems: Problems) -> pd.DataFrame:
    """Raw records in, columns named and typed as in `TABLE` out; the index stays."""
    rows = raw.rename(columns={"id": "code"})
    rows["weight"] = (
        rows["weight"].str.strip().mask(lambda text: text.isin(["-"])).fillna("0")
    )
    return conform(rows, TABLE, problems)


def check(rows: pd.DataFrame, problems: Problems) -> None:
    """What each row must satisfy; one that does not goes to quarantine with the reason."""
    problems.require("code", "has at most 8 characters", rows["code"].str.len() <= 8)
    problems.require(
        "since", "is at least 2000-01-01", rows["since"] >= date(2000, 1, 1)
    )


LOAD = Merge(TABLE)
