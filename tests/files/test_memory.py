"""F36: a file of any size is loaded in bounded memory."""

import sys
from pathlib import Path

import pytest

from benchmarks.measure import Command

from .conftest import MakeProject

pytestmark = pytest.mark.slow

RESOURCE = """
things:
  path: things.csv
  columns:
    id: {type: bigint}
    note: {type: text}
"""
GIGABYTE = 1_000_000_000
NOTE = "many words and little said " * 40


def write(file: Path, size: int) -> int:
    """A file of about this size; gives the number of its rows."""
    rows = size // (len(NOTE) + 8)
    with file.open("w") as lines:
        lines.write("id,note\n")
        lines.writelines(f'{n},"{NOTE}"\n' for n in range(rows))
    return rows


def test_f36_a_gigabyte_is_loaded_in_300_megabytes(make_project: MakeProject, inbox: Path) -> None:
    project = make_project(RESOURCE)
    rows = write(inbox / "things.csv", GIGABYTE)
    taken = Command((sys.executable, "-m", "box_etl", "run"), project.environment).run()
    assert project.query("SELECT count(*) AS it FROM box.things") == [{"it": rows}]
    assert taken.peak < 300_000_000
