"""office fees → club.fees"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import pandas as pd
from sqlalchemy import Boolean, Column, Date, Integer, Numeric, Table, Text

from club.destination import metadata
from club.runtime.clean import extract_text
from club.runtime.conform import conform
from club.runtime.convert import to_boolean, to_date, to_decimal
from club.runtime.csv_files import CsvFiles
from club.runtime.folders import Folder
from club.runtime.problems import Problems
from club.runtime.resource import Append, Partition, Window, file_lineage
from club.runtime.table_checks import Freshness, NoRows, NullShare, References, RowCount

TABLE = Table(
    "fees",
    metadata,
    Column("member_no", Integer, nullable=False),
    Column("amount", Numeric(10, 2)),
    Column("discount", Numeric(5, 2)),
    Column("paid_on", Date),
    Column("settled", Boolean),
    Column("kind", Text),
    *file_lineage(),
)

FILES = CsvFiles(
    "fees-*.csv",
    columns=["Reference", "Amount", "Discount", "Paid", "Settled", "Kind"],
    delimiter=";",
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
    rows = raw.rename(
        columns={
            "Reference": "member_no",
            "Amount": "amount",
            "Discount": "discount",
            "Paid": "paid_on",
            "Settled": "settled",
            "Kind": "kind",
        }
    )
    rows["member_no"] = extract_text(rows["member_no"], "Member (?P<value>[0-9]+)")
    rows["amount"] = to_decimal(
        rows["amount"]
        .str.replace(r"^\s*(?:EUR|€)\s*|\s*(?:EUR|€)\s*$", "", regex=True)
        .str.replace(r"^\s*([^+-].*?)\s*-\s*$", r"-\1", regex=True),
        problems,
        precision=10,
        scale=2,
        round_to=2,
        decimal_mark=",",
    )
    rows["discount"] = to_decimal(
        rows["discount"].str.replace(r"^\s*%\s*|\s*%\s*$", "", regex=True),
        problems,
        precision=5,
        scale=2,
        decimal_mark=",",
    )
    rows["paid_on"] = to_date(
        rows["paid_on"], problems, format=("%d.%m.%Y", "%Y-%m-%d")
    )
    rows["settled"] = to_boolean(
        rows["settled"], problems, true=("J", "ja"), false=("N", "nein")
    )
    rows["kind"] = rows["kind"].str.strip().str.lower()
    typed = conform(rows, TABLE, problems)
    typed["discount"] = typed["discount"].clip(0, 100)
    typed = typed[typed["kind"].isin(["fee", "donation"])]
    return typed


def check(rows: pd.DataFrame, problems: Problems) -> None:
    """What each row must satisfy; one that does not goes to quarantine with the reason."""
    problems.require(
        "paid_on",
        "is not in the future",
        rows["paid_on"] <= problems.furthest_clock.date(),
    )


# What the rows of a load must satisfy together, before anybody sees them.
CHECKS = [
    RowCount(at_least=1),
    Freshness("paid_on", within=timedelta(days=40), severity="warn"),
    NullShare("paid_on", at_most=0.2),
    References("member_no", "members", "member_no"),
    NoRows(
        "at most one fee a month is settled",
        "SELECT member_no FROM rows WHERE settled GROUP BY member_no HAVING count(*) > 12",
    ),
]


LOAD = Append(TABLE)
