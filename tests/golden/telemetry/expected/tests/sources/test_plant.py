"""plant: made-up files through the real code into a real PostgreSQL."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from telemetry.runtime.connect import Destination
from telemetry.runtime.folders import LocalFolder
from telemetry.runtime.testing import load_from, reasons_of, rows_of
from telemetry.sources.plant import class_, connection, readings

GOOD_READINGS = [
    "0ab920fd-4894-5356-93b0-eaf4a590e5e4,20260115093000,1.5,true,c2FtcGxlIDE=,1,09:30:00,1.01",
    "5ba3387f-4064-554b-8169-94a7e76bef04,20260116093100,2.5,false,c2FtcGxlIDI=,2,09:31:00,2.02",
    "f0061939-5f23-58cf-8fd2-39947ae6d6c1,,,,,,,",
]

BAD_READINGS = [
    "0ab920fd-4894-5356-93b0-eaf4a590e5e4,20260115093000,1.5,true,c2FtcGxlIDE=,1,09:30:00,1.01",
    "no-uuid,20260115093000,1.5,true,c2FtcGxlIDE=,1,09:30:00,1.01",
    ",20260115093000,1.5,true,c2FtcGxlIDE=,1,09:30:00,1.01",
    "0ab920fd-4894-5356-93b0-eaf4a590e5e4,someday,1.5,true,c2FtcGxlIDE=,1,09:30:00,1.01",
    "0ab920fd-4894-5356-93b0-eaf4a590e5e4,20260115093000,twelve,true,c2FtcGxlIDE=,1,09:30:00,1.01",
    "0ab920fd-4894-5356-93b0-eaf4a590e5e4,20260115093000,1.5,maybe,c2FtcGxlIDE=,1,09:30:00,1.01",
    "0ab920fd-4894-5356-93b0-eaf4a590e5e4,20260115093000,1.5,true,?!,1,09:30:00,1.01",
    "0ab920fd-4894-5356-93b0-eaf4a590e5e4,20260115093000,1.5,true,c2FtcGxlIDE=,twelve,09:30:00,1.01",
    "0ab920fd-4894-5356-93b0-eaf4a590e5e4,20260115093000,1.5,true,c2FtcGxlIDE=,1,sometime,1.01",
    "0ab920fd-4894-5356-93b0-eaf4a590e5e4,20260115093000,1.5,true,c2FtcGxlIDE=,1,09:30:00,twelve",
]

BROKEN_READINGS_RULES = [
    "device is not a UUID",
    "device is required",
    "taken_at is not a timestamp in the format %Y%m%d%H%M%S",
    "celsius is not a number",
    "raised is not a boolean",
    "payload is not base64",
    "count is not a whole number",
    "at is not a time like 23:59:59",
    "100 % is not a number",
]

GOOD_CLASS = [
    "[",
    '{"code": "aaaaaaaa", "limits": {"sample": 1}, "since": "2026-01-15", "weight": 1},',
    '{"code": "bbbbbbbb", "limits": {"sample": 2}, "since": "2026-01-16", "weight": 2},',
    '{"code": "cccccccc", "limits": {"sample": 3}, "since": null, "weight": null}',
    "]",
]

BAD_CLASS = [
    "[",
    '{"code": "aaaaaaaa", "limits": {"sample": 1}, "since": "2026-01-15", "weight": 1},',
    '{"code": null, "limits": {"sample": 1}, "since": "2026-01-15", "weight": 1},',
    '{"code": "aaaaaaaaa", "limits": {"sample": 1}, "since": "2026-01-15", "weight": 1},',
    '{"code": "aaaaaaaa", "limits": null, "since": "2026-01-15", "weight": 1},',
    '{"code": "aaaaaaaa", "limits": {"sample": 1}, "since": "someday", "weight": 1},',
    '{"code": "aaaaaaaa", "limits": {"sample": 1}, "since": "1999-12-31", "weight": 1},',
    '{"code": "aaaaaaaa", "limits": {"sample": 1}, "since": "2026-01-15", "weight": "twelve"}',
    "]",
]

BROKEN_CLASS_RULES = [
    "code is required",
    'code breaks "has at most 8 characters"',
    "limits is required",
    "since is not a date like 2026-01-31",
    'since breaks "is at least 2000-01-01"',
    "weight is not a whole number",
]


def test_readings_are_loaded_once(destination: Destination, tmp_path: Path) -> None:
    file = tmp_path / "readings_1.csv"
    file.write_text("\n".join(GOOD_READINGS), encoding="iso8859-1")

    counts = load_from(destination, LocalFolder(tmp_path), readings)
    rows = rows_of(destination, readings)
    load_from(destination, LocalFolder(tmp_path), readings)

    assert reasons_of(destination) == []
    assert counts.loaded == len(rows) == 3
    assert rows_of(destination, readings) == rows


def test_bad_readings_are_set_aside(destination: Destination, tmp_path: Path) -> None:
    file = tmp_path / "readings_1.csv"
    file.write_text("\n".join(BAD_READINGS), encoding="iso8859-1")

    counts = load_from(destination, LocalFolder(tmp_path), readings)

    assert reasons_of(destination) == BROKEN_READINGS_RULES
    assert counts.loaded == 1


def test_class__are_loaded_once(destination: Destination, tmp_path: Path) -> None:
    file = tmp_path / "classes.json"
    file.write_text("\n".join(GOOD_CLASS), encoding="utf-8")

    counts = load_from(destination, LocalFolder(tmp_path), class_)
    rows = rows_of(destination, class_)
    load_from(destination, LocalFolder(tmp_path), class_)

    assert reasons_of(destination) == []
    assert counts.loaded == len(rows) == 3
    assert rows_of(destination, class_) == rows


def test_bad_class__are_set_aside(destination: Destination, tmp_path: Path) -> None:
    file = tmp_path / "classes.json"
    file.write_text("\n".join(BAD_CLASS), encoding="utf-8")

    counts = load_from(destination, LocalFolder(tmp_path), class_)

    assert reasons_of(destination) == BROKEN_CLASS_RULES
    assert counts.loaded == 1


def test_the_dag_loads_every_resource(
    run_dag: Callable[[str], Any],
    destination: Destination,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "readings_1.csv"
    file.write_text("\n".join(GOOD_READINGS), encoding="iso8859-1")
    file = tmp_path / "classes.json"
    file.write_text("\n".join(GOOD_CLASS), encoding="utf-8")
    monkeypatch.setattr(connection, "connect", lambda: LocalFolder(tmp_path))

    run = run_dag("telemetry__plant")

    assert run.state == "success"
    assert len(rows_of(destination, readings)) == 3
    assert len(rows_of(destination, class_)) == 3
