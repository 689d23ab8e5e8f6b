"""A database that is read: a connection for each read, read only, with limits on waiting."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol, Self

import psycopg2
from sqlalchemy import (
    URL,
    Connection,
    Engine,
    FromClause,
    NullPool,
    create_engine,
    make_url,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from .connect import CONNECT_ARGUMENTS
from .errors import (
    SECRET_IN_URL,
    ConfigError,
    ContractError,
    PipelineError,
    RetryableError,
    from_server,
    is_retryable,
)

HOUR = 3600
# SQLAlchemy 2.1 reads some bare names as other drivers than the extras of this project.
DRIVERS = {
    "postgres": "postgresql+psycopg2",
    "postgresql": "postgresql+psycopg2",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
    "mssql": "mssql+pymssql",
    "oracle": "oracle+oracledb",
}
# One snapshot for the whole read; values spelled in one way whatever the server is set to.
SNAPSHOT: Mapping[str, Sequence[str]] = {
    "postgresql": (
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
        "SET LOCAL TIME ZONE 'UTC'",
        "SET LOCAL DateStyle = 'ISO'",
        "SET LOCAL IntervalStyle = 'iso_8601'",
        "SET LOCAL bytea_output = 'hex'",
        "SET LOCAL extra_float_digits = 1",
        "SET LOCAL lock_timeout = '30s'",
    ),
    "mysql": (
        # A slow destination makes us a slow reader, on whom the server would hang up.
        f"SET SESSION time_zone = '+00:00', net_write_timeout = {HOUR}",
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
    ),
}
# Too many connections, going down, lock wait, deadlock, can't connect, gone, lost in mid-query.
MYSQL_RETRYABLE = (1040, 1053, 1205, 1213, 2002, 2003, 2006, 2013)
SQLITE_RETRYABLE = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


class Selectable(Protocol):
    """What can be selected from, in a schema or where the server looks without one."""

    def relation(self, schema: str | None) -> FromClause: ...


@dataclass(frozen=True)
class Database:
    """A database, and the schema in it that tables are looked for in."""

    engine: Engine
    schema: str | None = None

    @classmethod
    def at(
        cls, url: str, *, password: str | None = None, schema: str | None = None
    ) -> Self:
        """The database behind a URL; nothing is sent before the first read.

        `password` may hold characters that a URL can't.
        """
        parsed = _parsed(url)
        if password is not None:
            parsed = parsed.set(password=password)
        options: dict[str, Any] = {"poolclass": NullPool, "hide_parameters": True}
        try:
            if parsed.get_backend_name() == "sqlite":
                opened = partial(_open_sqlite, parsed.database)
                engine = create_engine("sqlite://", creator=opened, **options)
            else:
                engine = create_engine(
                    parsed, connect_args=_connect_arguments(parsed), **options
                )
        except NoSuchModuleError:
            raise ConfigError(
                f"{parsed.drivername}: is no database that can be read",
                "A URL looks like postgresql://user@host:5432/database; also mysql:// and "
                "sqlite:////absolute/path.",
            ) from None
        except ModuleNotFoundError as error:
            raise ConfigError(
                f"{parsed.drivername} can't be read: {error}",
                "Install this project with the extra of that database, such as '.[mysql]'.",
            ) from None
        return cls(engine, schema)

    def relation(self, rows: Selectable) -> FromClause:
        """What is read: a table or a query, made for our schema."""
        return rows.relation(self.schema)

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A read-only transaction that sees the database as it is now, until it ends.

        Raises `RetryableError` where the database may be well again later, else `ContractError`.
        """
        try:
            with self.engine.connect() as connection:
                for statement in SNAPSHOT.get(connection.dialect.name, ()):
                    connection.exec_driver_sql(statement)
                yield connection
        except (DBAPIError, psycopg2.Error, sqlite3.Error) as error:
            raise self._judged(error) from None

    def _judged(
        self, error: DBAPIError | psycopg2.Error | sqlite3.Error
    ) -> PipelineError:
        """The error without what it was caused by, which may hold values or a password."""
        origin = error.orig if isinstance(error, DBAPIError) else error
        message = SECRET_IN_URL.sub(r"\1:***@", str(origin).strip())
        password = self.engine.url.password
        if password:
            message = message.replace(str(password), "***")
        kind = RetryableError if _may_pass(error) else ContractError
        return kind(f"the source database says: {message}")


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # Neither the text nor the cause: either may hold the password.
        raise ConfigError(
            "the URL of the source database can't be read",
            "It looks like postgresql://user@host:5432/database; give a password with special "
            "characters apart, in the variable that ends in PASSWORD.",
        ) from None
    return parsed.set(drivername=DRIVERS.get(parsed.drivername, parsed.drivername))


def _open_sqlite(database: str | None) -> sqlite3.Connection:
    """Read only: SQLite would make a file that is not there."""
    path = Path(database or "").absolute()
    if not path.is_file():
        raise ConfigError(f"there is no SQLite database {path}")
    return sqlite3.connect(
        f"{path.as_uri()}?mode=ro", uri=True, check_same_thread=False
    )


def _connect_arguments(url: URL) -> dict[str, Any]:
    if url.get_backend_name() == "postgresql":
        return {**CONNECT_ARGUMENTS, "application_name": "etl"}
    if url.drivername == "mysql+pymysql":
        from pymysql.converters import conversions

        # Without decoders each value comes as the server spells it, zero dates and all.
        encoders = {k: spell for k, spell in conversions.items() if isinstance(k, type)}
        return {
            "charset": "utf8mb4",
            "conv": encoders,
            "connect_timeout": 10,
            "read_timeout": HOUR,
        }
    return {}


def _may_pass(error: DBAPIError | psycopg2.Error | sqlite3.Error) -> bool:
    """Whether the same read may succeed later."""
    if from_server(error) is not None:
        return is_retryable(error)
    origin = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(origin, sqlite3.Error):
        # An extended code has the primary one in its lowest byte.
        return getattr(origin, "sqlite_errorcode", 0) & 0xFF in SQLITE_RETRYABLE
    if not isinstance(error, DBAPIError) or origin is None:
        return False
    known = origin.args[:1]
    return error.connection_invalidated or known in [(n,) for n in MYSQL_RETRYABLE]
