"""office: made-up files through the real code into a real PostgreSQL."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from club.runtime.connect import Destination
from club.runtime.folders import LocalFolder
from club.runtime.testing import load_from, reasons_of, rows_of
from club.sources.office import connection, fees

GOOD_FEES = [
    "Reference;Amount;Discount;Paid;Settled",
    "Fee, Member 17;1,01;1,01;15.01.2026;J",
    "Fee, Member 17;2,02;2,02;16.01.2026;N",
    "Fee, Member 17;;;;",
]

BAD_FEES = [
    "Reference;Amount;Discount;Paid;Settled",
    "Fee, Member 17;1,01;1,01;15.01.2026;J",
    ";1,01;1,01;15.01.2026;J",
    "Fee, Member 17;twelve;1,01;15.01.2026;J",
    "Fee, Member 17;1,01;twelve;15.01.2026;J",
    "Fee, Member 17;1,01;1,01;someday;J",
    "Fee, Member 17;1,01;1,01;15.01.2026;maybe",
]

BROKEN_FEES_RULES = [
    "member_no is required",
    "amount is not a number",
    "discount is not a number",
    "paid_on is not a date in the format %d.%m.%Y or %Y-%m-%d",
    "settled is not a boolean",
]


def test_fees_are_loaded_once(destination: Destination, tmp_path: Path) -> None:
    file = tmp_path / "fees-1.csv"
    file.write_text("\n".join(GOOD_FEES), encoding="utf-8")

    counts = load_from(destination, LocalFolder(tmp_path), fees)
    rows = rows_of(destination, fees)
    load_from(destination, LocalFolder(tmp_path), fees)

    assert reasons_of(destination) == []
    assert counts.loaded == len(rows) == 3
    assert rows_of(destination, fees) == rows


def test_bad_fees_are_set_aside(destination: Destination, tmp_path: Path) -> None:
    file = tmp_path / "fees-1.csv"
    file.write_text("\n".join(BAD_FEES), encoding="utf-8")

    counts = load_from(destination, LocalFolder(tmp_path), fees)

    assert reasons_of(destination) == BROKEN_FEES_RULES
    assert counts.loaded == 1


def test_the_dag_loads_every_resource(
    run_dag: Callable[[str], Any],
    destination: Destination,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "fees-1.csv"
    file.write_text("\n".join(GOOD_FEES), encoding="utf-8")
    monkeypatch.setattr(connection, "connect", lambda: LocalFolder(tmp_path))

    run = run_dag("club__office")

    assert run.state == "success"
    assert len(rows_of(destination, fees)) == 3
