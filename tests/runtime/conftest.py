"""What the tests of the load protocol share."""

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import NullPool, create_engine
from sqlalchemy.exc import OperationalError

from runtime.connect import Destination, connect, postgresql_url

WORK_SCHEMA = "etl_shop"
MARIADB = "mysql+pymysql://root@127.0.0.1:3306/"


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


@pytest.fixture
def mariadb_url() -> Iterator[str]:
    """An empty database in the machine's MariaDB; mark the test `service`."""
    pytest.importorskip("pymysql")
    server = create_engine(MARIADB, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    name = f"test_{uuid4().hex}"
    try:
        with server.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
    except OperationalError as error:
        message = f"no MariaDB on this machine: {error.orig}"
        if "CI" in os.environ:
            pytest.fail(message)
        pytest.skip(message)
    yield f"{MARIADB}{name}"
    with server.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name}")


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
