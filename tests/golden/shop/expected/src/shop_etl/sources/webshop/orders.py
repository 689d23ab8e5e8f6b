"""webshop orders → shop.orders"""

from collections.abc import Iterator, Sequence

import pandas as pd
from sqlalchemy import TIMESTAMP, BigInteger, Column, Numeric, Table, Text

from shop_etl.destination import metadata
from shop_etl.runtime.conform import conform
from shop_etl.runtime.convert import to_decimal, to_integer, to_timestamp
from shop_etl.runtime.csv_files import CsvFiles
from shop_etl.runtime.folders import Folder
from shop_etl.runtime.problems import Problems
from shop_etl.runtime.resource import Merge, Partition, Window, file_lineage

TABLE = Table(
    "orders",
    metadata,
    Column("order_id", BigInteger, primary_key=True, autoincrement=False),
    Column("customer_id", BigInteger, nullable=False),
    Column("ordered_at", TIMESTAMP(timezone=True), nullable=False),
    Column("status", Text),
    Column("total", Numeric(12, 2), comment="In euros, value added tax included"),
    Column("coupon", Text),
    *file_lineage(),
    comment="One row for each order",
)

FILES = CsvFiles(
    "orders-*.csv",
    columns=[
        "Order No",
        "Customer",
        "Ordered",
        "Status",
        ("Total", "Total (EUR)"),
        "Coupon",
    ],
    delimiter=";",
    null_values=["", "n/a"],
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
            "Order No": "order_id",
            "Customer": "customer_id",
            "Ordered": "ordered_at",
            "Status": "status",
            "Total": "total",
            "Total (EUR)": "total",
            "Coupon": "coupon",
        }
    )
    rows["order_id"] = to_integer(rows["order_id"], problems, thousands_mark=".")
    rows["customer_id"] = to_integer(rows["customer_id"], problems, thousands_mark=".")
    rows["ordered_at"] = to_timestamp(
        rows["ordered_at"], problems, format="%d.%m.%Y %H:%M", timezone="Europe/Berlin"
    )
    rows["status"] = rows["status"].str.strip().str.lower()
    rows["total"] = to_decimal(
        rows["total"],
        problems,
        precision=12,
        scale=2,
        decimal_mark=",",
        thousands_mark=".",
    )
    rows["coupon"] = rows["coupon"].str.strip().str.upper()
    return conform(rows, TABLE, problems)


def check(rows: pd.DataFrame, problems: Problems) -> None:
    """What each row must satisfy; one that does not goes to quarantine with the reason."""
    problems.require(
        "status",
        "is one of new, paid, shipped, returned",
        rows["status"].isin(["new", "paid", "shipped", "returned"]),
    )
    problems.require("total", "is at least 0", rows["total"] >= 0)


LOAD = Merge(TABLE)
