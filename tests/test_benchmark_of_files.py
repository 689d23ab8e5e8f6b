"""The benchmark of files runs, and what it loads is right; how much memory is for it to say."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.extract.files import HEADINGS, SUFFIXES, lineitem_as

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("format", SUFFIXES)
def test_the_file_is_the_same_every_time(format: str, tmp_path: Path) -> None:
    once, again = (lineitem_as(format, 250, tmp_path / name) for name in "ab")
    assert once.read_bytes() == again.read_bytes()


@pytest.mark.slow
def test_it_prints_a_line_for_each_format_and_size() -> None:
    command = [sys.executable, "-m", "benchmarks.extract.files", "--rows", "300", "--runs", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    heading, *lines = done.stdout[done.stdout.index("\nformat") :].splitlines()[1:]
    assert heading.split() == " ".join(HEADINGS).split()
    assert [line.split()[:2] for line in lines] == [
        [format, rows] for format in SUFFIXES for rows in ("300", "3,000")
    ]
    assert str(ROOT) not in done.stdout
