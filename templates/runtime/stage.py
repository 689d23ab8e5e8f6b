"""Rows on their way: a staging table for each attempt, filled by COPY.

Binary COPY trusts its caller: an int64 sent into a numeric column is stored as another number,
silently. So it is used only where a closed map says that the Arrow types are exactly what the
columns are; every other table goes as CSV text, which the server itself reads.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing

import pgpq
import psycopg2
import pyarrow as pa
import pyarrow.csv
from pgpq.encoders import StringEncoderBuilder
from pgpq.schema import Jsonb
from psycopg2.sql import SQL, Identifier
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    Join,
    MetaData,
    Table,
    and_,
)

from . import ledger
from .attempts import Attempt
from .conform import staged_columns
from .connect import WORK_SCHEMA, column_types
from .errors import is_data_error

# PostgreSQL's type -> the one Arrow type that is exact for it; numeric(p,s) is decimal128(p,s).
BINARY_ROUTES = {
    "text": pa.string(),
    "boolean": pa.bool_(),
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "double precision": pa.float64(),
    "date": pa.date32(),
    "time without time zone": pa.time64("us"),
    "timestamp without time zone": pa.timestamp("us"),
    "timestamp with time zone": pa.timestamp("us", "UTC"),
    "uuid": pa.binary(16),
    "bytea": pa.binary(),
    "jsonb": pa.string(),
} | {
    f"numeric({precision},{scale})": pa.decimal128(precision, scale)
    for precision in range(1, 39)
    for scale in range(precision + 1)
}


def staging_table(attempt: Attempt, target: Table) -> Table:
    """The table in which an attempt on `target` stages its rows, with where each row came from.

    It is not logged: a server that crashes empties it, and the counts of the attempt say so.
    """
    return Table(
        attempt.staging,
        MetaData(schema=WORK_SCHEMA),
        Column("_partition", Integer, nullable=False),
        Column("_try", Integer, nullable=False),
        Column("_position", BigInteger, nullable=False),
        *(
            Column(col.name, col.type, nullable=col.nullable)
            for col in staged_columns(target)
        ),
        prefixes=["UNLOGGED"],
    )


def of_winning_tries(attempt: Attempt, staging: Table) -> Join:
    """The staged rows that count, each beside its partition: those of the tries that won."""
    parts = ledger.partitions
    return staging.join(
        parts,
        and_(
            attempt.rows(parts),
            parts.c.partition == staging.c["_partition"],
            parts.c.winning_try == staging.c["_try"],
        ),
    )


class Stager:
    """Copies batches into one staging table."""

    def __init__(
        self, connection: Connection, work_schema: str, staging: Table
    ) -> None:
        """Read the types that the columns of the staging table really have."""
        self.table = Identifier(work_schema, staging.name)
        self.types = column_types(connection, work_schema, staging.name)

    def copy(self, connection: Connection, rows: pa.Table) -> Iterator[tuple[int, str]]:
        """Copy the rows; gives `(index, reason)` of each row that the server refuses.

        A refused batch is halved until the bad rows stand alone, so the others are kept.
        """
        pending = [(0, rows)]
        while pending:
            start, part = pending.pop()
            if part.num_rows == 0:
                continue
            try:
                with connection.begin_nested():
                    self._copy(connection, part)
            except psycopg2.Error as error:
                if not is_data_error(error):
                    raise
                if part.num_rows == 1:
                    yield start, f"is refused by PostgreSQL: {error.diag.message_primary}"
                    continue
                half = part.num_rows // 2
                pending += [(start + half, part[half:]), (start, part[:half])]

    def _copy(self, connection: Connection, rows: pa.Table) -> None:
        binary = all(
            BINARY_ROUTES.get(self.types[name]) == kind
            for name, kind in zip(rows.schema.names, rows.schema.types, strict=True)
        )
        statement = SQL("COPY {} ({}) FROM STDIN WITH ({})").format(
            self.table,
            SQL(", ").join(map(Identifier, rows.schema.names)),
            SQL("FORMAT binary" if binary else "FORMAT csv"),
        )
        data = self._as_binary(rows) if binary else self._as_csv(rows)
        with closing(connection.connection.cursor()) as cursor:
            cursor.copy_expert(statement, data)

    def _as_binary(self, rows: pa.Table) -> io.BytesIO:
        encoders = {
            field.name: (
                StringEncoderBuilder.new_with_output(field, Jsonb())
                if self.types[field.name] == "jsonb"
                else pgpq.ArrowToPostgresBinaryEncoder.infer_encoder(field)
            )
            for field in rows.schema
        }
        encoder = pgpq.ArrowToPostgresBinaryEncoder.new_with_encoders(
            rows.schema, encoders
        )
        data = io.BytesIO()
        data.write(encoder.write_header())
        for batch in rows.to_batches():
            data.write(encoder.write_batch(batch))
        data.write(encoder.finish())
        data.seek(0)
        return data

    def _as_csv(self, rows: pa.Table) -> io.BytesIO:
        """CSV in which NULL is nothing and an empty text is two quotes."""
        texts = {}
        for name, column in zip(rows.schema.names, rows.columns, strict=True):
            if pa.types.is_fixed_size_binary(column.type) or pa.types.is_binary(
                column.type
            ):
                prefix = "" if self.types[name] == "uuid" else "\\x"
                cells = column.to_pylist()
                column = pa.array(
                    [None if c is None else prefix + c.hex() for c in cells]
                )
            texts[name] = column
        data = io.BytesIO()
        options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed")
        pyarrow.csv.write_csv(pa.table(texts), data, options)
        data.seek(0)
        return data
