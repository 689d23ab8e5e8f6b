"""office members → club.members"""

from collections.abc import Iterator, Sequence

import pandas as pd
from sqlalchemy import Column, Integer, Table, Text

from club.destination import metadata
from club.runtime.clean import hash_text
from club.runtime.conform import conform
from club.runtime.csv_files import CsvFiles
from club.runtime.folders import Folder
from club.runtime.problems import Problems
from club.runtime.resource import Merge, Partition, Window, file_lineage
from club.runtime.table_checks import Unique
from club.settings import hash_key

TABLE = Table(
    "members",
    metadata,
    Column("member_no", Integer, primary_key=True, autoincrement=False),
    Column("email", Text, nullable=False),
    Column("contact", Text),
    Column("iban", Text),
    Column("name", Text),
    *file_lineage(),
)

FILES = CsvFiles(
    "members.csv", columns=["member_no", "E-Mail", "Contact", "IBAN", "Name"]
)


def partitions(folder: Folder, window: Window) -> Sequence[Partition]:
    """One partition for each file."""
    return FILES.partitions(folder, window)


def extract(folder: Folder, partition: Partition) -> Iterator[pd.DataFrame]:
    """The records of one file in batches."""
    return FILES.read(folder, partition)


def transform(raw: pd.DataFrame, problems: Problems) -> pd.DataFrame:
    """Raw records in, columns named and typed as in `TABLE` out; the index stays."""
    rows = raw.drop(columns=["Password"], errors="ignore")
    rows = rows.rename(
        columns={
            "E-Mail": "email",
            "Contact": "contact",
            "IBAN": "iban",
            "Name": "name",
        }
    )
    rows["email"] = hash_text(rows["email"].str.strip().str.lower(), hash_key())
    rows["contact"] = rows["contact"].str.replace(
        "(?s)^(?:.*(@[^@]*)|.*)$", r"****\1", regex=True
    )
    rows["iban"] = rows["iban"].str.replace(
        "(?s)^(?:.{4,}(.{4})|.*)$", r"****\1", regex=True
    )
    return conform(rows, TABLE, problems)


def check(rows: pd.DataFrame, problems: Problems) -> None:
    """What each row must satisfy; one that does not goes to quarantine with the reason."""
    problems.require("name", "has at most 60 characters", rows["name"].str.len() <= 60)


# What the rows of a load must satisfy together, before anybody sees them.
CHECKS = [
    Unique("email", severity="warn"),
]


# Columns of the source and of the table whose values quarantine, messages and previews hide.
PRIVATE = (
    "E-Mail",
    "email",
    "Contact",
    "contact",
    "IBAN",
    "iban",
    "Name",
    "name",
    "Password",
)


LOAD = Merge(TABLE)
