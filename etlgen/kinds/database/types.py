"""The types of databases as types of a spec, so that every value fits."""

from __future__ import annotations

from typing import Any

from sqlalchemy import types as sql
from sqlalchemy.dialects import mysql, postgresql

WIDEST = 38  # digits of a spec's numeric
# For a numeric of any width: what has more digits goes to quarantine.
UNLIMITED = "numeric(38,9)"

Types = tuple[type[Any], ...]
# The first that fits.
PLAIN: tuple[tuple[Types, str], ...] = (
    ((sql.Uuid,), "uuid"),
    ((sql.JSON, sql.ARRAY), "jsonb"),
    ((postgresql.OID,), "bigint"),
    ((sql.Boolean,), "boolean"),
    ((sql.LargeBinary, sql.BINARY, sql.VARBINARY), "bytea"),
    ((sql.Date,), "date"),
    ((sql.Time,), "time"),
    ((sql.Float, sql.Double), "double"),
    ((mysql.YEAR,), "smallint"),
    ((sql.String, sql.Enum, mysql.SET), "text"),
    (
        (
            *(postgresql.INET, postgresql.CIDR, postgresql.MACADDR, postgresql.MACADDR8),
            *(postgresql.INTERVAL, postgresql.BIT, postgresql.MONEY, postgresql.HSTORE),
            *(postgresql.TSVECTOR, postgresql.TSQUERY),
            *(postgresql.ranges.AbstractSingleRange, postgresql.ranges.AbstractMultiRange),
        ),
        "text",
    ),
)


def spec_type(found: Any, dialect: str) -> str | None:
    """The type of a spec that every value of a column fits; None for one that nobody knows."""
    if isinstance(found, postgresql.DOMAIN):
        return spec_type(found.data_type, dialect)
    if isinstance(found, sql.NullType):
        return "text" if dialect == "sqlite" else None  # a column without a type
    if isinstance(found, mysql.BIT):
        return "boolean" if found.length == 1 else "numeric(20,0)"
    if isinstance(found, sql.DateTime):
        # MySQL's TIMESTAMP is an instant, and is read in UTC.
        is_instant = found.timezone or isinstance(found, mysql.TIMESTAMP)
        return "timestamptz" if is_instant else "timestamp"
    for types, name in PLAIN:
        if isinstance(found, types):
            return name
    if isinstance(found, sql.Numeric):
        return _numeric(found)
    return _integer(found, dialect) if isinstance(found, sql.Integer) else None


def _numeric(found: Any) -> str:
    if found.precision is None:
        return UNLIMITED
    scale = found.scale or 0
    is_narrow = 1 <= found.precision <= WIDEST and 0 <= scale <= found.precision
    return f"numeric({found.precision},{scale})" if is_narrow else "text"


def _integer(found: Any, dialect: str) -> str:
    if dialect == "sqlite":
        return "bigint"  # whatever its name
    if isinstance(found, mysql.TINYINT):
        return "boolean" if found.display_width == 1 else "smallint"
    is_unsigned = getattr(found, "unsigned", False)
    if isinstance(found, sql.BigInteger):
        return "numeric(20,0)" if is_unsigned else "bigint"
    if isinstance(found, sql.SmallInteger):
        return "integer" if is_unsigned else "smallint"
    if isinstance(found, mysql.MEDIUMINT):
        return "integer"
    return "bigint" if is_unsigned else "integer"
