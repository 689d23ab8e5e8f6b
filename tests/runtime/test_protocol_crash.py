"""kill -9 at any moment: the table is old or new, and the next run puts all right."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from runtime import attempts, ledger
from runtime.connect import Destination, connect, postgresql_url
from tests.runtime.conftest import WORK_SCHEMA
from tests.runtime.feed import DISPOSITIONS, contents, orders_table, staging_tables

ROOT = Path(__file__).parents[2]
FILES, ROWS, KILLS = 3, 200, 30
Rows = list[tuple[Any, ...]]


class Loads:
    """Loads in processes that can be killed."""

    def __init__(self, database: str, folder: Path) -> None:
        self.folder = folder
        self.server = subprocess.Popen(
            [sys.executable, "-m", "tests.runtime.crashing", database, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'templates'}"},
        )

    def start(self, disposition: str, run: str) -> int:
        assert self.server.stdin is not None
        self.server.stdin.write(f"{disposition} {run}\n")
        self.server.stdin.flush()
        return int(self._line())

    def end(self) -> int:
        return os.waitstatus_to_exitcode(int(self._line()))

    def _line(self) -> str:
        assert self.server.stdout is not None
        while (line := self.server.stdout.readline().strip()) and not line.isdecimal():
            pass  # a log record
        return line

    def run(self, disposition: str, run: str) -> float:
        """Seconds that one whole load takes."""
        start = time.monotonic()
        self.start(disposition, run)
        assert self.end() == 0
        return time.monotonic() - start

    def write(self, disposition: str, version: int, size: int = ROWS) -> Rows:
        """The files of one version, and what the table holds once they are loaded."""
        folder = self.folder / disposition
        folder.mkdir(parents=True, exist_ok=True)
        rows: Rows = []
        for number in range(FILES):
            lines = ["id,amount,note,updated_at"]
            for n in range(size):
                id = number * size + n
                amount = -1 if n % 50 == 7 else version
                lines.append(f"{id},{amount},{disposition},2026-01-01T00:00:{version:02}Z")
                if amount == version:
                    rows.append((id, Decimal(version)))
            (folder / f"{number}.csv").write_text("\n".join(lines) + "\n")
        return rows


@pytest.fixture
def loads(postgres_url: str, tmp_path: Path) -> Iterator[Loads]:
    loads = Loads(postgres_url, tmp_path)
    yield loads
    assert loads.server.stdin is not None
    loads.server.stdin.close()
    loads.server.wait(timeout=30)
    assert loads.server.stdout is not None
    loads.server.stdout.close()


@pytest.fixture
def target(postgres_url: str) -> Iterator[Destination]:
    destination = connect(postgresql_url(postgres_url), WORK_SCHEMA, "tests")
    yield destination
    destination.engine.dispose()


def table_now(destination: Destination, disposition: str) -> Rows:
    return sorted(contents(destination, orders_table(disposition), "id", "amount"))


@pytest.mark.slow
@pytest.mark.parametrize("disposition", DISPOSITIONS)
def test_kill_9(loads: Loads, target: Destination, disposition: str) -> None:
    moments = random.Random(f"kill {disposition}")
    loads.write(disposition, 0)
    loads.run(disposition, "warm-up")
    old = loads.write(disposition, 1)
    longest = max(loads.run(disposition, f"measure-{n}") for n in range(2))
    outcomes = {"old": 0, "new": 0}
    for version in range(2, KILLS + 2):
        new = loads.write(disposition, version)
        process = loads.start(disposition, f"run-{version}")
        time.sleep(moments.uniform(0, longest))
        with suppress(ProcessLookupError):  # it was faster
            os.killpg(process, signal.SIGKILL)
        loads.end()
        wait_until_alone(target)

        now = table_now(target, disposition)
        assert now in (old, new), f"a mix after kill {version}"
        outcomes["old" if now == old else "new"] += 1

        loads.run(disposition, f"run-{version}" if version % 2 else f"next-{version}")
        assert table_now(target, disposition) == new
        assert staging_tables(target) == []
        with target.transaction() as connection:
            open_entries = select(ledger.quarantine.c.source_row).where(
                ledger.quarantine.c.superseded_by.is_(None)
            )
            assert len(connection.execute(open_entries).all()) == FILES * (ROWS // 50)
            live = select(ledger.attempts).where(ledger.attempts.c.status.in_(attempts.LIVE))
            assert connection.execute(live).all() == []
        old = new
    print(f"{disposition}: {outcomes}, a load takes {longest:.2f} s")
    assert outcomes["old"] > KILLS / 4


def wait_until_alone(destination: Destination) -> None:
    """Until the server has noticed that its client is gone: a COMMIT on its way may still count."""
    query = text("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'crashing'")
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with destination.transaction() as connection:
            if connection.execute(query).scalar() == 0:
                return
        time.sleep(0.01)
    raise TimeoutError("the server still serves the killed process")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["TERM", "INT"]
)
def test_a_polite_signal_is_recorded(
    loads: Loads, target: Destination, number: signal.Signals, code: int
) -> None:
    """The load stops at once, and the ledger says that somebody stopped it."""
    old = loads.write("merge", 1)
    loads.run("merge", "first")
    loads.write("merge", 2, size=20_000)  # seconds of work
    process = loads.start("merge", "second")
    attempts = select(ledger.attempts.c.status).where(ledger.attempts.c.run_id == "second")
    while True:
        with target.transaction() as connection:
            if connection.execute(attempts).scalar_one_or_none() == "planned":
                break
    sent = time.monotonic()
    os.kill(process, number)
    assert loads.end() == code
    assert time.monotonic() - sent < 10
    with target.transaction() as connection:
        assert connection.execute(attempts).scalar_one() == "aborted"
    assert table_now(target, "merge") == old
    assert staging_tables(target) == []
