"""F36: a file of any size in bounded memory; what fails for lack of it changes nothing."""

import subprocess
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
LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]), int(sys.argv[1])))
from box_etl.cli import main
main(["run"])
"""


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


def test_f36_too_little_memory_leaves_the_table_as_it_was(
    make_project: MakeProject, inbox: Path
) -> None:
    project = make_project(RESOURCE)
    write(inbox / "things.csv", 2_000)
    project.run()
    before = project.query("SELECT * FROM box.things ORDER BY id")
    write(inbox / "things.csv", 60_000_000)
    limit = str(700 << 20)
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, limit],
        env=project.environment,
        cwd=project.root,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert project.query("SELECT * FROM box.things ORDER BY id") == before
    project.run()
    assert len(project.query("SELECT id FROM box.things")) > len(before)
