"""catalog products → shop.products"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

import pandas as pd
from sqlalchemy import Boolean, Column, Date, Integer, Numeric, Table, Text

from shop_etl.destination import metadata
from shop_etl.runtime.conform import conform
from shop_etl.runtime.convert import to_boolean, to_date
from shop_etl.runtime.csv_files import CsvFiles
from shop_etl.runtime.folders import Folder
from shop_etl.runtime.problems import Problems
from shop_etl.runtime.resource import Partition, Replace, Window, file_lineage

TABLE = Table(
    "products",
    metadata,
    Column("sku", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("category", Text),
    Column("price", Numeric(10, 2)),
    Column("stock", Integer),
    Column("discontinued", Boolean),
    Column("listed_on", Date),
    *file_lineage(),
    comment="Every product that is or was for sale",
)

FILES = CsvFiles(
    "products.tsv",
    columns=["sku", "title", "category", "price", "stock", "discontinued", "listed_on"],
    delimiter="\t",
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
    rows["sku"] = rows["sku"].str.strip().str.upper()
    rows["title"] = rows["title"].str.strip()
    rows["category"] = (
        rows["category"].str.strip().replace({"Mugs": "mugs", "Cups": "mugs"})
    )
    rows["stock"] = rows["stock"].fillna("0")
    rows["discontinued"] = to_boolean(
        rows["discontinued"], problems, true="Y", false="N"
    )
    rows["listed_on"] = to_date(rows["listed_on"], problems, format="%m/%d/%Y")
    return conform(rows, TABLE, problems)


def check(rows: pd.DataFrame, problems: Problems) -> None:
    """What each row must satisfy; one that does not goes to quarantine with the reason."""
    problems.require(
        "sku",
        "matches [A-Z]{2}-[0-9]{4}",
        rows["sku"].str.fullmatch("[A-Z]{2}-[0-9]{4}"),
    )
    problems.require(
        "price",
        "is between 0.01 and 10000",
        rows["price"].between(Decimal("0.01"), 10000),
    )
    problems.require("stock", "is at least 0", rows["stock"] >= 0)


LOAD = Replace(TABLE)
