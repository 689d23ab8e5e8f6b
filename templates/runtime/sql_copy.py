"""What a SELECT gives, from PostgreSQL's COPY: text exactly as the server spells it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import Full, Queue
from typing import Any

import psycopg2
import pyarrow as pa
import pyarrow.csv
from sqlalchemy import Connection, Select, func, text

BATCH_BYTES = 2 << 20


class Stopped(Exception):
    """Nobody reads any more."""


class Batches(io.RawIOBase):
    """Takes rows from COPY, hands them over in batches of whole rows; holds two at most."""

    def __init__(self) -> None:
        self.full: Queue[bytes | None] = Queue(1)
        self.is_stopped = False
        self._rows: list[bytes] = []
        self._bytes = 0

    def write(self, row: Any) -> int:
        """Take one row: the server sends them one by one."""
        self._rows.append(row)
        self._bytes += len(row)
        if self._bytes >= BATCH_BYTES:
            self.hand_over()
        return len(row)

    def hand_over(self) -> None:
        """Give what there is to the reader."""
        if self._rows:
            self._put(b"".join(self._rows))
            self._rows, self._bytes = [], 0

    def end(self) -> None:
        """Say that nothing follows."""
        with suppress(Stopped):
            self._put(None)

    def _put(self, batch: bytes | None) -> None:
        while not self.is_stopped:
            try:
                return self.full.put(batch, timeout=0.2)
            except Full:
                continue
        raise Stopped


def copied(connection: Connection, rows: Select[Any]) -> Iterator[pa.Table]:
    """The rows in batches. COPY runs in a thread; whatever ends it early is raised here."""
    names = list(rows.selected_columns.keys())
    raw = connection.connection.driver_connection
    assert raw is not None
    query = _with_documents(connection, rows).compile(dialect=connection.dialect)
    batches = Batches()

    def copy() -> None:
        try:
            with raw.cursor() as cursor:
                select = cursor.mogrify(str(query), query.params).decode()
                cursor.copy_expert(f"COPY ({select}) TO STDOUT (FORMAT csv)", batches)
            batches.hand_over()
        finally:
            batches.end()

    with ThreadPoolExecutor(1, thread_name_prefix="copy") as pool:
        done = pool.submit(copy)
        try:
            while (batch := batches.full.get()) is not None:
                yield _parsed(batch, names)
            done.result()
        finally:
            batches.is_stopped = True
            if not done.done():
                with suppress(psycopg2.Error):
                    raw.cancel()


def _with_documents(connection: Connection, rows: Select[Any]) -> Select[Any]:
    """The same rows; arrays and composite values become JSON, which has them in one notation."""
    with connection.execute(rows.limit(0)) as result:
        assert result.cursor is not None
        types = [described[1] for described in result.cursor.description]
    nested = connection.execute(
        text(
            "SELECT oid FROM pg_type WHERE oid = ANY(:types) AND typcategory IN ('A', 'C', 'P')"
        ),
        {"types": types},
    )
    oids = set(nested.scalars())
    if not oids.intersection(types):
        return rows
    return rows.with_only_columns(
        *(
            func.to_jsonb(cell).label(cell.key) if type_ in oids else cell
            for cell, type_ in zip(rows.selected_columns, types, strict=True)
        ),
        maintain_column_froms=True,
    )


def _parsed(batch: bytes, names: list[str]) -> pa.Table:
    """NULL is nothing between two commas, an empty text is two quotes."""
    return pyarrow.csv.read_csv(
        pa.BufferReader(batch),
        pyarrow.csv.ReadOptions(
            use_threads=False, block_size=len(batch) + 1, column_names=names
        ),
        pyarrow.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        pyarrow.csv.ConvertOptions(
            column_types={name: pa.string() for name in names},
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
