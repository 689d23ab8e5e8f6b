"""What the tests of the load protocol share."""

from collections.abc import Iterator

import pytest

from runtime.connect import Destination, connect, postgresql_url

WORK_SCHEMA = "etl_shop"


@pytest.fixture
def destination(database: str) -> Iterator[Destination]:
    """An empty destination, on each server."""
    reached = connect(postgresql_url(database), WORK_SCHEMA, "tests")
    yield reached
    reached.engine.dispose()


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries follow each other at once."""
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda seconds: None)
