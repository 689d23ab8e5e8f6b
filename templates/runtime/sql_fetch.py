"""What a SELECT gives, fetched a few rows at a time through any driver, as text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime, time
from decimal import Decimal
from types import NoneType
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, Select

BATCH_BYTES = 2 << 20
FIRST_ROWS, MOST_ROWS = 1_000, 100_000
MYSQL_BIT = 16


def fetched(connection: Connection, rows: Select[Any]) -> Iterator[pa.Table]:
    """The rows in batches, whose number of rows follows from the size of those before."""
    names = list(rows.selected_columns.keys())
    streaming = connection.execution_options(stream_results=True)
    with streaming.execute(rows) as result:
        bits = _bit_columns(result.cursor) if connection.dialect.name == "mysql" else ()
        size = FIRST_ROWS
        while found := result.fetchmany(size):
            columns = [
                (
                    pa.array(_numbers(cells), pa.string())
                    if index in bits
                    else texts(cells)
                )
                for index, cells in enumerate(zip(*found, strict=True))
            ]
            batch = pa.table(columns, names)
            yield batch
            size = next_size(size, batch)


def next_size(size: int, batch: pa.Table) -> int:
    """How many rows to fetch after a batch of so many."""
    fitting = batch.num_rows * BATCH_BYTES // max(1, batch.nbytes)
    return int(min(max(1, fitting), 10 * size, MOST_ROWS))


def texts(cells: Sequence[Any]) -> pa.Array:
    """Cells as text that can be read back exactly."""
    kinds = set(map(type, cells))
    if kinds <= {str, NoneType}:
        return pa.array(cells, pa.string())
    if kinds <= {int, NoneType}:
        with suppress(OverflowError, pa.ArrowInvalid):  # of more than 64 bits
            return pa.array(cells, pa.int64()).cast(pa.string())
    if kinds <= {int, float, str}:
        return pa.array(list(map(str, cells)), pa.string())
    spelled = [None if cell is None else _text(cell) for cell in cells]
    return pa.array(spelled, pa.string())


def _text(cell: Any) -> str:
    match cell:
        case str() | int() | float() if not isinstance(cell, bool):
            return str(cell)
        case bool():
            return "true" if cell else "false"
        case bytes() | bytearray() | memoryview():
            return bytes(cell).hex()
        case datetime():
            return cell.isoformat(" ")
        case date() | time():
            return cell.isoformat()
        case Decimal():
            return f"{cell:f}"
        case dict() | list():
            return json.dumps(cell, ensure_ascii=False, default=str)
    return str(cell)


def _bit_columns(cursor: Any) -> Sequence[int]:
    """The columns that MySQL sends as bytes though they are numbers."""
    types = [described[1] for described in cursor.description]
    return [index for index, type_ in enumerate(types) if type_ == MYSQL_BIT]


def _numbers(cells: Sequence[Any]) -> list[str | None]:
    return [None if cell is None else str(int.from_bytes(cell)) for cell in cells]
