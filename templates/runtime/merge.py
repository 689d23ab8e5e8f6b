"""Rows with a primary key on their way into a table that has some of them already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    CTE,
    Boolean,
    ColumnElement,
    Connection,
    and_,
    case,
    delete,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import insert

from .conform import staged_columns
from .resource import DELETED_AT, Load, Merge


@dataclass(frozen=True)
class Outcome:
    """What became of the staged rows that were not dropped as duplicates.

    `deleted` are the rows of the table that were deleted, or marked as such.
    """

    loaded: int = 0
    unchanged: int = 0
    stale: int = 0
    deleted: int = 0


def merge(connection: Connection, load: Merge, newest: CTE) -> Outcome:
    """Insert the rows that are new, update those that differ, delete what the source deleted."""
    if load.deleted is None or DELETED_AT in load.table.c:
        return _upsert(connection, load, newest)
    gone = is_deleted(load, newest.c)
    removed = _delete(connection, load, select(newest).where(gone).cte("gone"))
    rest = select(newest).where(not_(gone)).cte("rest")
    brought = _upsert(connection, load, rest)
    return Outcome(
        loaded=removed.loaded + brought.loaded,
        unchanged=removed.unchanged + brought.unchanged,
        stale=removed.stale + brought.stale,
        deleted=removed.deleted,
    )


def is_deleted(load: Load, columns: Any) -> ColumnElement[bool]:
    """Whether the source says that a row is deleted."""
    if not isinstance(load, Merge) or load.deleted is None:
        return false()
    flag: ColumnElement[Any] = columns[load.deleted]
    return flag.is_(True) if isinstance(flag.type, Boolean) else flag.is_not(None)


def same_key(load: Load, other: Any) -> ColumnElement[bool]:
    """Whether a row of the table and one of other columns are the same."""
    return and_(*(key == other[key.name] for key in load.table.primary_key))


def _delete(connection: Connection, load: Merge, gone: CTE) -> Outcome:
    """Delete the rows that these stand for; one that stands for none changes nothing."""
    table = load.table
    older = same_key(load, gone.c) & ~_is_newer(load, table.c, gone.c)
    deleted = connection.execute(
        delete(table).where(exists(select(literal(1)).select_from(gone).where(older)))
    ).rowcount
    left = select(func.count()).select_from(gone.join(table, same_key(load, gone.c)))
    stale = connection.execute(left).scalar_one()
    rows = connection.execute(select(func.count()).select_from(gone)).scalar_one()
    return Outcome(deleted, rows - deleted - stale, stale, deleted)


def _upsert(connection: Connection, load: Merge, newest: CTE) -> Outcome:
    table = load.table
    names = [column.name for column in table.columns]
    keys = [column.name for column in table.primary_key]
    data = [column.name for column in staged_columns(table) if column.name not in keys]
    merged = insert(table).from_select(
        names, select(*(newest.c[name] for name in names))
    )
    new = merged.excluded
    values: dict[str, ColumnElement[Any]] = {
        name: new[name] for name in names if name not in keys
    }
    changed = tuple_(*(table.c[name] for name in data)).is_distinct_from(
        tuple_(*(new[name] for name in data))
    )
    marked: ColumnElement[bool] = false()
    if DELETED_AT in values:
        since, now = table.c[DELETED_AT], new[DELETED_AT]
        values[DELETED_AT] = case((now.is_not(None), func.coalesce(since, now)))
        changed = or_(changed, since.is_(None) != now.is_(None))
        marked = table.c[DELETED_AT].is_not_distinct_from(func.now())
    if not data:
        merged = merged.on_conflict_do_nothing(index_elements=keys)
    else:
        merged = merged.on_conflict_do_update(
            index_elements=keys,
            set_=values,
            where=and_(changed, ~_is_newer(load, table.c, new)),
        )
    written = merged.returning(marked.label("marked")).cte("written")
    known = select(func.count()).select_from(
        newest.join(table, same_key(load, newest.c))
    )
    counted = connection.execute(
        select(
            select(func.count())
            .select_from(newest)
            .scalar_subquery()
            .label("distinct"),
            select(func.count()).select_from(written).scalar_subquery().label("loaded"),
            known.where(_is_newer(load, table.c, newest.c))
            .scalar_subquery()
            .label("stale"),
            select(func.count())
            .select_from(written)
            .where(written.c.marked)
            .scalar_subquery()
            .label("marked"),
        )
    ).one()
    unchanged = counted.distinct - counted.loaded - counted.stale
    return Outcome(counted.loaded, unchanged, counted.stale, counted.marked)


def _is_newer(load: Merge, there: Any, new: Any) -> Any:
    """Whether the row that is there is newer, by the cursor, than the one to be merged."""
    if load.cursor is None:
        return false()
    known, offered = there[load.cursor], new[load.cursor]
    return and_(known.is_not(None), or_(offered.is_(None), known > offered))
