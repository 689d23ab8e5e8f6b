"""How to reach the destination: one engine, short transactions, time limits on each of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    create_engine,
    func,
    inspect,
    make_url,
    select,
    text,
)
from sqlalchemy.exc import ArgumentError
from sqlalchemy.schema import CreateSchema

from .errors import ConfigError

# Ledger and staging tables name this schema; the engine translates it to the real work schema.
WORK_SCHEMA = "work schema"

CONNECT_ARGUMENTS: dict[str, Any] = {
    # COPY sends UTF-8, whatever the database and PGCLIENTENCODING say.
    "client_encoding": "UTF8",
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}


@dataclass(frozen=True)
class Destination:
    """The PostgreSQL database that we load, and the schema in it that holds our own tables."""

    engine: Engine
    work_schema: str

    @contextmanager
    def transaction(self, lock_timeout: str = "30s") -> Iterator[Connection]:
        """One transaction; waiting longer than `lock_timeout` for a lock is a retryable error."""
        with self.engine.begin() as connection:
            # SET LOCAL ends with the transaction, so it is safe behind a connection pooler.
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{lock_timeout}'")
            yield connection


def connect(url: URL, work_schema: str, application: str) -> Destination:
    """The destination behind a URL. Nothing is sent before the first transaction."""
    engine = create_engine(
        url,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={**CONNECT_ARGUMENTS, "application_name": application},
    )
    translated = engine.execution_options(
        schema_translate_map={WORK_SCHEMA: work_schema}
    )
    return Destination(translated, work_schema)


def create_schema(connection: Connection, schema: str) -> None:
    """Create a schema where it is missing, and hold others back from it until the transaction ends.

    (`IF NOT EXISTS` fails where two transactions do it at once, and where only a DBA may.)
    """
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(schema))))
    if not inspect(connection).has_schema(schema):
        connection.execute(CreateSchema(schema))


def column_types(
    connection: Connection, schema: str | None, table: str
) -> dict[str, str]:
    """The columns of a table and their types, as the server spells them."""
    found = connection.execute(
        text(
            "SELECT attname AS name, format_type(atttypid, atttypmod) AS type"
            " FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid"
            " JOIN pg_namespace ON pg_namespace.oid = relnamespace"
            " WHERE nspname = coalesce(:schema, current_schema()) AND relname = :table"
            " AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
        ),
        {"schema": schema, "table": table},
    )
    return {row.name: row.type for row in found}


def postgresql_url(url: str, password: str | None = None) -> URL:
    """Parse a URL and name its driver; `password` may hold characters that a URL can't.

    SQLAlchemy 2.1 reads a bare `postgresql://` as psycopg 3, so the driver is always named.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # Neither the text nor the cause: either may hold the password.
        raise ConfigError(
            "the database URL can't be read",
            "It looks like postgresql://user@host:5432/database; give a password with special "
            "characters apart, in the variable that ends in DATABASE_PASSWORD.",
        ) from None
    if parsed.drivername.partition("+")[0] not in ("postgres", "postgresql"):
        raise ConfigError(
            f"the destination is PostgreSQL, and the database URL is for {parsed.drivername!r}"
        )
    parsed = parsed.set(drivername="postgresql+psycopg2")
    return parsed if password is None else parsed.set(password=password)
