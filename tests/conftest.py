"""Databases for the tests: an embedded PostgreSQL, and the machine's own where there is one."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import settings
from sqlalchemy import URL, NullPool, create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from runtime import embedded

# How long an example takes is the machine's affair.
settings.register_profile("etlgen", deadline=None)
settings.load_profile("etlgen")

DRIVER = "postgresql+psycopg2"
MACHINE_SERVERS = (
    URL.create(DRIVER, "postgres", host="127.0.0.1", port=5432, database="postgres"),
    URL.create(DRIVER, database="postgres", query={"host": "/var/run/postgresql"}),
)
MARIADB = "mysql+pymysql://root@127.0.0.1:3306/"
EMPTY_AGAIN = """
    DO $$
    DECLARE
        name text;
    BEGIN
        PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid();
        FOR name IN SELECT nspname FROM pg_namespace
            WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
        LOOP
            EXECUTE format('DROP SCHEMA %I CASCADE', name);
        END LOOP;
        CREATE SCHEMA public;
        EXECUTE format('ALTER DATABASE %I RESET ALL', current_database());
    END
    $$
"""


class Databases:
    """Empty databases of one server. Emptying a used one takes a fifth of making another."""

    def __init__(self, server: URL) -> None:
        self.server = server
        self.all: list[URL] = []
        self.free: list[URL] = []

    @contextmanager
    def one(self) -> Iterator[str]:
        """One database, and whoever is still connected to it at the end is not any more."""
        database = self.free.pop() if self.free else self._make()
        yield database.render_as_string(hide_password=False)
        execute(database, EMPTY_AGAIN)
        self.free.append(database)

    def drop(self) -> None:
        execute(self.server, *(f"DROP DATABASE {url.database} WITH (FORCE)" for url in self.all))

    def _make(self) -> URL:
        database = self.server.set(database=f"test_{uuid4().hex}")
        execute(self.server, f"CREATE DATABASE {database.database}")
        self.all.append(database)
        return database


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Give `tmp_path` a place of its own: the default one is closed to others by every session of
    root's that starts, also to the PostgreSQL that root's processes run as another user."""
    if config.option.basetemp is None:
        session = Path(tempfile.mkdtemp(prefix="etlgen-tests-"))
        config.option.basetemp = str(session / "tmp")

        def clean() -> None:  # workers of pytest-xdist may end without stopping the server
            embedded.stop(session / "tmp" / "postgres")
            shutil.rmtree(session)

        config.add_cleanup(clean)


@pytest.fixture(scope="session")
def embedded_databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """On one server for the session, which the workers of pytest-xdist share."""
    session = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        session = session.parent
    server = make_url(embedded.start(session / "postgres"))
    execute(server, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
    databases = Databases(server)
    yield databases
    databases.drop()


@pytest.fixture(scope="session")
def machine_databases() -> Iterator[Databases]:
    """On the machine's own PostgreSQL. Without one its tests are skipped; in CI they fail."""
    reasons = []
    for server in MACHINE_SERVERS:
        try:
            execute(server, "SELECT 1")
        except OperationalError as error:
            reasons.append(str(error.orig).strip().splitlines()[0])
            continue
        databases = Databases(server)
        yield databases
        databases.drop()
        return
    message = f"no PostgreSQL on this machine: {'; '.join(reasons)}"
    if "CI" in os.environ:
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture
def postgres_url(embedded_databases: Databases) -> Iterator[str]:
    """An empty database in the embedded PostgreSQL."""
    with embedded_databases.one() as url:
        yield url


@pytest.fixture
def older_postgres_url(machine_databases: Databases) -> Iterator[str]:
    """An empty database in the machine's PostgreSQL; mark the test `service`."""
    with machine_databases.one() as url:
        yield url


@pytest.fixture(
    params=["postgres_url", pytest.param("older_postgres_url", marks=pytest.mark.service)],
    ids=["embedded", "server"],
)
def database(request: pytest.FixtureRequest) -> str:
    """An empty database: the test runs once on each server."""
    url: str = request.getfixturevalue(request.param)
    return url


@pytest.fixture
def mariadb_url() -> Iterator[str]:
    """An empty database in the machine's MariaDB; mark the test `service`."""
    pytest.importorskip("pymysql")
    server = create_engine(MARIADB, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    name = f"test_{uuid4().hex}"
    try:
        with server.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    except OperationalError as error:
        message = f"no MariaDB on this machine: {error.orig}"
        if "CI" in os.environ:
            pytest.fail(message)
        pytest.skip(message)
    yield f"{MARIADB}{name}"
    with server.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name}")


def execute(server: URL, *statements: str) -> None:
    """Run statements, each in a transaction of its own."""
    engine = create_engine(
        server,
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        connect_args={"connect_timeout": 2},
    )
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
