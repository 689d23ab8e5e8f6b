"""The demo, run once for all tests that look at it."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from runtime import embedded
from tests.docs.markdown import ROOT


@dataclass(frozen=True)
class Demo:
    """The project that `etlgen demo` made, and what it printed."""

    root: Path
    printed: str

    @property
    def database(self) -> Path:
        return self.root / ".postgres" / "data"


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """Run by the first of pytest-xdist's workers that asks."""
    session = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        session = session.parent
    folder = session / "etlgen-demo"
    folder.mkdir(exist_ok=True)
    printed = folder / "printed.txt"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not printed.exists():
            done = subprocess.run(
                [sys.executable, "-m", "etlgen", "demo"],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                capture_output=True,
                text=True,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            printed.write_text(done.stdout)
    return Demo(folder / "demo", printed.read_text())


@pytest.fixture
def demo_url(demo: Demo) -> Iterator[str]:
    """The demo's database, which stops again."""
    yield embedded.start(demo.database)
    embedded.stop(demo.database)
