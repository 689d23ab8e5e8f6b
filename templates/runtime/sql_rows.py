"""Rows of a table or a query, in batches of bounded size, every cell as text.

A batch's index is the row's number in its partition, from 1, in the order of `order_by`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from itertools import pairwise
from typing import Any

import pandas as pd
import pyarrow as pa
from sqlalchemy import (
    Connection,
    FromClause,
    Select,
    and_,
    column,
    or_,
    select,
    table,
    text,
)

from .resource import Partition, Range, Window
from .sql_bounds import ByDays, ByKey, between
from .sql_copy import copied
from .sql_database import Database
from .sql_fetch import fetched
from .sql_sqlite import rows_of

# What SQLAlchemy would take for a parameter in the text of a query.
PARAMETER = re.compile(r"(?<![:\w\\]):(?=[\w$])")


@dataclass(frozen=True)
class SqlRows:
    """Columns of what a subclass selects from.

    `cursor` is the column, as the source calls it, whose values a window cuts; `timezone` is
    the zone of its values where the source's type has none. `split` cuts the rows into
    partitions.
    """

    _: KW_ONLY
    columns: Sequence[str]
    order_by: Sequence[str] = ()
    cursor: str | None = None
    timezone: str | None = None
    split: ByKey | ByDays | None = None

    def relation(self, schema: str | None) -> FromClause:
        """What is selected from."""
        raise NotImplementedError

    def partitions(self, database: Database, window: Window) -> list[Partition]:
        """The rows within the window, in one part or in several that do not overlap."""
        detail: dict[str, Any] = {}
        if self.cursor:
            detail["cursor"] = window.of(self.cursor).as_detail()
        if self.split is None:
            return [Partition(0, window, detail=detail)]
        with database.snapshot() as connection:
            cut_by = self.split.column
            rows = self._rows(database, connection, detail, [cut_by])
            bounds = self.split.bounds(connection, rows.subquery("part"))
        parts = [
            Range(cut_by, low, high) for low, high in pairwise([None, *bounds, None])
        ]
        return [
            Partition(number, window, detail={**detail, "part": part.as_detail()})
            for number, part in enumerate(parts)
        ]

    def read(self, database: Database, partition: Partition) -> Iterator[pd.DataFrame]:
        """The rows of one partition, as they are at one moment."""
        with database.snapshot() as connection:
            rows = self._rows(database, connection, partition.detail, self.columns)
            rows = rows.order_by(*map(column, self.order_by))
            for positions, batch in _numbered(connection, rows, partition):
                frame = batch.to_pandas(types_mapper=pd.ArrowDtype)
                frame.index = pd.Index(positions)
                yield frame

    def _rows(
        self,
        database: Database,
        connection: Connection,
        detail: Mapping[str, Any],
        columns: Sequence[str],
    ) -> Select[Any]:
        relation = database.relation(self)
        rows = select(*(relation.c[name] for name in columns))
        if "cursor" in detail:
            span = Range.of(detail["cursor"])
            inside = between(connection, relation.c[span.column], span, self.timezone)
            rows = rows.where(*inside)
        if "part" in detail:
            part = Range.of(detail["part"])
            cells = relation.c[part.column]
            inside = between(connection, cells, part, None)
            if part.low is None and inside:  # rows without a value belong to the first
                inside = [or_(cells.is_(None), and_(*inside))]
            rows = rows.where(*inside)
        return rows

    @property
    def _named(self) -> list[str]:
        others = (*self.order_by, *(c for c in (self.cursor,) if c))
        split = (self.split.column,) if self.split else ()
        return list(dict.fromkeys((*self.columns, *others, *split)))


@dataclass(frozen=True)
class TableRows(SqlRows):
    """Columns of a table or a view."""

    name: str

    def relation(self, schema: str | None) -> FromClause:
        """The table in this schema, or where the server looks without one."""
        return table(self.name, *map(column, self._named), schema=schema)


@dataclass(frozen=True)
class QueryRows(SqlRows):
    """Columns of what a SELECT gives; windows and parts are cut from around it."""

    query: str

    def relation(self, schema: str | None) -> FromClause:
        """The query; it names the schemas of its tables itself."""
        plain = PARAMETER.sub(r"\\:", self.query.strip().rstrip(";"))
        # A line of its own, for a query that ends in a comment.
        lines = text(f"\n{plain}\n").columns(*map(column, self._named))
        return lines.subquery("q")


def _numbered(
    connection: Connection, rows: Select[Any], partition: Partition
) -> Iterator[tuple[Sequence[int], pa.Table]]:
    """The rows in batches with their positions, by the way that is the dialect's own."""
    if connection.dialect.name == "sqlite":
        yield from rows_of(connection, rows, partition.reject)
        return
    stream = copied if connection.dialect.name == "postgresql" else fetched
    given = 0
    for batch in stream(connection, rows):
        yield range(given + 1, given + 1 + batch.num_rows), batch
        given += batch.num_rows
