"""webshop customers → shop.customers"""

from collections.abc import Iterator, Sequence
from datetime import date

import pandas as pd
from sqlalchemy import TIMESTAMP, BigInteger, Boolean, Column, Date, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from shop_etl.destination import metadata
from shop_etl.runtime.conform import conform
from shop_etl.runtime.folders import Folder
from shop_etl.runtime.json_files import JsonLines
from shop_etl.runtime.problems import Problems
from shop_etl.runtime.resource import Merge, Partition, Window, file_lineage

TABLE = Table(
    "customers",
    metadata,
    Column("customer_id", BigInteger, primary_key=True, autoincrement=False),
    Column("email", Text),
    Column("name", Text, nullable=False),
    Column("country", Text),
    Column("birthday", Date),
    Column("newsletter", Boolean),
    Column("address", JSONB),
    Column("updated_at", TIMESTAMP(timezone=True), nullable=False),
    *file_lineage(),
    comment="One row for each customer, as of the last change",
)

FILES = JsonLines(
    "customers.jsonl",
    columns=[
        "customer_id",
        "email",
        "name",
        "country",
        "birthday",
        "newsletter",
        "address",
        "updated_at",
    ],
    documents=["address"],
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
    rows["email"] = rows["email"].str.strip().str.lower()
    rows["name"] = rows["name"].str.replace(r"\s+", " ", regex=True)
    rows["country"] = rows["country"].fillna("DE")
    rows["newsletter"] = rows["newsletter"].fillna("false")
    return conform(rows, TABLE, problems)


def check(rows: pd.DataFrame, problems: Problems) -> None:
    """What each row must satisfy; one that does not goes to quarantine with the reason."""
    problems.require(
        "email",
        "looks like an e-mail address",
        rows["email"].str.fullmatch(r"[^@\s]+@[^@\s]+\.[a-z]+"),
    )
    problems.require(
        "country", "has exactly 2 characters", rows["country"].str.len() == 2
    )
    problems.require(
        "birthday",
        "is at least 1900-01-01",
        rows["birthday"] >= date(1900, 1, 1),
        severity="warn",
    )


LOAD = Merge(TABLE, cursor="updated_at")
