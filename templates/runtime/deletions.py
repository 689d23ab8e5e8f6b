"""Rows of a table that its source has no more, where each run reads all that the source has."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    delete,
    exists,
    func,
    literal,
    select,
    true,
    update,
)

from .attempts import Attempt
from .errors import ContractError
from .merge import same_key
from .resource import DELETED_AT, Load, Merge
from .target import table_exists


def require_few(
    connection: Connection,
    attempt: Attempt,
    load: Load,
    rows: Select[Any],
    read: int,
    quarantined: int,
) -> str | None:
    """Raise `ContractError` if more rows are missing than may be; else why none is deleted."""
    if not isinstance(load, Merge) or load.missing is None:
        return None
    if not table_exists(connection, load.table):
        return None
    gone = select(func.count()).select_from(load.table).where(_is_missing(load, rows))
    missing = connection.execute(gone).scalar_one()
    if missing == 0:
        return None
    left = _left_alone(load, read, quarantined)
    if left is not None:
        return f"not read, but kept: {missing:,} of {load.table.fullname}, for {left}"
    known = select(func.count()).select_from(load.table).where(_is_there(load))
    total = connection.execute(known).scalar_one()
    if not load.missing.allows(missing, total):
        raise ContractError(
            f"{attempt.resource}: {missing:,} of the {total:,} rows of {load.table.fullname} "
            f"were not read, and no more than {_most(load)} may be deleted at once",
            "Nothing was published. If they are gone from the source, let LOAD delete more of "
            "them, and run again.",
        )
    return None


def delete_missing(
    connection: Connection,
    attempt: Attempt,
    load: Load,
    rows: Select[Any],
    row: Row[Any],
) -> int:
    """Delete the rows of the table that were not read, or mark them; gives how many."""
    if not isinstance(load, Merge) or load.missing is None:
        return 0
    if _left_alone(load, row.read, row.quarantined) is not None:
        return 0
    missing = _is_missing(load, rows)
    if DELETED_AT not in load.table.c:
        return connection.execute(delete(load.table).where(missing)).rowcount
    now = {"_run_id": attempt.run_id, "_loaded_at": func.now(), DELETED_AT: func.now()}
    return connection.execute(update(load.table).where(missing).values(now)).rowcount


def _left_alone(load: Merge, read: int, quarantined: int) -> str | None:
    """Why nothing can be said to be missing: a bad row is there, though nobody can read it."""
    if quarantined:
        return f"they may be among the rows set aside ({quarantined:,})"
    if read == 0 and load.missing is not None and not load.missing.allow_empty:
        return "there was nothing to read"
    return None


def _is_missing(load: Merge, rows: Select[Any]) -> ColumnElement[bool]:
    read = rows.subquery()
    there = select(literal(1)).select_from(read).where(same_key(load, read.c))
    return and_(_is_there(load), ~exists(there))


def _is_there(load: Merge) -> ColumnElement[bool]:
    """Whether a row of the table counts: one that is marked as deleted does not."""
    columns = load.table.c
    return columns[DELETED_AT].is_(None) if DELETED_AT in columns else true()


def _most(load: Merge) -> str:
    assert load.missing is not None
    share, rows = load.missing.max_share, load.missing.max_rows
    limits = [
        *([] if rows is None else [f"{rows:,} rows"]),
        *([] if share is None else [f"{share:%}"]),
    ]
    return " or ".join(limits)
