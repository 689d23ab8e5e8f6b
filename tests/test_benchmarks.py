"""The benchmark runs, and what it loads is right; how fast is not for a test to say."""

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pyarrow.csv
import pytest

from benchmarks.__main__ import HEADINGS
from benchmarks.data import COLUMNS, KEY, lineitem
from benchmarks.extract.__main__ import HEADINGS as EXTRACT_HEADINGS
from benchmarks.project import LOADS

ROOT = Path(__file__).parents[1]


def test_the_file_is_the_same_every_time(tmp_path: Path) -> None:
    once, again = lineitem(250, tmp_path / "a"), lineitem(250, tmp_path / "b")

    assert once.read_bytes() == again.read_bytes()
    assert lineitem(250, tmp_path / "a") == once


def test_a_longer_file_begins_with_the_shorter_one(tmp_path: Path) -> None:
    short, long = lineitem(99_990, tmp_path), lineitem(100_010, tmp_path)

    assert long.read_bytes().startswith(short.read_bytes())


def test_the_file_has_the_columns_and_a_key(tmp_path: Path) -> None:
    read = pyarrow.csv.read_csv(lineitem(1000, tmp_path))

    assert read.column_names == list(COLUMNS)
    assert read.num_rows == 1000
    assert read.group_by(list(KEY)).aggregate([]).num_rows == 1000


@pytest.mark.slow
def test_it_prints_figures_and_that_both_sides_loaded_the_same() -> None:
    command = [sys.executable, "-m", "benchmarks", "--rows", "300", "--runs", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)

    assert done.returncode == 0, done.stdout + done.stderr
    heading, *lines = done.stdout[done.stdout.index("\nload") :].splitlines()[1:]
    assert heading.split() == " ".join(HEADINGS).split()
    assert [line.split()[0] for line in lines] == list(LOADS)
    for line in lines:
        cells = line.split()
        assert all(Decimal(cell) >= 0 for cell in cells[2:12])
        assert cells[1] == cells[12] == "300"
        assert cells[-1] == "yes"
    assert str(ROOT) not in done.stdout


@pytest.mark.slow
def test_the_commands_of_etlgen_are_measured_in_projects_of_any_size() -> None:
    command = [sys.executable, "-m", "benchmarks.generate", "--sources", "3", "--runs", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)

    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("--help", "new", "add-source", "check", "generate"):
        (line,) = [one for one in done.stdout.splitlines() if one.split()[:1] == [name]]
        assert all(Decimal(cell) > 0 for cell in line.split()[1:] if cell != "<")


@pytest.mark.slow
def test_rows_of_both_databases_arrive_as_they_are() -> None:
    command = [sys.executable, "-m", "benchmarks.extract", "--rows", "300", "--runs", "1"]
    done = subprocess.run(
        [*command, "--by", "pandas.read_sql"], cwd=ROOT, capture_output=True, text=True, timeout=300
    )

    assert done.returncode == 0, done.stdout + done.stderr
    heading, *lines = done.stdout[done.stdout.index("\nfrom") :].splitlines()[1:]
    assert heading.split() == " ".join(EXTRACT_HEADINGS).split()
    assert [line.split()[0] for line in lines] == ["postgresql", "postgresql", "sqlite", "sqlite"]
    assert [line.split()[-2] for line in lines] == ["yes"] * 4
