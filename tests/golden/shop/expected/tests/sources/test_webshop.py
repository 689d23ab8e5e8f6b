"""webshop: made-up files through the real code into a real PostgreSQL."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shop_etl.runtime.connect import Destination
from shop_etl.runtime.folders import LocalFolder
from shop_etl.runtime.testing import load_from, reasons_of, rows_of
from shop_etl.sources.webshop import connection, customers, orders

GOOD_ORDERS = [
    "Order No;Customer;Ordered;Status;Total;Coupon",
    "1;1;15.01.2026 10:30;new;1,01;amber",
    "2;2;16.01.2026 10:31;paid;2,02;birch",
    "3;3;17.01.2026 10:32;;;",
]

BAD_ORDERS = [
    "Order No;Customer;Ordered;Status;Total;Coupon",
    "1;1;15.01.2026 10:30;new;1,01;amber",
    "twelve;1;15.01.2026 10:30;new;1,01;amber",
    ";1;15.01.2026 10:30;new;1,01;amber",
    "1;twelve;15.01.2026 10:30;new;1,01;amber",
    "1;;15.01.2026 10:30;new;1,01;amber",
    "1;1;someday;new;1,01;amber",
    "1;1;;new;1,01;amber",
    "1;1;15.01.2026 10:30;amber;1,01;amber",
    "1;1;15.01.2026 10:30;new;twelve;amber",
    "1;1;15.01.2026 10:30;new;-1,01;amber",
]

BROKEN_ORDERS_RULES = [
    "order_id is not a whole number",
    "order_id is required",
    "customer_id is not a whole number",
    "customer_id is required",
    "ordered_at is not a timestamp in the format %d.%m.%Y %H:%M",
    "ordered_at is required",
    'status breaks "is one of new, paid, shipped, returned"',
    "total is not a number",
    'total breaks "is at least 0"',
]

GOOD_CUSTOMERS = [
    '{"customer_id": 1, "email": "ada@example.com", "name": "amber", "country": "aa", "birthday": "2026-01-15", "newsletter": true, "address": {"sample": 1}, "updated_at": "2026-01-15T09:30:00Z"}',
    '{"customer_id": 2, "email": "grace@example.org", "name": "birch", "country": "bb", "birthday": "2026-01-16", "newsletter": false, "address": {"sample": 2}, "updated_at": "2026-01-16T09:31:00Z"}',
    '{"customer_id": 3, "email": null, "name": "cedar", "country": null, "birthday": null, "newsletter": null, "address": null, "updated_at": "2026-01-17T09:32:00Z"}',
]

BAD_CUSTOMERS = [
    '{"customer_id": 1, "email": "ada@example.com", "name": "amber", "country": "aa", "birthday": "2026-01-15", "newsletter": true, "address": {"sample": 1}, "updated_at": "2026-01-15T09:30:00Z"}',
    '{"customer_id": "twelve", "email": "ada@example.com", "name": "amber", "country": "aa", "birthday": "2026-01-15", "newsletter": true, "address": {"sample": 1}, "updated_at": "2026-01-15T09:30:00Z"}',
    '{"customer_id": null, "email": "ada@example.com", "name": "amber", "country": "aa", "birthday": "2026-01-15", "newsletter": true, "address": {"sample": 1}, "updated_at": "2026-01-15T09:30:00Z"}',
    '{"customer_id": 1, "email": "amber", "name": "amber", "country": "aa", "birthday": "2026-01-15", "newsletter": true, "address": {"sample": 1}, "updated_at": "2026-01-15T09:30:00Z"}',
    '{"customer_id": 1, "email": "ada@example.com", "name": null, "country": "aa", "birthday": "2026-01-15", "newsletter": true, "address": {"sample": 1}, "updated_at": "2026-01-15T09:30:00Z"}',
    '{"customer_id": 1, "email": "ada@example.com", "name": "amber", "country": "aaa", "birthday": "2026-01-15", "newsletter": true, "address": {"sample": 1}, "updated_at": "2026-01-15T09:30:00Z"}',
    '{"customer_id": 1, "email": "ada@example.com", "name": "amber", "country": "aa", "birthday": "someday", "newsletter": true, "address": {"sample": 1}, "updated_at": "2026-01-15T09:30:00Z"}',
    '{"customer_id": 1, "email": "ada@example.com", "name": "amber", "country": "aa", "birthday": "2026-01-15", "newsletter": "maybe", "address": {"sample": 1}, "updated_at": "2026-01-15T09:30:00Z"}',
    '{"customer_id": 1, "email": "ada@example.com", "name": "amber", "country": "aa", "birthday": "2026-01-15", "newsletter": true, "address": {"sample": 1}, "updated_at": "someday"}',
    '{"customer_id": 1, "email": "ada@example.com", "name": "amber", "country": "aa", "birthday": "2026-01-15", "newsletter": true, "address": {"sample": 1}, "updated_at": null}',
]

BROKEN_CUSTOMERS_RULES = [
    "customer_id is not a whole number",
    "customer_id is required",
    'email breaks "looks like an e-mail address"',
    "name is required",
    'country breaks "has exactly 2 characters"',
    "birthday is not a date like 2026-01-31",
    "newsletter is not a boolean",
    "updated_at is not a timestamp like 2026-01-31T23:59:59",
    "updated_at is required",
]


def test_orders_are_loaded_once(destination: Destination, tmp_path: Path) -> None:
    file = tmp_path / "orders-1.csv"
    file.write_text("\n".join(GOOD_ORDERS), encoding="utf-8")

    counts = load_from(destination, LocalFolder(tmp_path), orders)
    rows = rows_of(destination, orders)
    load_from(destination, LocalFolder(tmp_path), orders)

    assert reasons_of(destination) == []
    assert counts.loaded == len(rows) == 3
    assert rows_of(destination, orders) == rows


def test_bad_orders_are_set_aside(destination: Destination, tmp_path: Path) -> None:
    file = tmp_path / "orders-1.csv"
    file.write_text("\n".join(BAD_ORDERS), encoding="utf-8")

    counts = load_from(destination, LocalFolder(tmp_path), orders)

    assert reasons_of(destination) == BROKEN_ORDERS_RULES
    assert counts.loaded == 1


def test_customers_are_loaded_once(destination: Destination, tmp_path: Path) -> None:
    file = tmp_path / "customers.jsonl"
    file.write_text("\n".join(GOOD_CUSTOMERS), encoding="utf-8")

    counts = load_from(destination, LocalFolder(tmp_path), customers)
    rows = rows_of(destination, customers)
    load_from(destination, LocalFolder(tmp_path), customers)

    assert reasons_of(destination) == []
    assert counts.loaded == len(rows) == 3
    assert rows_of(destination, customers) == rows


def test_bad_customers_are_set_aside(destination: Destination, tmp_path: Path) -> None:
    file = tmp_path / "customers.jsonl"
    file.write_text("\n".join(BAD_CUSTOMERS), encoding="utf-8")

    counts = load_from(destination, LocalFolder(tmp_path), customers)

    assert reasons_of(destination) == BROKEN_CUSTOMERS_RULES
    assert counts.loaded == 1


def test_the_dag_loads_every_resource(
    run_dag: Callable[[str], Any],
    destination: Destination,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "orders-1.csv"
    file.write_text("\n".join(GOOD_ORDERS), encoding="utf-8")
    file = tmp_path / "customers.jsonl"
    file.write_text("\n".join(GOOD_CUSTOMERS), encoding="utf-8")
    monkeypatch.setattr(connection, "connect", lambda: LocalFolder(tmp_path))

    run = run_dag("shop_etl__webshop")

    assert run.state == "success"
    assert len(rows_of(destination, orders)) == 3
    assert len(rows_of(destination, customers)) == 3
