"""What a SELECT gives, from SQLite: each cell as it is, whatever its column says."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, Select

from .sql_fetch import FIRST_ROWS, next_size, texts

NOT_UTF8 = "Could not decode to UTF-8"
KEPT = "surrogateescape"  # what is no UTF-8 stays in the text, as half characters
Unreadable = Callable[[int, str, str], None]


def rows_of(
    connection: Connection, rows: Select[Any], unreadable: Unreadable
) -> Iterator[tuple[Sequence[int], pa.Table]]:
    """The rows in batches, each with the positions of its rows, counted from 1.

    A row whose text is not UTF-8 is `unreadable`, and in no batch.
    """
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    query = rows.compile(dialect=connection.dialect)
    values = [query.params[name] for name in query.positiontup or ()]
    names = list(rows.selected_columns.keys())
    given, size = 0, FIRST_ROWS
    cursor = raw.execute(str(query), values)
    while True:
        try:
            found = cursor.fetchmany(size)
        except sqlite3.OperationalError as error:
            if raw.text_factory is not str or NOT_UTF8 not in str(error):
                raise
            # Once more from the start, which is still the same moment, and slower.
            raw.text_factory = partial(str, encoding="utf-8", errors=KEPT)
            cursor = raw.execute(str(query), values)
            _skip(cursor, given)
            continue
        if not found:
            return
        positions: Sequence[int] = range(given + 1, given + 1 + len(found))
        given += len(found)
        if raw.text_factory is not str:
            positions, found = _readable(positions, found, names, unreadable)
        columns = list(zip(*found, strict=True)) or [()] * len(names)
        batch = pa.table([texts(cells) for cells in columns], names)
        yield positions, batch
        size = next_size(size, batch)


def _skip(cursor: sqlite3.Cursor, rows: int) -> None:
    while rows:
        rows -= len(cursor.fetchmany(min(rows, FIRST_ROWS)))


def _readable(
    positions: Sequence[int],
    rows: Sequence[tuple[Any, ...]],
    names: Sequence[str],
    unreadable: Unreadable,
) -> tuple[list[int], list[tuple[Any, ...]]]:
    good = []
    for position, row in zip(positions, rows, strict=True):
        wrong = [
            name for name, cell in zip(names, row, strict=True) if not _is_utf8(cell)
        ]
        if wrong:
            rule = f"{', '.join(wrong)} is not UTF-8"
            unreadable(position, rule, ascii(dict(zip(names, row, strict=True))))
        else:
            good.append((position, row))
    return [position for position, _ in good], [row for _, row in good]


def _is_utf8(cell: Any) -> bool:
    return not isinstance(cell, str) or not any("\ud800" <= c <= "\udfff" for c in cell)
