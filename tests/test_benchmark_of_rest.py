"""The benchmark of REST APIs runs, and each reader sees every record; how fast is not tested."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_it_prints_a_line_for_each_reader() -> None:
    command = [sys.executable, "-m", "benchmarks.extract.rest", "--pages", "3", "--runs", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)

    assert done.returncode == 0, done.stdout + done.stderr
    head, _, *lines = done.stdout.splitlines()
    assert head == "3 pages of 200 records, median of 1"
    names = [line.partition("  ")[0] for line in lines]
    assert names == ["one by one", "ours, 1", "ours, 4", "ours, 8", "ours, 16"]
