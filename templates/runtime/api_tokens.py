"""Tokens of APIs that replace them with each use, in the table `api_tokens` of the work schema.

Only the role that loads can read it. A token goes there by COPY: the text of a statement can be
seen by others, in `pg_stat_activity` and in the server's log.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    TIMESTAMP,
    Column,
    Connection,
    MetaData,
    Table,
    Text,
    delete,
    extract,
    func,
    select,
)

from .connect import WORK_SCHEMA, Destination, create_schema

LOCK_TIMEOUT = "60s"

api_tokens = Table(
    "api_tokens",
    MetaData(schema=WORK_SCHEMA),
    Column("api", Text, primary_key=True),
    Column("first", Text, nullable=False, comment="SHA-256 of the token of the start"),
    Column("refresh_token", Text, nullable=False),
    Column("access_token", Text, nullable=False),
    Column("good_until", TIMESTAMP(timezone=True), nullable=False),
)


@dataclass
class Kept:
    """The tokens of an API; `seconds` are those that the access token is still good for."""

    refresh_token: str
    access_token: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class TokenTable:
    """Where the tokens of one API are kept, in the database that `open` gives."""

    open: Callable[[], Destination]
    api: str

    @contextmanager
    def locked(self, first: str) -> Iterator[Kept]:
        """The tokens, while nobody else has them; at the end of the block they are in the table.

        With another `first` than those there came from, all begins with that one.
        """
        destination = self.open()
        try:
            with destination.transaction(LOCK_TIMEOUT) as connection:
                # This is also what holds other runs back until the transaction ends.
                create_schema(connection, destination.work_schema)
                api_tokens.create(connection, checkfirst=True)
                digest = hashlib.sha256(first.encode()).hexdigest()
                kept = self._kept(connection, digest) or Kept(first)
                yield kept
                self._keep(connection, digest, kept)
        finally:
            destination.engine.dispose()

    def _kept(self, connection: Connection, first: str) -> Kept | None:
        seconds = extract("epoch", api_tokens.c.good_until - func.clock_timestamp())
        found = connection.execute(
            select(api_tokens, seconds.label("seconds")).where(
                api_tokens.c.api == self.api, api_tokens.c.first == first
            )
        ).one_or_none()
        if found is None:
            return None
        return Kept(found.refresh_token, found.access_token, float(found.seconds))

    def _keep(self, connection: Connection, first: str, kept: Kept) -> None:
        now: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
        good_until = now + timedelta(seconds=kept.seconds)
        line = io.StringIO()
        csv.writer(line).writerow(
            [self.api, first, kept.refresh_token, kept.access_token, good_until]
        )
        connection.execute(delete(api_tokens).where(api_tokens.c.api == self.api))
        line.seek(0)
        with closing(connection.connection.cursor()) as cursor:
            cursor.copy_expert(
                f"COPY {self._name(connection)} FROM STDIN (FORMAT csv)", line
            )

    def _name(self, connection: Connection) -> str:
        schema = connection.get_execution_options()["schema_translate_map"][WORK_SCHEMA]
        return connection.dialect.identifier_preparer.format_table(
            api_tokens.to_metadata(MetaData(), schema=schema)
        )
