"""archive: made-up files through the real code into a real PostgreSQL."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from telemetry.runtime.connect import Destination
from telemetry.runtime.folders import LocalFolder
from telemetry.runtime.testing import load_from, reasons_of, rows_of
from telemetry.sources.archive import connection, notes

GOOD_NOTES = [
    "text",
    "amber",
    "birch",
    "cedar",
]


def test_notes_are_loaded_once(destination: Destination, tmp_path: Path) -> None:
    file = tmp_path / "notes.csv"
    file.write_text("\n".join(GOOD_NOTES), encoding="utf-8")

    counts = load_from(destination, LocalFolder(tmp_path), notes)
    rows = rows_of(destination, notes)
    load_from(destination, LocalFolder(tmp_path), notes)

    assert reasons_of(destination) == []
    assert counts.loaded == len(rows) == 3
    assert rows_of(destination, notes) == rows


def test_the_dag_loads_every_resource(
    run_dag: Callable[[str], Any],
    destination: Destination,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "notes.csv"
    file.write_text("\n".join(GOOD_NOTES), encoding="utf-8")
    monkeypatch.setattr(connection, "connect", lambda: LocalFolder(tmp_path))

    run = run_dag("telemetry__archive")

    assert run.state == "success"
    assert len(rows_of(destination, notes)) == 3
