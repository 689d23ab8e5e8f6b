"""Checks of a load as a whole: SQL over the staged rows, before anybody sees them.

What they look at are the rows that would be published: of rows with the same key, the newest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import timedelta
from typing import Any, Protocol

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    Date,
    DateTime,
    and_,
    cast,
    column,
    exists,
    func,
    inspect,
    or_,
    select,
    table,
    text,
)

from .problems import Severity
from .resource import Load, Replace

MOST_EXAMPLES = 3
LONGEST_EXAMPLE = 80


@dataclass(frozen=True)
class Staged:
    """The staged rows, as the CTE `rows`, and the load that will bring them to its table.

    Values of `private` columns are never told.
    """

    connection: Connection
    load: Load
    rows: CTE
    private: frozenset[str] = frozenset()

    def examples(self, columns: Sequence[str], found: Sequence[Sequence[Any]]) -> str:
        """`, such as 'a' (3 rows)`: values and in how many rows each stands."""
        if not self.private.isdisjoint(columns):
            return ""
        shown = []
        for *values, count in found[:MOST_EXAMPLES]:
            told = ", ".join(_shown(value) for value in values)
            shown.append(f"{told} ({_rows(count)})")
        return f", such as {'; '.join(shown)}"


class TableCheck(Protocol):
    """A check of a load as a whole."""

    @property
    def severity(self) -> Severity:
        """With `error` nothing is published; with `warn` it is said and counted."""

    def broken(self, staged: Staged) -> str | None:
        """How the staged rows break the check, in words; None where they do not."""


@dataclass(frozen=True, init=False)
class Unique:
    """No two rows of the load have the same values in these columns; NULL is no value."""

    columns: tuple[str, ...]
    severity: Severity

    def __init__(self, *columns: str, severity: Severity = "error") -> None:
        object.__setattr__(self, "columns", columns)
        object.__setattr__(self, "severity", severity)

    def broken(self, staged: Staged) -> str | None:
        """The values that stand more than once, and in how many rows."""
        values = [staged.rows.c[name] for name in self.columns]
        times = func.count()
        found = staged.connection.execute(
            select(*values, times, func.count().over(), func.sum(times).over())
            .where(and_(*(value.is_not(None) for value in values)))
            .group_by(*values)
            .having(times > 1)
            .order_by(times.desc(), *values)
            .limit(MOST_EXAMPLES)
        ).all()
        if not found:
            return None
        groups, rows = found[0][-2:]
        named = ", ".join(self.columns)
        return (
            f"{named} is not unique: {_values(groups)} in {_rows(rows)}"
            f"{staged.examples(self.columns, [row[:-2] for row in found])}"
        )


@dataclass(frozen=True)
class RowCount:
    """The load has so many rows."""

    _: KW_ONLY
    at_least: int | None = None
    at_most: int | None = None
    severity: Severity = "error"

    def broken(self, staged: Staged) -> str | None:
        """How many rows there are, and how many were expected."""
        count = _count(staged, staged.rows)
        if self.at_least is not None and count < self.at_least:
            return (
                f"there are {_rows(count)}, and at least {self.at_least:,} are expected"
            )
        if self.at_most is not None and count > self.at_most:
            return (
                f"there are {_rows(count)}, and at most {self.at_most:,} are expected"
            )
        return None


@dataclass(frozen=True)
class Freshness:
    """The newest moment in a column is not longer ago than `within`.

    It counts what the table has already, unless that is replaced: an hour without news is
    fine. A moment without a zone is UTC, and a day lasts until its end.
    """

    column: str
    _: KW_ONLY
    within: timedelta
    severity: Severity = "error"

    def broken(self, staged: Staged) -> str | None:
        """The newest moment that there is."""
        known = [select(staged.rows.c[self.column].label("at"))]
        if not isinstance(staged.load, Replace) and _exists(
            staged.connection, staged.load.table
        ):
            known.append(select(staged.load.table.c[self.column].label("at")))
        moments = [
            select(func.max(one.subquery().c.at)).scalar_subquery() for one in known
        ]
        newest = func.greatest(*moments, type_=staged.rows.c[self.column].type)
        is_fresh = _end_of(newest) >= func.now() - self.within
        at, fresh = staged.connection.execute(select(newest, is_fresh)).one()
        if fresh:
            return None
        if at is None:
            return f"{self.column} is not fresh: no row has one"
        limit = str(self.within).removesuffix(", 0:00:00")
        return (
            f"{self.column} is not fresh: the newest is {at}, and {limit} is the limit"
        )


@dataclass(frozen=True)
class NullShare:
    """At most this share of the rows, from 0 to 1, has no value in a column."""

    column: str
    _: KW_ONLY
    at_most: float
    severity: Severity = "error"

    def broken(self, staged: Staged) -> str | None:
        """How many rows have none."""
        count = func.count()
        present = func.count(staged.rows.c[self.column])
        total, known = staged.connection.execute(select(count, present)).one()
        if total - known <= self.at_most * total:
            return None
        return (
            f"{self.column} is NULL in {total - known:,} of {_rows(total)}, "
            f"and at most {self.at_most:.4g} of them are expected"
        )


@dataclass(frozen=True)
class References:
    """Every value of a column stands in the column `key` of another table of the destination."""

    column: str
    table: str
    key: str
    _: KW_ONLY
    severity: Severity = "error"

    def broken(self, staged: Staged) -> str | None:
        """The values that don't."""
        target = table(self.table, column(self.key), schema=staged.load.table.schema)
        is_itself = self.table == staged.load.table.name
        is_there = _exists(staged.connection, target)
        named = f"{target.schema}.{target.name}" if target.schema else target.name
        if not is_there and not is_itself:
            return f"{self.column} refers to {named}, which is not there: load it first"
        value = staged.rows.c[self.column]
        known: list[ColumnElement[bool]] = []
        if is_itself:
            other = staged.rows.alias("other")
            known.append(exists().where(other.c[self.key] == value))
        if is_there and not (is_itself and isinstance(staged.load, Replace)):
            known.append(exists().where(target.c[self.key] == value))
        times = func.count()
        found = staged.connection.execute(
            select(value, times, func.count().over(), func.sum(times).over())
            .where(value.is_not(None), ~or_(*known))
            .group_by(value)
            .order_by(times.desc(), value)
            .limit(MOST_EXAMPLES)
        ).all()
        if not found:
            return None
        values, rows = found[0][-2:]
        return (
            f"{self.column} is not in {named}.{self.key}: {_values(values)} in {_rows(rows)}"
            f"{staged.examples([self.column], [row[:-2] for row in found])}"
        )


@dataclass(frozen=True)
class NoRows:
    """A query of the staged rows, which it calls `rows`, finds none that break a rule.

    It reads only, and may read other tables.
    """

    rule: str
    query: str
    _: KW_ONLY
    severity: Severity = "error"

    def broken(self, staged: Staged) -> str | None:
        """How many rows it finds."""
        # A colon would be a parameter of SQLAlchemy's.
        query = self.query.rstrip().removesuffix(";").replace(":", r"\:")
        found = text(f"(\n{query}\n) AS broken")
        count = staged.connection.execute(
            select(func.count()).select_from(found).add_cte(staged.rows)
        ).scalar_one()
        return f"{self.rule}: not so in {_rows(count)}" if count else None


def broken_checks(
    staged: Staged, checks: Sequence[TableCheck]
) -> list[tuple[Severity, str]]:
    """What the staged rows break, and how. The checks can change nothing."""
    with staged.connection.begin_nested() as savepoint:
        staged.connection.execute(text("SET LOCAL transaction_read_only = on"))
        said = [(check.severity, check.broken(staged)) for check in checks]
        savepoint.rollback()  # which also ends the setting
    return [(severity, how) for severity, how in said if how is not None]


def _exists(connection: Connection, target: Any) -> bool:
    return inspect(connection).has_table(target.name, target.schema)


def _count(staged: Staged, rows: CTE) -> int:
    counted = select(func.count()).select_from(rows)
    return int(staged.connection.execute(counted).scalar_one())


def _end_of(moment: ColumnElement[Any]) -> ColumnElement[Any]:
    """The moment as an instant; of a day, its end."""
    if isinstance(moment.type, Date):
        return func.timezone("UTC", cast(moment + 1, DateTime))
    if isinstance(moment.type, DateTime) and not moment.type.timezone:
        return func.timezone("UTC", moment)
    return moment


def _shown(value: object) -> str:
    said = str(value)
    return repr(said if len(said) <= LONGEST_EXAMPLE else f"{said[:LONGEST_EXAMPLE]}…")


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _values(count: int) -> str:
    return "1 value" if count == 1 else f"{count:,} values"
