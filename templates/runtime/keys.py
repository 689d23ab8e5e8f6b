"""What a resource is read for, one after the other: the keys of another table, or given values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import (
    ColumnClause,
    Connection,
    Text,
    cast,
    column,
    inspect,
    select,
    table,
)

from .environment import Environment
from .errors import ConfigError
from .resource import DELETED_AT


class Keys(Protocol):
    """Values that a resource is read for."""

    @property
    def table(self) -> str | None:
        """The table that they stand in, which is loaded before."""

    def read(self, connection: Connection, schema: str | None) -> list[str]:
        """All of them as text, each once."""


@dataclass(frozen=True)
class KeysOf:
    """Each value of a column of another table of the destination."""

    table: str
    column: str

    def read(self, connection: Connection, schema: str | None) -> list[str]:
        """Those that are in the table now, in order."""
        database = inspect(connection)
        if not database.has_table(self.table, schema):
            name = f"{schema}.{self.table}" if schema else self.table
            raise ConfigError(
                f"{name} is not there yet, and this is read for each {self.column} of it",
                f"Run the resource that loads {name} before.",
            )
        columns = database.get_columns(self.table, schema)
        value: ColumnClause[Any] = column(self.column)
        deleted_at: ColumnClause[Any] = column(DELETED_AT)
        parents = table(self.table, value, deleted_at, schema=schema)
        there = [value.is_not(None)]
        # A row that is kept though the source deleted it has nothing to be read any more.
        if any(one["name"] == DELETED_AT for one in columns):
            there.append(deleted_at.is_(None))
        known = select(value).select_from(parents).where(*there).distinct().subquery()
        key = known.c[self.column]
        texts = select(cast(key, Text)).order_by(key)
        return list(connection.execute(texts).scalars())


@dataclass(frozen=True)
class Given:
    """These values."""

    values: Sequence[str]
    table = None

    def read(self, connection: Connection, schema: str | None) -> list[str]:
        """They need no database."""
        return list(dict.fromkeys(self.values))


@dataclass(frozen=True)
class Listed:
    """The values in a variable of the environment, with commas between them."""

    environment: Environment
    variable: str
    default: str | None = None
    table = None

    def read(self, connection: Connection, schema: str | None) -> list[str]:
        """As they stand there when the run is planned, each once."""
        if self.default is None:
            text = self.environment.require(self.variable, "17,18,19")
        else:
            text = self.environment.get(self.variable, self.default)
        values = [value.strip() for value in text.split(",")]
        return list(dict.fromkeys(value for value in values if value))
