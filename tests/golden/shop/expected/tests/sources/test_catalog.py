"""catalog: made-up files through the real code into a real PostgreSQL."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shop_etl.runtime.connect import Destination
from shop_etl.runtime.folders import LocalFolder
from shop_etl.runtime.testing import load_from, reasons_of, rows_of
from shop_etl.sources.catalog import connection, products

GOOD_PRODUCTS = [
    "sku\ttitle\tcategory\tprice\tstock\tdiscontinued\tlisted_on",
    "AB-1234\tamber\tamber\t1.01\t1\tY\t01/15/2026",
    "AB-1235\tbirch\tbirch\t2.02\t2\tN\t01/16/2026",
    "AB-1236\tcedar\t\t\t\t\t",
]

BAD_PRODUCTS = [
    "sku\ttitle\tcategory\tprice\tstock\tdiscontinued\tlisted_on",
    "AB-1234\tamber\tamber\t1.01\t1\tY\t01/15/2026",
    "\tamber\tamber\t1.01\t1\tY\t01/15/2026",
    "amber\tamber\tamber\t1.01\t1\tY\t01/15/2026",
    "AB-1234\t\tamber\t1.01\t1\tY\t01/15/2026",
    "AB-1234\tamber\tamber\ttwelve\t1\tY\t01/15/2026",
    "AB-1234\tamber\tamber\t0.00\t1\tY\t01/15/2026",
    "AB-1234\tamber\tamber\t1.01\ttwelve\tY\t01/15/2026",
    "AB-1234\tamber\tamber\t1.01\t-1\tY\t01/15/2026",
    "AB-1234\tamber\tamber\t1.01\t1\tmaybe\t01/15/2026",
    "AB-1234\tamber\tamber\t1.01\t1\tY\tsomeday",
]

BROKEN_PRODUCTS_RULES = [
    "sku is required",
    'sku breaks "matches [A-Z]{2}-[0-9]{4}"',
    "title is required",
    "price is not a number",
    'price breaks "is between 0.01 and 10000"',
    "stock is not a whole number",
    'stock breaks "is at least 0"',
    "discontinued is not a boolean",
    "listed_on is not a date in the format %m/%d/%Y",
]


def test_products_are_loaded_once(destination: Destination, tmp_path: Path) -> None:
    file = tmp_path / "products.tsv"
    file.write_text("\n".join(GOOD_PRODUCTS), encoding="utf-8")

    counts = load_from(destination, LocalFolder(tmp_path), products)
    rows = rows_of(destination, products)
    load_from(destination, LocalFolder(tmp_path), products)

    assert reasons_of(destination) == []
    assert counts.loaded == len(rows) == 3
    assert rows_of(destination, products) == rows


def test_bad_products_are_set_aside(destination: Destination, tmp_path: Path) -> None:
    file = tmp_path / "products.tsv"
    file.write_text("\n".join(BAD_PRODUCTS), encoding="utf-8")

    counts = load_from(destination, LocalFolder(tmp_path), products)

    assert reasons_of(destination) == BROKEN_PRODUCTS_RULES
    assert counts.loaded == 1


def test_the_dag_loads_every_resource(
    run_dag: Callable[[str], Any],
    destination: Destination,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "products.tsv"
    file.write_text("\n".join(GOOD_PRODUCTS), encoding="utf-8")
    monkeypatch.setattr(connection, "connect", lambda: LocalFolder(tmp_path))

    run = run_dag("shop_etl__catalog")

    assert run.state == "success"
    assert len(rows_of(destination, products)) == 3
