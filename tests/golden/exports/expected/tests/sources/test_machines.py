"""machines: made-up files through the real code into a real PostgreSQL."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from exports.runtime.connect import Destination
from exports.runtime.folders import LocalFolder
from exports.runtime.sample_files import expect_none, write_sample
from exports.runtime.testing import load_from, reasons_of, rows_of
from exports.sources.machines import connection, measurements, orders, shifts

GOOD_SHIFTS = [
    "shift;produced",
    "1;1",
    "2;2",
    "3;",
    "-",
]

BAD_SHIFTS = [
    "shift;produced",
    "1;1",
    "twelve;1",
    ";1",
    "1;twelve",
    "1;-1",
    "-",
]

BROKEN_SHIFTS_RULES = [
    "shift is not a whole number",
    "shift is required",
    "produced is not a whole number",
    'produced breaks "is at least 0"',
]

GOOD_MEASUREMENTS = [
    ["amber", "2026-01-15T10:30:00", "1.001", '{"sample": 1}'],
    ["birch", "2026-01-16T10:31:00", "2.002", '{"sample": 2}'],
    ["cedar", "2026-01-17T10:32:00", None, None],
]

BAD_MEASUREMENTS = [
    ["amber", "2026-01-15T10:30:00", "1.001", '{"sample": 1}'],
    [None, "2026-01-15T10:30:00", "1.001", '{"sample": 1}'],
    ["amber", "someday", "1.001", '{"sample": 1}'],
    ["amber", None, "1.001", '{"sample": 1}'],
    ["amber", "2026-01-15T10:30:00", "twelve", '{"sample": 1}'],
    ["amber", "2026-01-15T10:30:00", "1.001", "{broken"],
]

BROKEN_MEASUREMENTS_RULES = [
    "machine is required",
    "taken_at is not a timestamp like 2026-01-31T23:59:59",
    "taken_at is required",
    "value is not a number",
    "tags is not JSON",
]

GOOD_ORDERS = [
    '{"id": 1, "due": "2026-01-15"}',
    '{"id": 2, "due": "2026-01-16"}',
    '{"id": 3, "due": null}',
]

BAD_ORDERS = [
    '{"id": 1, "due": "2026-01-15"}',
    '{"id": "twelve", "due": "2026-01-15"}',
    '{"id": null, "due": "2026-01-15"}',
    '{"id": 1, "due": "someday"}',
]

BROKEN_ORDERS_RULES = [
    "id is not a whole number",
    "id is required",
    "due is not a date like 2026-01-31",
]


def test_shifts_are_loaded_once(
    destination: Destination, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expect_none(monkeypatch, shifts)
    file = tmp_path / "berlin/shifts_20260115.csv.gz"
    file.parent.mkdir(parents=True)
    write_sample(file, shifts, GOOD_SHIFTS)

    counts = load_from(destination, LocalFolder(tmp_path), shifts)
    rows = rows_of(destination, shifts)
    load_from(destination, LocalFolder(tmp_path), shifts)

    assert reasons_of(destination) == []
    assert counts.loaded == len(rows) == 3
    assert rows_of(destination, shifts) == rows


def test_bad_shifts_are_set_aside(
    destination: Destination, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expect_none(monkeypatch, shifts)
    file = tmp_path / "berlin/shifts_20260115.csv.gz"
    file.parent.mkdir(parents=True)
    write_sample(file, shifts, BAD_SHIFTS)

    counts = load_from(destination, LocalFolder(tmp_path), shifts)

    assert reasons_of(destination) == BROKEN_SHIFTS_RULES
    assert counts.loaded == 1


def test_measurements_are_loaded_once(destination: Destination, tmp_path: Path) -> None:
    file = tmp_path / "measurements/1.parquet"
    file.parent.mkdir(parents=True)
    write_sample(file, measurements, GOOD_MEASUREMENTS)

    counts = load_from(destination, LocalFolder(tmp_path), measurements)
    rows = rows_of(destination, measurements)
    load_from(destination, LocalFolder(tmp_path), measurements)

    assert reasons_of(destination) == []
    assert counts.loaded == len(rows) == 3
    assert rows_of(destination, measurements) == rows


def test_bad_measurements_are_set_aside(
    destination: Destination, tmp_path: Path
) -> None:
    file = tmp_path / "measurements/1.parquet"
    file.parent.mkdir(parents=True)
    write_sample(file, measurements, BAD_MEASUREMENTS)

    counts = load_from(destination, LocalFolder(tmp_path), measurements)

    assert reasons_of(destination) == BROKEN_MEASUREMENTS_RULES
    assert counts.loaded == 1


def test_orders_are_loaded_once(destination: Destination, tmp_path: Path) -> None:
    file = tmp_path / "orders.zip"
    write_sample(file, orders, GOOD_ORDERS)

    counts = load_from(destination, LocalFolder(tmp_path), orders)
    rows = rows_of(destination, orders)
    load_from(destination, LocalFolder(tmp_path), orders)

    assert reasons_of(destination) == []
    assert counts.loaded == len(rows) == 3
    assert rows_of(destination, orders) == rows


def test_bad_orders_are_set_aside(destination: Destination, tmp_path: Path) -> None:
    file = tmp_path / "orders.zip"
    write_sample(file, orders, BAD_ORDERS)

    counts = load_from(destination, LocalFolder(tmp_path), orders)

    assert reasons_of(destination) == BROKEN_ORDERS_RULES
    assert counts.loaded == 1


def test_the_dag_loads_every_resource(
    run_dag: Callable[[str], Any],
    destination: Destination,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "berlin/shifts_20260115.csv.gz"
    file.parent.mkdir(parents=True, exist_ok=True)
    write_sample(file, shifts, GOOD_SHIFTS)
    expect_none(monkeypatch, shifts)
    file = tmp_path / "measurements/1.parquet"
    file.parent.mkdir(parents=True, exist_ok=True)
    write_sample(file, measurements, GOOD_MEASUREMENTS)
    file = tmp_path / "orders.zip"
    write_sample(file, orders, GOOD_ORDERS)
    monkeypatch.setattr(connection, "connect", lambda: LocalFolder(tmp_path))

    run = run_dag("exports__machines")

    assert run.state == "success"
    assert len(rows_of(destination, shifts)) == 3
    assert len(rows_of(destination, measurements)) == 3
    assert len(rows_of(destination, orders)) == 3
