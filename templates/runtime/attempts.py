"""What was loaded, by which attempt: the state of every resource, kept in the destination itself.

An attempt is one try of a run. Its states, and the only steps between them:

    planned ──audit──▶ audited ──publish──▶ published
       │                  │
       └──────────────────┴──▶ failed | aborted | overtaken

Opening an attempt gives its resource a new *generation*. Whoever holds an older one has been
overtaken and can change nothing any more: that, not the lease, is what keeps loads correct.
Every function runs in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, Table, and_, func, insert, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import insert as upsert

from . import ledger
from .errors import BusyError, ContractError, OvertakenError
from .lease import LEASE_SECONDS, is_alive
from .resource import Partition, Window

LIVE = ("planned", "audited")


@dataclass(frozen=True)
class Attempt:
    """Names one attempt; small enough to travel between tasks."""

    resource: str
    run_id: str
    number: int
    generation: int
    staging: str

    def as_dict(self) -> dict[str, Any]:
        """As JSON that `Attempt(**…)` reads."""
        return asdict(self)

    def rows(self, table: Table) -> Any:
        """The condition that picks this attempt's rows of a ledger table."""
        return and_(
            table.c.resource == self.resource,
            table.c.run_id == self.run_id,
            table.c.attempt == self.number,
        )


@dataclass(frozen=True)
class Written:
    """What one try of writing a partition did with the rows it read."""

    read: int
    staged: int
    quarantined: int
    filtered: int
    warnings: Mapping[str, int]


def open_attempt(
    connection: Connection,
    resource: str,
    run_id: str,
    disposition: str,
    window: Window,
    parts: Sequence[Partition],
    *,
    owner: str | None,
    take_over: bool = False,
) -> Attempt:
    """Start an attempt: the resource's generation goes up, and every older attempt is overtaken.

    Raises `BusyError` while another run holds a lease that is alive, unless `take_over`. The run
    itself may always try again.
    """
    connection.execute(
        upsert(ledger.resources).values(resource=resource).on_conflict_do_nothing()
    )
    state = lock_resource(connection, resource)
    if not take_over:
        require_free(connection, resource, run_id)
    close_attempts(connection, resource, "overtaken")
    generation = state.generation + 1
    connection.execute(
        update(ledger.resources)
        .where(ledger.resources.c.resource == resource)
        .values(generation=generation)
    )
    latest = select(func.coalesce(func.max(ledger.attempts.c.attempt), 0)).where(
        ledger.attempts.c.resource == resource, ledger.attempts.c.run_id == run_id
    )
    attempt = Attempt(
        resource=resource,
        run_id=run_id,
        number=connection.execute(latest).scalar_one() + 1,
        generation=generation,
        staging=f"stage_{state.number}_{generation}",
    )
    key = {"resource": resource, "run_id": run_id, "attempt": attempt.number}
    connection.execute(
        insert(ledger.attempts).values(
            **key,
            generation=generation,
            status="planned",
            disposition=disposition,
            window_start=window.start,
            window_end=window.end,
            owner=owner,
            lease_until=lease_end(),
        )
    )
    rows = [
        {
            **key,
            "partition": part.number,
            "file": part.file,
            "detail": dict(part.detail),
        }
        for part in parts
    ]
    if rows:
        connection.execute(insert(ledger.partitions), rows)
    return attempt


def require_free(connection: Connection, resource: str, run_id: str) -> None:
    """Raise `BusyError` while another run holds a lease on the resource that is alive."""
    rival = _live_rival(connection, resource, run_id)
    if rival is not None:
        raise BusyError(
            f"{resource} is being loaded by run {rival.run_id} ({rival.owner or 'scheduled'}), "
            f"started {rival.planned_at:%Y-%m-%d %H:%M:%S %Z}",
            "Wait for it, or take over with `run --take-over` if you know that it is dead.",
        )


def published_files(connection: Connection, resource: str) -> dict[str, str]:
    """The version of each file of the resource that was published last."""
    parts, tries = ledger.partitions, ledger.attempts
    file = func.coalesce(parts.c.detail["path"].astext, parts.c.file)
    newest = (
        select(file, parts.c.detail["version"].astext)
        .ext(postgresql.distinct_on(file))
        .join(tries, _same_attempt(parts, tries))
        .where(
            parts.c.resource == resource,
            parts.c.file.is_not(None),
            tries.c.status == "published",
        )
        .order_by(file, tries.c.generation.desc())
    )
    return {row[0]: row[1] for row in connection.execute(newest)}


def partitions_of(connection: Connection, attempt: Attempt) -> list[Partition]:
    """What the attempt was planned to read."""
    parts = ledger.partitions
    found = connection.execute(
        select(parts).where(attempt.rows(parts)).order_by(parts.c.partition)
    )
    return [Partition(row.partition, file=row.file, detail=row.detail) for row in found]


def begin_try(
    connection: Connection, attempt: Attempt, number: int
) -> tuple[int, Partition]:
    """Start one more try of writing a partition; earlier tries of it can win no more."""
    # First of all: two tries that both hold the row in share could not update it any more.
    renew_lease(connection, attempt)
    row = require(connection, attempt, "planned")
    started = connection.execute(
        update(ledger.partitions)
        .where(attempt.rows(ledger.partitions), ledger.partitions.c.partition == number)
        .values(last_try=ledger.partitions.c.last_try + 1)
        .returning(
            ledger.partitions.c.last_try,
            ledger.partitions.c.file,
            ledger.partitions.c.detail,
        )
    ).one_or_none()
    if started is None:
        raise ContractError(
            f"{attempt.resource}: run {attempt.run_id} has no partition {number}"
        )
    window = Window(row.window_start, row.window_end)
    return started.last_try, Partition(number, window, started.file, started.detail)


def finish_try(
    connection: Connection, attempt: Attempt, number: int, try_: int, written: Written
) -> None:
    """Make this try the one whose rows count, if no newer try has begun. Safe to repeat."""
    require(connection, attempt, "planned")
    won = connection.execute(
        update(ledger.partitions)
        .where(
            attempt.rows(ledger.partitions),
            ledger.partitions.c.partition == number,
            ledger.partitions.c.last_try == try_,
        )
        .values(
            winning_try=try_,
            read=written.read,
            staged=written.staged,
            quarantined=written.quarantined,
            filtered=written.filtered,
            warnings=dict(written.warnings),
        )
    )
    if won.rowcount == 0:
        raise OvertakenError(
            f"{attempt.resource}: a newer try is writing partition {number}; this one is dropped"
        )


def renew_lease(connection: Connection, attempt: Attempt) -> None:
    """Say that this attempt is alive; raises `OvertakenError` or `ContractError` if it is not."""
    renewed = connection.execute(
        update(ledger.attempts)
        .where(attempt.rows(ledger.attempts), ledger.attempts.c.status == "planned")
        .values(lease_until=lease_end())
    )
    if renewed.rowcount == 0:
        require(connection, attempt, "planned")


def require(connection: Connection, attempt: Attempt, *statuses: str) -> Row[Any]:
    """The attempt's row, held against changes of its status, which must be one of these."""
    row = connection.execute(
        select(ledger.attempts)
        .where(attempt.rows(ledger.attempts))
        .with_for_update(read=True)
    ).one_or_none()
    return _in_status(attempt, row, statuses)


def lock(connection: Connection, attempt: Attempt, *statuses: str) -> Row[Any]:
    """Lock the resource and the attempt, which must be the resource's newest and have this status.

    A published attempt passes whatever came after it: what is done is done.
    """
    state = lock_resource(connection, attempt.resource)
    row = connection.execute(
        select(ledger.attempts).where(attempt.rows(ledger.attempts)).with_for_update()
    ).one_or_none()
    row = _in_status(attempt, row, statuses)
    if row.status != "published" and state.generation != attempt.generation:
        raise _overtaken(attempt)
    return row


def lock_resource(connection: Connection, resource: str) -> Row[Any]:
    """The resource's row, locked until the transaction ends."""
    return connection.execute(
        select(ledger.resources)
        .where(ledger.resources.c.resource == resource)
        .with_for_update()
    ).one()


def set_status(
    connection: Connection, attempt: Attempt, status: str, **values: Any
) -> None:
    """Record the attempt's new status, and what else is known with it."""
    if status not in LIVE:
        values["finished_at"] = func.clock_timestamp()
    connection.execute(
        update(ledger.attempts)
        .where(attempt.rows(ledger.attempts))
        .values(status=status, **values)
    )


def give_up(connection: Connection, attempt: Attempt, status: str, error: str) -> None:
    """Close an attempt that failed or was aborted; one that has ended otherwise stays as it is."""
    connection.execute(
        update(ledger.attempts)
        .where(attempt.rows(ledger.attempts), ledger.attempts.c.status.in_(LIVE))
        .values(status=status, error=error, finished_at=func.clock_timestamp())
    )


def close_attempts(connection: Connection, resource: str, status: str) -> None:
    """Close whatever attempts of the resource are still open."""
    connection.execute(
        update(ledger.attempts)
        .where(
            ledger.attempts.c.resource == resource, ledger.attempts.c.status.in_(LIVE)
        )
        .values(status=status, finished_at=func.clock_timestamp())
    )


def lease_end() -> Any:
    """The moment, by the destination's clock, that a lease taken now ends."""
    return func.clock_timestamp() + func.make_interval(0, 0, 0, 0, 0, 0, LEASE_SECONDS)


def _same_attempt(parts: Table, tries: Table) -> Any:
    return and_(
        *(parts.c[name] == tries.c[name] for name in ("resource", "run_id", "attempt"))
    )


def _live_rival(connection: Connection, resource: str, run_id: str) -> Row[Any] | None:
    rival = connection.execute(
        select(ledger.attempts).where(
            ledger.attempts.c.resource == resource,
            ledger.attempts.c.run_id != run_id,
            ledger.attempts.c.status.in_(LIVE),
            ledger.attempts.c.lease_until > func.clock_timestamp(),
        )
    ).one_or_none()
    return rival if rival is not None and is_alive(rival.owner) else None


def _in_status(
    attempt: Attempt, row: Row[Any] | None, statuses: tuple[str, ...]
) -> Row[Any]:
    if row is None:
        raise ContractError(
            f"{attempt.resource}: the ledger has no run {attempt.run_id}"
        )
    if row.status == "overtaken":
        raise _overtaken(attempt)
    if row.status not in statuses:
        raise ContractError(
            f"{attempt.resource}: attempt {attempt.number} of run {attempt.run_id} is "
            f"{row.status}, not {' or '.join(statuses)}",
            "Start again from plan.",
        )
    return row


def _overtaken(attempt: Attempt) -> OvertakenError:
    return OvertakenError(
        f"{attempt.resource}: attempt {attempt.number} of run {attempt.run_id} was overtaken "
        "by a newer one",
        "Nothing is lost: the newer attempt loads. To load this run again, start from plan.",
    )
