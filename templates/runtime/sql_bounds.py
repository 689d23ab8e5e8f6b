"""Ranges of values as conditions, and the cutting of rows into ranges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, FromClause, func, select

from .resource import Range, Value

INSTANT = 1184  # PostgreSQL's timestamp with time zone
MOST_PARTS = 1000


@dataclass(frozen=True)
class ByKey:
    """Parts of this many rows each, cut by a column of whole numbers."""

    column: str
    rows: int

    def bounds(self, connection: Connection, rows: FromClause) -> Sequence[Value]:
        """The first value of each part but the first."""
        value = rows.c[self.column]
        position = func.row_number().over(order_by=value) - 1
        numbered = select(value.label("value"), position.label("position"))
        known = numbered.where(value.is_not(None)).subquery("numbered")
        step = max(self.rows, -(-_count(connection, rows) // MOST_PARTS))
        first = (
            select(known.c.value)
            .where(known.c.position > 0, known.c.position % step == 0)
            .order_by(known.c.value)
        )
        found = (int(value) for value in connection.execute(first).scalars())
        return list(dict.fromkeys(found))


@dataclass(frozen=True)
class ByDays:
    """Parts of this many days each."""

    column: str
    days: int

    def bounds(self, connection: Connection, rows: FromClause) -> Sequence[Value]:
        """The first day of each part but the first."""
        value = rows.c[self.column]
        # Zero dates, infinity and the like belong to the first and the last part.
        real = Range(self.column, date(1, 1, 2), date(9999, 12, 31))
        inside = between(connection, value, real, None)
        ends = select(func.min(value), func.max(value)).where(*inside)
        first, last = map(_day, connection.execute(ends).one())
        if first is None or last is None:
            return []
        days = (last - first).days
        step = max(self.days, -(-days // MOST_PARTS))
        return [first + timedelta(days=n) for n in range(step, days + 1, step)]


def between(
    connection: Connection,
    cells: ColumnElement[Any],
    span: Range,
    timezone: str | None,
) -> list[ColumnElement[bool]]:
    """The conditions for values from `low` on, up to `high` without it."""
    if span.low is None and span.high is None:
        return []
    is_instant = _is_instant(connection, cells)
    if connection.dialect.name == "sqlite" and _has_time(span):
        cells = func.replace(cells, "T", " ")  # SQLite has no timestamps, but texts
    low, high = (
        (
            None
            if value is None
            else _bound(connection.dialect.name, value, timezone, is_instant)
        )
        for value in (span.low, span.high)
    )
    return [
        *([] if low is None else [cells >= low]),
        *([] if high is None else [cells < high]),
    ]


def _is_instant(connection: Connection, cells: ColumnElement[Any]) -> bool:
    """Whether PostgreSQL says that the column holds instants."""
    if connection.dialect.name != "postgresql":
        return False
    with connection.execute(select(cells).limit(0)) as result:
        return bool(result.cursor and result.cursor.description[0][1] == INSTANT)


def _has_time(span: Range) -> bool:
    return isinstance(span.low, datetime) or isinstance(span.high, datetime)


def _bound(dialect: str, value: Value, timezone: str | None, is_instant: bool) -> Value:
    """The value as the source's column has it: without an offset where its type has none."""
    if isinstance(value, datetime):
        if value.tzinfo and not is_instant:
            zone = ZoneInfo(timezone or "UTC")
            value = value.astimezone(zone).replace(tzinfo=None)
        return value if dialect != "sqlite" else _sqlite_text(value)
    if dialect == "sqlite" and isinstance(value, date | Decimal):
        return str(value)
    return value


def _sqlite_text(moment: datetime) -> str:
    """Without zeros at the end, so that .500000 does not come after .5."""
    text = moment.isoformat(" ")
    return text.rstrip("0") if "." in text else text


def _count(connection: Connection, rows: FromClause) -> int:
    counted = connection.execute(select(func.count()).select_from(rows))
    return int(counted.scalar_one())  # MySQL's numbers come as text, too


def _day(value: Any) -> date | None:
    if isinstance(value, str):
        return date.fromisoformat(value[:10])
    return value.date() if isinstance(value, datetime) else value
