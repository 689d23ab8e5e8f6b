"""office: made-up files through the real code into a real PostgreSQL."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from club.runtime.connect import Destination
from club.runtime.folders import LocalFolder
from club.runtime.testing import load_from, reasons_of, rows_of
from club.sources.office import connection, fees, members

GOOD_FEES = [
    "Reference;Amount;Discount;Paid;Settled;Kind",
    "Fee, Member 17;1,01;1,01;15.01.2025;J;fee",
    "Fee, Member 17;2,02;2,02;16.01.2025;N;donation",
    "Fee, Member 17;;;;;fee",
]

BAD_FEES = [
    "Reference;Amount;Discount;Paid;Settled;Kind",
    "Fee, Member 17;1,01;1,01;15.01.2025;J;fee",
    ";1,01;1,01;15.01.2025;J;fee",
    "Fee, Member 17;twelve;1,01;15.01.2025;J;fee",
    "Fee, Member 17;1,01;twelve;15.01.2025;J;fee",
    "Fee, Member 17;1,01;1,01;someday;J;fee",
    "Fee, Member 17;1,01;1,01;31.12.2999;J;fee",
    "Fee, Member 17;1,01;1,01;15.01.2025;maybe;fee",
]

BROKEN_FEES_RULES = [
    "member_no is required",
    "amount is not a number",
    "discount is not a number",
    "paid_on is not a date in the format %d.%m.%Y or %Y-%m-%d",
    'paid_on breaks "is not in the future"',
    "settled is not a boolean",
]

GOOD_MEMBERS = [
    "member_no,E-Mail,Contact,IBAN,Name",
    "1,amber,amber,amber,aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "2,birch,amber,amber,bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
    "3,cedar,,,",
]

BAD_MEMBERS = [
    "member_no,E-Mail,Contact,IBAN,Name",
    "1,amber,amber,amber,aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "twelve,amber,amber,amber,aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ",amber,amber,amber,aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "1,,amber,amber,aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "1,amber,amber,amber,aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
]

BROKEN_MEMBERS_RULES = [
    "member_no is not a whole number",
    "member_no is required",
    "email is required",
    'name breaks "has at most 60 characters"',
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


def test_members_are_loaded_once(destination: Destination, tmp_path: Path) -> None:
    file = tmp_path / "members.csv"
    file.write_text("\n".join(GOOD_MEMBERS), encoding="utf-8")

    counts = load_from(destination, LocalFolder(tmp_path), members)
    rows = rows_of(destination, members)
    load_from(destination, LocalFolder(tmp_path), members)

    assert reasons_of(destination) == []
    assert counts.loaded == len(rows) == 3
    assert rows_of(destination, members) == rows


def test_bad_members_are_set_aside(destination: Destination, tmp_path: Path) -> None:
    file = tmp_path / "members.csv"
    file.write_text("\n".join(BAD_MEMBERS), encoding="utf-8")

    counts = load_from(destination, LocalFolder(tmp_path), members)

    assert reasons_of(destination) == BROKEN_MEMBERS_RULES
    assert counts.loaded == 1


def test_the_dag_loads_every_resource(
    run_dag: Callable[[str], Any],
    destination: Destination,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "fees-1.csv"
    file.write_text("\n".join(GOOD_FEES), encoding="utf-8")
    file = tmp_path / "members.csv"
    file.write_text("\n".join(GOOD_MEMBERS), encoding="utf-8")
    monkeypatch.setattr(connection, "connect", lambda: LocalFolder(tmp_path))

    run = run_dag("club__office")

    assert run.state == "success"
    assert len(rows_of(destination, fees)) == 3
    assert len(rows_of(destination, members)) == 3
