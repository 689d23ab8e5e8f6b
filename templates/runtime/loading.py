"""The four steps of a load, each of which may be repeated, and all of them in a row.

plan → write (each partition) → audit → publish. Between them only an `Attempt` travels; all state
is in the destination, so each step may run in another process on another machine.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

import structlog
from sqlalchemy import Connection, MetaData, Table, inspect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateTable, DropTable
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    wait_exponential,
    wait_random,
)

from . import attempts, cursors, lease, ledger
from .attempts import Attempt
from .audit import audit
from .connect import WORK_SCHEMA, Destination
from .errors import BusyError, PipelineError, explain, is_retryable
from .publish import Counts, drop_staging, publish
from .resource import Resource, Window
from .stage import staging_table
from .target import prepare_target, table_exists
from .write import Progress, write

__all__ = [
    "audit",
    "clean_up",
    "due",
    "finish",
    "keys_of",
    "load",
    "new_run_id",
    "plan",
    "publish",
    "write",
]

TRIES = 5
EVERYTHING = Window()
log = structlog.get_logger()
Result = TypeVar("Result")


def new_run_id() -> str:
    """A run's identity where no scheduler gives one; it sorts by time."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"


def plan(
    destination: Destination,
    resource: Resource,
    run_id: str,
    window: Window = EVERYTHING,
    *,
    owner: str | None = None,
    take_over: bool = False,
) -> tuple[Attempt, list[int]]:
    """Freeze what the run will read, and open an attempt of it; gives its partitions' numbers.

    Whatever is wrong with the source's shape or the target's is said here, before anything is
    staged.
    """
    with _recorded(destination, resource) as opened:
        return _plan(
            destination,
            resource,
            run_id,
            window,
            opened,
            owner=owner,
            take_over=take_over,
        )


def load(
    destination: Destination,
    resource: Resource,
    run_id: str,
    window: Window = EVERYTHING,
    *,
    take_over: bool = False,
    progress: Progress = lambda rows: None,
) -> Counts:
    """All steps in this process; transient errors are retried, others end the attempt."""
    with _recorded(destination, resource) as opened:
        attempt, numbers = _retry(
            partial(
                _plan,
                destination,
                resource,
                run_id,
                window,
                opened,
                owner=lease.this_process(),
                take_over=take_over,
            )
        )
        for number in numbers:
            _retry(partial(write, destination, attempt, resource, number, progress))
        _retry(partial(audit, destination, attempt, resource))
        counts = _retry(partial(publish, destination, attempt, resource.load))
    log.info("published", **_names(attempt), **vars(counts))
    _retry(partial(finish, destination, attempt, resource))
    return counts


def _plan(
    destination: Destination,
    resource: Resource,
    run_id: str,
    window: Window,
    opened: list[Attempt],
    *,
    owner: str | None,
    take_over: bool,
) -> tuple[Attempt, list[int]]:
    """`plan`, whose attempt is in `opened` before it is in the ledger."""
    _bootstrap(destination)
    with destination.transaction() as connection:
        if not take_over:
            attempts.require_free(connection, resource.name, run_id)
        window = due(connection, resource, window)
    with resource.source() as source:
        parts = list(resource.partitions(source, window))
    added = prepare_target(destination, resource.load)
    with destination.transaction() as connection:
        attempt = attempts.open_attempt(
            connection,
            resource.name,
            run_id,
            resource.load.name,
            window,
            parts,
            owner=owner,
            take_over=take_over,
        )
        opened.append(attempt)
        cursors.require_unmoved(connection, resource.name, resource.load, window)
        connection.execute(CreateTable(staging_table(attempt, resource.load.table)))
    _sweep(destination, attempt)
    log.info("planned", **_names(attempt), partitions=len(parts), columns_added=added)
    return attempt, [part.number for part in parts]


@contextmanager
def _recorded(destination: Destination, resource: Resource) -> Iterator[list[Attempt]]:
    """A block that opens attempts: whatever ends it early ends them too, also Ctrl-C."""
    opened: list[Attempt] = []
    try:
        yield opened
    except BaseException as error:
        for attempt in opened:
            _record_failure(destination, attempt, error)
            clean_up(destination, attempt, resource)
        raise


def finish(destination: Destination, attempt: Attempt, resource: Resource) -> None:
    """What follows a publish: staging goes, and the resource may tell its source.

    It may be repeated, and what it does to the source has to bear that.
    """
    clean_up(destination, attempt, resource)
    if resource.after_publish is None:
        return
    with destination.transaction() as connection:
        parts = attempts.partitions_of(connection, attempt)
    with resource.source() as source:
        for part in parts:
            resource.after_publish(source, part)


def clean_up(destination: Destination, attempt: Attempt, resource: Resource) -> None:
    """Drop the staging table of an attempt that has ended; the next plan does if this fails."""
    try:
        drop_staging(destination, attempt, resource.load)
    except DBAPIError as error:
        log.warning(
            "staging is left for the next run", **_names(attempt), error=explain(error)
        )


def _record_failure(
    destination: Destination, attempt: Attempt, error: BaseException
) -> None:
    status = "failed" if isinstance(error, Exception) else "aborted"
    reason = explain(error) if status == "failed" else f"stopped by {_stopper(error)}"
    unforeseen = (
        not isinstance(error, PipelineError | DBAPIError) and status == "failed"
    )
    log.error(
        status, **_names(attempt), error=reason, exc_info=error if unforeseen else None
    )
    # The error that brought us here matters more than one met while recording it.
    with suppress(DBAPIError), destination.transaction("2s") as connection:
        attempts.give_up(connection, attempt, status, reason)


def _stopper(error: BaseException) -> str:
    return "Ctrl-C" if isinstance(error, KeyboardInterrupt) else "a signal"


def _retry(step: Callable[[], Result]) -> Result:
    return Retrying(
        retry=retry_if_exception(_is_worth_a_wait),
        stop=stop_after_attempt(TRIES),
        wait=wait_exponential(multiplier=0.5, max=30) + wait_random(0, 1),
        before_sleep=_say_that_we_wait,
        reraise=True,
    )(step)


def _is_worth_a_wait(error: BaseException) -> bool:
    """Another run's load takes longer than our patience."""
    return is_retryable(error) and not isinstance(error, BusyError)


def _say_that_we_wait(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    if error is not None and state.next_action is not None:
        wait = round(state.next_action.sleep, 1)
        log.warning(
            "trying again",
            error=explain(error),
            seconds=wait,
            tries=state.attempt_number,
        )


def _bootstrap(destination: Destination) -> None:
    """Make the work schema on the first run, and upgrade it on the first of a newer version."""
    with destination.transaction() as connection:
        if not inspect(connection).has_table("version", destination.work_schema):
            ledger.bootstrap(connection)
        ledger.upgrade(connection)
        ledger.require_version(connection)


def _sweep(destination: Destination, attempt: Attempt) -> None:
    """Drop what older attempts of this resource left staged, unless somebody still holds it."""
    family = attempt.staging.removesuffix(str(attempt.generation))
    with destination.transaction() as connection:
        tables = inspect(connection).get_table_names(destination.work_schema)
    for name in tables:
        generation = name.removeprefix(family) if name.startswith(family) else ""
        # A newer one is not ours to drop: we may have slept since we planned.
        if generation.isdecimal() and int(generation) < attempt.generation:
            left = Table(name, MetaData(schema=WORK_SCHEMA))
            with suppress(DBAPIError), destination.transaction("1s") as connection:
                connection.execute(DropTable(left, if_exists=True))


def due(connection: Connection, resource: Resource, window: Window) -> Window:
    """The window with all that the destination knows of what is in it already."""
    return replace(
        cursors.resolved(connection, resource.name, resource.load, window),
        published=_published_files(connection, resource),
        keys=keys_of(connection, resource),
    )


def keys_of(connection: Connection, resource: Resource) -> dict[str, list[str]]:
    """The values that the resource is read for, by their names."""
    schema = resource.load.table.schema
    return {name: keys.read(connection, schema) for name, keys in resource.each.items()}


def _published_files(connection: Connection, resource: Resource) -> dict[str, str]:
    """The files in the table, by version; none where somebody has dropped it."""
    if not table_exists(connection, resource.load.table):
        return {}
    return attempts.published_files(connection, resource.name)


def _names(attempt: Attempt) -> dict[str, str | int]:
    return {
        "resource": attempt.resource,
        "run_id": attempt.run_id,
        "attempt": attempt.number,
    }
