"""office: made-up files through the real code into a real PostgreSQL."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from exports.runtime.connect import Destination
from exports.runtime.folders import LocalFolder
from exports.runtime.sample_files import write_sample
from exports.runtime.testing import load_from, reasons_of, rows_of
from exports.sources.office import budget, connection, devices

GOOD_BUDGET = [
    ["1", "1.01", "2026-01-15"],
    ["2", "2.02", "2026-01-16"],
    ["3", None, None],
]

BAD_BUDGET = [
    ["1", "1.01", "2026-01-15"],
    ["twelve", "1.01", "2026-01-15"],
    [None, "1.01", "2026-01-15"],
    ["1", "twelve", "2026-01-15"],
    ["1", "1.01", "someday"],
]

BROKEN_BUDGET_RULES = [
    "cost_center is not a whole number",
    "cost_center is required",
    "amount is not a number",
    "due is not a date like 2026-01-31",
]

GOOD_DEVICES = [
    ["0ab920fd-4894-5356-93b0-eaf4a590e5e4", "2026-01-15", "1.01", "true"],
    ["5ba3387f-4064-554b-8169-94a7e76bef04", "2026-01-16", "2.02", "false"],
    ["f0061939-5f23-58cf-8fd2-39947ae6d6c1", None, None, None],
]

BAD_DEVICES = [
    ["0ab920fd-4894-5356-93b0-eaf4a590e5e4", "2026-01-15", "1.01", "true"],
    ["no-uuid", "2026-01-15", "1.01", "true"],
    [None, "2026-01-15", "1.01", "true"],
    ["0ab920fd-4894-5356-93b0-eaf4a590e5e4", "someday", "1.01", "true"],
    ["0ab920fd-4894-5356-93b0-eaf4a590e5e4", "2026-01-15", "twelve", "true"],
    ["0ab920fd-4894-5356-93b0-eaf4a590e5e4", "2026-01-15", "1.01", "maybe"],
]

BROKEN_DEVICES_RULES = [
    "id is not a UUID",
    "id is required",
    "bought is not a date like 2026-01-31",
    "price is not a number",
    "active is not a boolean",
]


def test_budget_are_loaded_once(destination: Destination, tmp_path: Path) -> None:
    file = tmp_path / "budget.xlsx"
    write_sample(file, budget, GOOD_BUDGET)

    counts = load_from(destination, LocalFolder(tmp_path), budget)
    rows = rows_of(destination, budget)
    load_from(destination, LocalFolder(tmp_path), budget)

    assert reasons_of(destination) == []
    assert counts.loaded == len(rows) == 3
    assert rows_of(destination, budget) == rows


def test_bad_budget_are_set_aside(destination: Destination, tmp_path: Path) -> None:
    file = tmp_path / "budget.xlsx"
    write_sample(file, budget, BAD_BUDGET)

    counts = load_from(destination, LocalFolder(tmp_path), budget)

    assert reasons_of(destination) == BROKEN_BUDGET_RULES
    assert counts.loaded == 1


def test_devices_are_loaded_once(destination: Destination, tmp_path: Path) -> None:
    file = tmp_path / "devices.feather"
    write_sample(file, devices, GOOD_DEVICES)

    counts = load_from(destination, LocalFolder(tmp_path), devices)
    rows = rows_of(destination, devices)
    load_from(destination, LocalFolder(tmp_path), devices)

    assert reasons_of(destination) == []
    assert counts.loaded == len(rows) == 3
    assert rows_of(destination, devices) == rows


def test_bad_devices_are_set_aside(destination: Destination, tmp_path: Path) -> None:
    file = tmp_path / "devices.feather"
    write_sample(file, devices, BAD_DEVICES)

    counts = load_from(destination, LocalFolder(tmp_path), devices)

    assert reasons_of(destination) == BROKEN_DEVICES_RULES
    assert counts.loaded == 1


def test_the_dag_loads_every_resource(
    run_dag: Callable[[str], Any],
    destination: Destination,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "budget.xlsx"
    write_sample(file, budget, GOOD_BUDGET)
    file = tmp_path / "devices.feather"
    write_sample(file, devices, GOOD_DEVICES)
    monkeypatch.setattr(connection, "connect", lambda: LocalFolder(tmp_path))

    run = run_dag("exports__office")

    assert run.state == "success"
    assert len(rows_of(destination, budget)) == 3
    assert len(rows_of(destination, devices)) == 3
