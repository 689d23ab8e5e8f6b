"""The destination's server crashes between two steps: what it lost is noticed, and loaded again."""

import os
import signal
import time
from pathlib import Path

import pytest

from runtime import embedded, loading
from runtime.connect import Destination, connect, postgresql_url
from runtime.errors import ContractError
from tests.runtime.feed import Feed, ids, load_as, orders, planned

pytestmark = [
    pytest.mark.slow,
    # Nobody waits for a server that crashed.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def crash(data: Path) -> None:
    """End the server of this folder at once, without a checkpoint."""
    os.kill(int((data / "postmaster.pid").read_text().split()[0]), signal.SIGQUIT)
    deadline = time.monotonic() + 30
    while embedded.running(data):
        assert time.monotonic() < deadline, "the server goes on"


def reached(data: Path) -> Destination:
    """The server of this folder, started where it is not; each start has another socket."""
    return connect(postgresql_url(embedded.start(data)), "etl_shop", "tests")


def test_rows_that_a_crash_took_from_staging_are_not_published(tmp_path: Path) -> None:
    data = tmp_path / "postgres"
    resource = Feed({"a": orders(1, 2)}).resource(load_as("merge"))
    before = reached(data)
    try:
        attempt = planned(before, resource)
        loading.write(before, attempt, resource, 0)
        before.engine.dispose()
        crash(data)
        after = reached(data)

        with pytest.raises(ContractError, match="0 rows are staged, 2 were written"):
            loading.audit(after, attempt, resource)

        assert loading.load(after, resource, "next", take_over=True).loaded == 2
        assert ids(after, resource.load.table) == [1, 2]
        after.engine.dispose()
    finally:
        embedded.stop(data)
