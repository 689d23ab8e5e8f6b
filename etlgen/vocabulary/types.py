"""The types of a column: how each is written, read, spelled in Python and SQLAlchemy, and sampled.

Reading here gives the same reasons as the conversions of the generated project's runtime.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import time
from decimal import Context, Decimal
from typing import Any, Literal

from etlgen.pycode import Code, code, spelled
from etlgen.vocabulary import conversions, notation, values
from etlgen.vocabulary.column import BadValue, Column, ColumnType, Notation, split_type

CANONICAL = Notation()
_WIDE = Context(prec=80)
_HUGE = 10**15

Takes = Literal["strptime", "words", "encoding"]


@dataclass(frozen=True, slots=True)
class Type:
    """One type. A value is a Python object: str, bool, int, Decimal, float, date, …"""

    name: str
    sqlalchemy: Callable[[ColumnType], Code]
    read: Callable[[str, ColumnType, Notation], Any]  # BadValue with the runtime's reason
    spell: Callable[[Any, Notation], str]
    samples: Callable[[ColumnType], Iterable[Any]]
    near: Callable[[Any, ColumnType], Iterable[Any]]  # values on both sides of one
    bad: tuple[str, ...] = ()  # texts that cannot be read, whatever the notation
    convert: Callable[[Code, ColumnType, Notation], Code | None] = lambda x, type, written: None
    takes_format: Takes | None = None
    is_ordered: bool = False  # at_least, at_most, between; a cursor
    is_listable: bool = False  # one_of
    is_key: bool = True


def read_type(text: str) -> ColumnType:
    """`numeric(12,2)` from a spec; BadValue for what is no type."""
    parts: tuple[str, tuple[int, ...]] = split_type(text) or (text, ())
    name, arguments = parts
    if name not in TYPES:
        raise BadValue("is not a type")
    if name != "numeric":
        if arguments:
            raise BadValue(f"has arguments, but {name} takes none")
        return ColumnType(name)
    if not arguments:
        raise BadValue("needs a precision and a scale, such as numeric(12,2)")
    precision, scale = arguments if len(arguments) == 2 else (arguments[0], 0)
    if not 1 <= precision <= 38 or scale > precision:
        raise BadValue("needs a precision of 1 to 38 and a scale of at most the precision")
    return ColumnType(name, precision, scale)


def suggest_type(text: str) -> str | None:
    """The type that goes by another name elsewhere."""
    parts = split_type(text.lower())
    return SYNONYMS.get(parts[0]) if parts else None


def read(text: str, type: ColumnType, written: Notation = CANONICAL) -> Any:
    """The value that a text stands for; None where the runtime reads it as NULL."""
    if type.name != "text":
        text = text.strip()
        if not text:
            return None
    return TYPES[type.name].read(text, type, written)


def spell(value: Any, type: ColumnType, written: Notation = CANONICAL) -> str:
    """The text of a value: canonical, or in the source's notation."""
    return TYPES[type.name].spell(value, written)


def sqlalchemy_type(type: ColumnType) -> Code:
    """`Numeric(12, 2)` with its import."""
    return TYPES[type.name].sqlalchemy(type)


def conversion(column: Column, x: Code) -> Code | None:
    """The `to_…` call of a column that `conform` alone would not read; else None."""
    return TYPES[column.type.name].convert(x, column.type, column.notation)


def fill_default(column: Column, x: Code) -> Code | None:
    """`x` with NULLs filled: before `conform` a column is text unless it was converted or typed."""
    if column.default is None:
        return None
    is_converted = column.notation.is_typed or conversion(column, x) is not None
    is_text = column.type.name == "text" or not is_converted
    value = spell(column.default, column.type) if is_text else column.default
    return code("{x}.fillna({value})", x=x, value=value)


def compared(value: Any) -> Code:
    """A value on the right of >= or <=: a whole number needs no Decimal around it."""
    return spelled(_plainest(value))


def worded(value: Any, type: ColumnType) -> str:
    """A value in a message: 0 and 2.5, not 0.00 and 2.50."""
    plain = _plainest(value)
    return str(plain) if isinstance(plain, int | float | Decimal) else spell(value, type)


def _plainest(value: Any) -> Any:
    if isinstance(value, Decimal | float) and -_HUGE < value < _HUGE:
        if value == int(value):
            return int(value)
        return value.normalize(_WIDE) if isinstance(value, Decimal) else value
    return value


def _sql(name: str, module: str = "sqlalchemy") -> Callable[[ColumnType], Code]:
    return lambda type: code(name, imports=[f"from {module} import {name.partition('(')[0]}"])


def _numeric_sql(type: ColumnType) -> Code:
    return code(
        "Numeric({p}, {s})",
        imports=["from sqlalchemy import Numeric"],
        p=type.precision,
        s=type.scale,
    )


def _integer(name: str, sql: str) -> Type:
    return Type(
        name,
        _sql(sql),
        notation.read_integer,
        notation.spell_number,
        values.integer_samples,
        values.integers_near,
        bad=("twelve", "1x"),
        convert=conversions.convert_integer,
        is_ordered=True,
        is_listable=True,
    )


_ROWS = (
    Type(
        "text",
        _sql("Text"),
        notation.read_text,
        notation.spell_text,
        values.text_samples,
        values.only,
        is_listable=True,
    ),
    Type(
        "boolean",
        _sql("Boolean"),
        notation.read_boolean,
        notation.spell_boolean,
        lambda type: [True, False],
        values.only,
        bad=("maybe", "2"),
        convert=conversions.convert_boolean,
        takes_format="words",
    ),
    _integer("smallint", "SmallInteger"),
    _integer("integer", "Integer"),
    _integer("bigint", "BigInteger"),
    Type(
        "numeric",
        _numeric_sql,
        notation.read_numeric,
        notation.spell_number,
        values.numeric_samples,
        values.numerics_near,
        bad=("twelve", "1x"),
        convert=conversions.convert_numeric,
        is_ordered=True,
        is_listable=True,
    ),
    Type(
        "double",
        _sql("Double"),
        notation.read_double,
        notation.spell_number,
        values.double_samples,
        values.doubles_near,
        bad=("twelve", "1x"),
        convert=conversions.convert_double,
        is_ordered=True,
        is_key=False,
    ),
    Type(
        "date",
        _sql("Date"),
        notation.read_date,
        notation.spell_date,
        lambda type: [
            moment.date() for moment in values.moment_samples(values.SAMPLE_MOMENT)(type)
        ],
        values.dates_near,
        bad=("someday", "?"),
        convert=conversions.convert_moment("to_date"),
        takes_format="strptime",
        is_ordered=True,
        is_listable=True,
    ),
    Type(
        "time",
        _sql("Time"),
        notation.read_time,
        notation.spell_time,
        lambda type: [time(9, 30 + n) for n in range(20)] + [time(n) for n in range(24)],
        values.times_near,
        bad=("sometime", "?"),
        convert=conversions.convert_moment("to_time"),
        takes_format="strptime",
        is_ordered=True,
    ),
    Type(
        "timestamp",
        _sql("TIMESTAMP"),
        notation.read_timestamp,
        notation.spell_timestamp,
        values.moment_samples(values.SAMPLE_MOMENT),
        values.moments_near,
        bad=("someday", "?"),
        convert=conversions.convert_moment("to_timestamp"),
        takes_format="strptime",
        is_ordered=True,
    ),
    Type(
        "timestamptz",
        _sql("TIMESTAMP(timezone=True)"),
        notation.read_instant,
        notation.spell_instant,
        values.moment_samples(values.SAMPLE_INSTANT),
        values.moments_near,
        bad=("someday", "?"),
        convert=conversions.convert_moment("to_timestamp"),
        takes_format="strptime",
        is_ordered=True,
    ),
    Type(
        "uuid",
        _sql("Uuid"),
        notation.read_uuid,
        lambda value, written: str(value),
        values.uuid_samples,
        values.only,
        bad=("no-uuid", "?"),
    ),
    Type(
        "jsonb",
        _sql("JSONB", "sqlalchemy.dialects.postgresql"),
        notation.read_json,
        notation.spell_text,
        values.json_samples,
        values.only,
        bad=("{broken", "?"),
        is_key=False,
    ),
    Type(
        "bytea",
        _sql("LargeBinary"),
        notation.read_bytes,
        notation.spell_bytes,
        lambda type: [b"sample %d" % n for n in range(1, 20)],
        values.only,
        bad=("?!", "zz!"),
        convert=conversions.convert_bytes,
        takes_format="encoding",
        is_key=False,
    ),
)

TYPES = {row.name: row for row in _ROWS}

SYNONYMS = {
    "string": "text",
    "str": "text",
    "varchar": "text",
    "char": "text",
    "bool": "boolean",
    "int": "integer",
    "long": "bigint",
    "decimal": "numeric(12,2)",
    "money": "numeric(12,2)",
    "float": "double",
    "real": "double",
    "datetime": "timestamp",
    "json": "jsonb",
    "bytes": "bytea",
    "binary": "bytea",
    "blob": "bytea",
}
