"""Where the incremental loads of a resource go on from: the cursor, in the ledger.

The cursor is the newest value that was loaded. It never goes back, and never past the moment at
which its load was planned: one row that is dated 2099 must not hide all that come before it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    Connection,
    Date,
    DateTime,
    Row,
    Select,
    Text,
    cast,
    func,
    select,
    update,
)
from sqlalchemy.types import TypeEngine

from . import ledger
from .attempts import Attempt
from .errors import ContractError, RetryableError
from .resource import Append, Load, Merge, Value, Window


def resolved(
    connection: Connection, resource: str, load: Load, window: Window
) -> Window:
    """The window with what it means for the cursor; an open one goes on from the last load."""
    if load.cursor is None:
        return window
    kind = load.table.c[load.cursor].type
    if window.start is None and window.end is None:
        return _resumed(connection, resource, load, kind)
    if not isinstance(kind, DateTime | Date):
        raise ContractError(
            f"{resource}: the cursor {load.cursor!r} is {kind}: a window of time says nothing "
            "of it",
            "Run it without a window: it goes on from where the last load came to.",
        )
    since, until = (
        None if at is None else _moment(at, kind) for at in (window.start, window.end)
    )
    return replace(window, since=since, until=until)


def require_unmoved(
    connection: Connection, resource: str, load: Load, window: Window
) -> None:
    """Raise `RetryableError` if another load moved the cursor since the window was resolved."""
    if resolved(connection, resource, load, window).since != window.since:
        raise RetryableError(f"{resource}: another run has loaded it meanwhile")


def advance(
    connection: Connection,
    attempt: Attempt,
    load: Load,
    rows: Select[Any],
    row: Row[Any],
) -> None:
    """Move the cursor forward to the newest value.

    A run over a given window says nothing of what lies outside it, so it leaves the cursor alone.
    """
    if load.cursor is None or row.window_start or row.window_end:
        return
    staged = rows.subquery()
    value = staged.c[load.cursor]
    newest = select(func.max(value))
    if isinstance(value.type, DateTime | Date):
        newest = newest.where(value <= _moment(row.planned_at, value.type))
    cursor = ledger.resources.c.cursor
    furthest = func.greatest(cast(cursor, value.type), newest.scalar_subquery())
    connection.execute(
        update(ledger.resources)
        .where(ledger.resources.c.resource == attempt.resource)
        .values(cursor=cast(furthest, Text))
    )


def _resumed(
    connection: Connection,
    resource: str,
    load: Append | Merge,
    kind: TypeEngine[Any],
) -> Window:
    known = select(cast(ledger.resources.c.cursor, kind)).where(
        ledger.resources.c.resource == resource
    )
    last = connection.execute(known).scalar_one_or_none()
    since = load.initial_value if last is None else _earlier(last, load.lookback)
    now = connection.execute(select(func.now())).scalar_one()
    until = None if load.delay is None else _moment(now - load.delay, kind)
    return Window(since=since, until=until)


def _earlier(value: Any, lookback: timedelta | int | None) -> Value:
    earlier: Value = value if lookback is None else value - lookback
    return earlier


def _moment(at: datetime, kind: TypeEngine[Any]) -> datetime | date:
    """A moment as a value of this type, whatever time zone the session is in: without one, UTC."""
    utc = at.astimezone(UTC)
    if isinstance(kind, Date):
        return utc.date()
    is_instant = isinstance(kind, DateTime) and kind.timezone
    return utc if is_instant else utc.replace(tzinfo=None)
