"""What the tests of the load protocol share."""

from collections.abc import Iterator
from pathlib import Path

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


@pytest.fixture(params=["sqlite", "postgresql", pytest.param("mariadb", marks=pytest.mark.service)])
def source_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind that is read."""
    if request.param == "sqlite":
        file = tmp_path / "source.sqlite"
        file.touch()
        return f"sqlite:///{file}"
    fixture = {"postgresql": "postgres_url", "mariadb": "mariadb_url"}[request.param]
    url: str = request.getfixturevalue(fixture)
    return url
