"""The last step of every `transform`: columns named and typed as in the table."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

import msgspec
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    Float,
    Integer,
    LargeBinary,
    Numeric,
    SmallInteger,
    String,
    Table,
    Time,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import BigInteger, TypeEngine

from .columns import as_arrow, as_series, cast_or_null, is_text
from .convert import (
    INSTANT,
    TIMESTAMP,
    to_boolean,
    to_bytes,
    to_date,
    to_decimal,
    to_double,
    to_integer,
    to_json,
    to_time,
    to_timestamp,
    to_uuid,
)
from .errors import ContractError
from .problems import Problems
from .resource import EXTRA, LINEAGE

REQUIRED = "is required"
# Marks the columns of a child table that say whose child a row is.
OF_PARENT = {"of_parent": True}
encode_json = msgspec.json.Encoder(enc_hook=str).encode


def conform(rows: pd.DataFrame, table: Table, problems: Problems) -> pd.DataFrame:
    """Rows with exactly the table's columns and types; `_extra` has what is left over.

    A cell that doesn't fit is a problem of its row. A column that is missing, or of a
    type that would lose digits, is a `ContractError`.
    """
    if not rows.columns.is_unique:
        twice = sorted(set(rows.columns[rows.columns.duplicated()]))
        raise ContractError(
            f"two columns would both become {', '.join(map(repr, twice))}"
        )
    columns = data_columns(table)
    fitted = pd.DataFrame(
        {column.name: _fit(rows, column, problems) for column in columns},
        index=rows.index,
    )
    fitted[EXTRA] = _pack(rows.drop(columns=[column.name for column in columns]))
    return fitted


def data_columns(table: Table) -> list[Column[Any]]:
    """The columns that come from the source: not the lineage, `_extra` nor a parent's key."""
    others = (*LINEAGE, EXTRA)
    return [
        column
        for column in table.columns
        if column.name not in others and column.info != OF_PARENT
    ]


def staged_columns(table: Table) -> list[Column[Any]]:
    """The columns that travel: the data, and `_extra` where the table has it."""
    return [
        *data_columns(table),
        *(table.c[name] for name in (EXTRA,) if name in table.c),
    ]


def arrow_type(kind: TypeEngine[Any]) -> pa.DataType:
    """The Arrow type that holds a column of this SQL type exactly."""
    if isinstance(kind, Numeric) and not isinstance(kind, Float):
        if kind.precision is None:
            raise ContractError("Numeric needs a precision and a scale: Numeric(12, 2)")
        decimal = pa.decimal128 if kind.precision <= 38 else pa.decimal256
        return decimal(kind.precision, kind.scale or 0)
    if isinstance(kind, DateTime):
        return INSTANT if kind.timezone else TIMESTAMP
    for sql_type, exact in EXACT_TYPES:
        if isinstance(kind, sql_type):
            return exact
    raise ContractError(f"no Arrow type is exact for the SQL type {kind!r}")


EXACT_TYPES: list[tuple[type[TypeEngine[Any]], pa.DataType]] = [
    (SmallInteger, pa.int16()),
    (BigInteger, pa.int64()),
    (Integer, pa.int32()),
    (Float, pa.float64()),
    (Boolean, pa.bool_()),
    (Date, pa.date32()),
    (Time, pa.time64("us")),
    (Uuid, pa.binary(16)),
    (JSONB, pa.string()),
    (LargeBinary, pa.binary()),
    (String, pa.string()),
]


def _fit(rows: pd.DataFrame, column: Column[Any], problems: Problems) -> pd.Series:
    if column.name not in rows:
        near = difflib.get_close_matches(column.name, map(str, rows.columns), n=1)
        columns = f"columns: {', '.join(map(str, rows.columns))}"
        hint = f"did you mean {near[0]!r}?" if near else columns
        raise ContractError(f"transform() gives no column {column.name!r}", hint)
    values = rows[column.name]
    typed = _typed(values, column, problems)
    if not column.nullable:
        missing = values[typed.isna()]
        blank = [row for row in missing.index if not problems.has(column.name, row)]
        problems.add(column.name, REQUIRED, missing.loc[blank])
    return typed


def _typed(values: pd.Series, column: Column[Any], problems: Problems) -> pd.Series:
    array = as_arrow(values)
    target = arrow_type(column.type)
    if array.null_count == len(array):
        return as_series(pa.nulls(len(array), target), like=values)
    if is_text(array.type) and not isinstance(column.type, String):
        return _reader(column.type)(values, problems)
    _require_kind(column, array.type, target)
    if pa.types.is_integer(array.type) and pa.types.is_decimal(target):
        array = array.cast(pa.decimal128(20))  # Arrow casts no integer to less
    typed = cast_or_null(array, target)
    broken = pc.and_(pc.is_valid(array), pc.is_null(typed)).to_numpy(False)
    problems.add(column.name, f"does not fit {column.type}", values[broken])
    if isinstance(column.type, String):
        _require_text(values, typed, column.type.length, problems)
    return as_series(typed, like=values)


KINDS: dict[str, Callable[[pa.DataType], bool]] = {
    "text": is_text,
    "number": lambda kind: pa.types.is_integer(kind) or pa.types.is_decimal(kind),
    "floating point": pa.types.is_floating,
    "boolean": pa.types.is_boolean,
    "date": pa.types.is_date,
    "time": pa.types.is_time,
    "instant": lambda kind: pa.types.is_timestamp(kind) and kind.tz is not None,
    "timestamp": pa.types.is_timestamp,
    "bytes": lambda kind: pa.types.is_binary(kind)
    or pa.types.is_fixed_size_binary(kind),
}


def _require_kind(
    column: Column[Any], source: pa.DataType, target: pa.DataType
) -> None:
    """Refuse a column whose values would lose digits or their meaning on the way."""
    found, wanted = _kind(source), _kind(target)
    if found == wanted or (found, wanted) == ("number", "floating point"):
        return
    if isinstance(column.type, String) and found not in (
        None,
        "floating point",
        "bytes",
    ):
        return
    hint = "Leave it text, which conform reads, or convert it to that type before."
    if found == "floating point":
        hint = (
            "Floating point has lost digits already: keep it text, or use to_decimal."
        )
    raise ContractError(
        f"column {column.name!r} is {found or source}, the table's is {column.type}",
        hint,
    )


def _kind(kind: pa.DataType) -> str | None:
    return next((name for name, belongs in KINDS.items() if belongs(kind)), None)


def _reader(kind: TypeEngine[Any]) -> Callable[[pd.Series, Problems], pd.Series]:
    if isinstance(kind, Double | Float):
        return to_double
    if isinstance(kind, Numeric):
        exact = arrow_type(kind)
        return lambda values, problems: to_decimal(
            values, problems, precision=exact.precision, scale=exact.scale
        )
    if isinstance(kind, Integer):
        bits = arrow_type(kind).bit_width
        return lambda values, problems: to_integer(values, problems, bits=bits)
    if isinstance(kind, DateTime):
        zone = "UTC" if kind.timezone else None
        return lambda values, problems: to_timestamp(values, problems, timezone=zone)
    for sql_type, reader in READERS:
        if isinstance(kind, sql_type):
            return reader
    raise ContractError(f"text can't be read as the SQL type {kind!r}")


READERS: list[
    tuple[type[TypeEngine[Any]], Callable[[pd.Series, Problems], pd.Series]]
] = [
    (Boolean, to_boolean),
    (Date, to_date),
    (Time, to_time),
    (Uuid, to_uuid),
    (JSONB, to_json),
    (LargeBinary, to_bytes),
]


def _require_text(
    values: pd.Series, texts: pa.Array, length: int | None, problems: Problems
) -> None:
    nul = pc.match_substring(texts, "\x00").fill_null(False)
    problems.add(str(values.name), "holds a NUL character", values[nul.to_numpy(False)])
    if length is not None:
        long = pc.greater(pc.utf8_length(texts), length).fill_null(False)
        rule = f"is longer than {length} characters"
        problems.add(str(values.name), rule, values[long.to_numpy(False)])


def _pack(rest: pd.DataFrame) -> pd.Series:
    """Columns that the table lacks, as one JSON document a row; NULL where all are."""
    if rest.columns.empty:
        nothing = pa.nulls(len(rest), pa.string())
        return as_series(nothing, like=pd.Series(index=rest.index, name=EXTRA))
    names = [str(name) for name in rest.columns]
    cells = rest.astype(object).where(rest.notna(), None)
    packed = []
    for row in cells.itertuples(index=False, name=None):
        known = {
            name: cell
            for name, cell in zip(names, row, strict=True)
            if cell is not None
        }
        packed.append(encode_json(known).decode() if known else None)
    texts = pa.array(packed, pa.string())
    return as_series(texts, like=pd.Series(index=rest.index, name=EXTRA))
