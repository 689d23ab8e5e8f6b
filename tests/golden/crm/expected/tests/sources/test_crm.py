"""crm: made-up rows in a SQLite database through the real code into a real PostgreSQL."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crm_etl.runtime.connect import Destination
from crm_etl.runtime.sample_database import sample_database
from crm_etl.runtime.testing import load_from, reasons_of, rows_of
from crm_etl.sources.crm import connection, customers, events, monthly_sales

GOOD_CUSTOMERS: list[tuple[str | None, ...]] = [
    ("1", "ada@example.com", "1.01", '{"sample": 1}', "2026-01-15T10:30:00"),
    ("2", "grace@example.org", "2.02", '{"sample": 2}', "2026-01-16T10:31:00"),
    ("3", None, None, None, "2026-01-17T10:32:00"),
]

BAD_CUSTOMERS: list[tuple[str | None, ...]] = [
    ("1", "ada@example.com", "1.01", '{"sample": 1}', "2026-01-15T10:30:00"),
    ("twelve", "ada@example.com", "1.01", '{"sample": 1}', "2026-01-15T10:30:00"),
    (None, "ada@example.com", "1.01", '{"sample": 1}', "2026-01-15T10:30:00"),
    ("1", "amber", "1.01", '{"sample": 1}', "2026-01-15T10:30:00"),
    ("1", "ada@example.com", "twelve", '{"sample": 1}', "2026-01-15T10:30:00"),
    ("1", "ada@example.com", "1.01", "{broken", "2026-01-15T10:30:00"),
    ("1", "ada@example.com", "1.01", '{"sample": 1}', "someday"),
    ("1", "ada@example.com", "1.01", '{"sample": 1}', None),
]

BROKEN_CUSTOMERS_RULES = [
    "credit is not a number",
    "customer_id is not a whole number",
    "customer_id is required",
    'email breaks "looks like an e-mail address"',
    "tags is not JSON",
    "updated_at is not a timestamp like 2026-01-31T23:59:59",
    "updated_at is required",
]

GOOD_EVENTS: list[tuple[str | None, ...]] = [
    ("1", "2026-01-15T09:30:00", "73616d706c652031"),
    ("2", "2026-01-16T09:31:00", "73616d706c652032"),
    ("3", None, None),
]

BAD_EVENTS: list[tuple[str | None, ...]] = [
    ("1", "2026-01-15T09:30:00", "73616d706c652031"),
    ("twelve", "2026-01-15T09:30:00", "73616d706c652031"),
    (None, "2026-01-15T09:30:00", "73616d706c652031"),
    ("1", "someday", "73616d706c652031"),
    ("1", "2026-01-15T09:30:00", "?!"),
]

BROKEN_EVENTS_RULES = [
    "at is not a timestamp like 2026-01-31T23:59:59",
    "id is not a whole number",
    "id is required",
    "payload is not hex",
]

GOOD_MONTHLY_SALES: list[tuple[str | None, ...]] = [
    ("2026-01-15", "1.01"),
    ("2026-01-16", "2.02"),
    ("2026-01-17", None),
]

BAD_MONTHLY_SALES: list[tuple[str | None, ...]] = [
    ("2026-01-15", "1.01"),
    ("someday", "1.01"),
    (None, "1.01"),
    ("2026-01-15", "twelve"),
    ("2026-01-15", "-1.01"),
]

BROKEN_MONTHLY_SALES_RULES = [
    "month is not a date like 2026-01-31",
    "month is required",
    'total breaks "is at least 0"',
    "total is not a number",
]


def test_customers_are_loaded_once(destination: Destination, tmp_path: Path) -> None:
    database = sample_database(tmp_path, (customers.ROWS, GOOD_CUSTOMERS))

    counts = load_from(destination, database, customers)
    rows = rows_of(destination, customers)
    load_from(destination, database, customers)

    assert reasons_of(destination) == []
    assert counts.loaded == len(rows) == 3
    assert rows_of(destination, customers) == rows


def test_bad_customers_are_set_aside(destination: Destination, tmp_path: Path) -> None:
    database = sample_database(tmp_path, (customers.ROWS, BAD_CUSTOMERS))

    counts = load_from(destination, database, customers)

    assert sorted(reasons_of(destination)) == BROKEN_CUSTOMERS_RULES
    assert counts.loaded == 1


def test_events_are_loaded_once(destination: Destination, tmp_path: Path) -> None:
    database = sample_database(tmp_path, (events.ROWS, GOOD_EVENTS))

    counts = load_from(destination, database, events)
    rows = rows_of(destination, events)

    assert reasons_of(destination) == []
    assert counts.loaded == len(rows) == 3


def test_bad_events_are_set_aside(destination: Destination, tmp_path: Path) -> None:
    database = sample_database(tmp_path, (events.ROWS, BAD_EVENTS))

    counts = load_from(destination, database, events)

    assert sorted(reasons_of(destination)) == BROKEN_EVENTS_RULES
    assert counts.loaded == 1


def test_monthly_sales_are_loaded_once(
    destination: Destination, tmp_path: Path
) -> None:
    # A table stands in for the query, which only its own database can answer.
    database = sample_database(tmp_path, (monthly_sales.ROWS, GOOD_MONTHLY_SALES))

    counts = load_from(destination, database, monthly_sales)
    rows = rows_of(destination, monthly_sales)
    load_from(destination, database, monthly_sales)

    assert reasons_of(destination) == []
    assert counts.loaded == len(rows) == 3
    assert rows_of(destination, monthly_sales) == rows


def test_bad_monthly_sales_are_set_aside(
    destination: Destination, tmp_path: Path
) -> None:
    database = sample_database(tmp_path, (monthly_sales.ROWS, BAD_MONTHLY_SALES))

    counts = load_from(destination, database, monthly_sales)

    assert sorted(reasons_of(destination)) == BROKEN_MONTHLY_SALES_RULES
    assert counts.loaded == 1


def test_the_dag_loads_every_resource(
    run_dag: Callable[[str], Any],
    destination: Destination,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    database = sample_database(
        tmp_path,
        (customers.ROWS, GOOD_CUSTOMERS),
        (events.ROWS, GOOD_EVENTS),
        (monthly_sales.ROWS, GOOD_MONTHLY_SALES),
    )
    monkeypatch.setattr(connection, "connect", lambda: database)

    run = run_dag("crm_etl__crm")

    assert run.state == "success"
    assert len(rows_of(destination, customers)) == 3
    assert len(rows_of(destination, events)) == 3
    assert len(rows_of(destination, monthly_sales)) == 3
