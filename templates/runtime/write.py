"""Write one partition: read it in batches, transform and check each, stage the good rows.

Reading and transforming overlap with COPY, which runs in a thread of its own. Each batch is
staged in one transaction together with its rejects, so none is open while the source is awaited.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa
import structlog
from psycopg2.errors import UndefinedTable
from sqlalchemy import insert

from . import attempts, ledger
from .attempts import Attempt, Written
from .columns import as_arrow
from .conform import arrow_type, staged_columns
from .connect import Destination
from .errors import ContractError
from .lease import LEASE_SECONDS
from .problems import HIDDEN, Problems
from .resource import Partition, Reject, Resource
from .stage import Stager, staging_table

BATCHES_IN_FLIGHT = 2
KEPT_REJECTS = 10_000
LONGEST_CELL = 10_000
log = structlog.get_logger()
Progress = Callable[[int], None]


@dataclass
class Batch:
    """What one raw batch became."""

    raw: pd.DataFrame
    good: pa.Table
    rejects: list[dict[str, Any]]
    filtered: int
    warnings: Counter[str]

    @property
    def read(self) -> int:
        """Records read from the source."""
        return int(self.good.num_rows) + len(self.rejects) + self.filtered


def write(
    destination: Destination,
    attempt: Attempt,
    resource: Resource,
    number: int,
    progress: Progress = lambda rows: None,
) -> Written:
    """Stage partition `number`. Tried again, it starts anew: rows of a lost try never count."""
    with destination.transaction() as connection:
        try_, partition = attempts.begin_try(connection, attempt, number)
        staging = staging_table(attempt, resource.load.table)
        stager = Stager(connection, destination.work_schema, staging)
    writer = Writer(destination, attempt, stager, partition, try_, resource.private)
    read = filtered = 0
    warnings: Counter[str] = Counter()
    with closing(writer.staged(_batches(resource, partition))) as batches:
        for batch in batches:
            read += batch.read
            filtered += batch.filtered
            warnings += batch.warnings
            progress(batch.read)
    written = Written(
        read, writer.rows_staged, writer.rows_rejected, filtered, warnings
    )
    with destination.transaction() as connection:
        attempts.finish_try(connection, attempt, number, try_, written)
    return written


class Writer:
    """Stages the batches of one try, a few of them ahead of the database."""

    def __init__(
        self,
        destination: Destination,
        attempt: Attempt,
        stager: Stager,
        partition: Partition,
        try_: int,
        private: frozenset[str] = frozenset(),
    ) -> None:
        self.destination = destination
        self.private = private
        self.attempt = attempt
        self.stager = stager
        self.partition = partition
        self.try_ = try_
        self.rows_staged = 0
        self.rows_rejected = 0
        self.leased_at = time.monotonic()

    def staged(self, batches: Iterator[Batch]) -> Generator[Batch]:
        """Give each batch back once it is staged; at most a few are held in memory."""
        pool = ThreadPoolExecutor(1, thread_name_prefix="copy")
        waiting: deque[tuple[Batch, Future[None]]] = deque()
        try:
            for batch in batches:
                waiting.append((batch, pool.submit(self._stage, batch)))
                if len(waiting) > BATCHES_IN_FLIGHT:
                    yield self._done(*waiting.popleft())
            while waiting:
                yield self._done(*waiting.popleft())
        finally:
            pool.shutdown(cancel_futures=True)

    @staticmethod
    def _done(batch: Batch, staged: Future[None]) -> Batch:
        staged.result()
        return batch

    def _stage(self, batch: Batch) -> None:
        self._renew_lease()
        try:
            self._stage_at_once(batch)
        except UndefinedTable:
            # A newer attempt sweeps the staging tables of older ones.
            with self.destination.transaction() as connection:
                attempts.require(connection, self.attempt, "planned")
            raise

    def _stage_at_once(self, batch: Batch) -> None:
        with self.destination.transaction() as connection:
            refused = self.stager.copy(connection, self._placed(batch))
            positions = batch.good["_position"]
            # The server's words may quote the value.
            reasons = {
                positions[index].as_py(): [
                    {"rule": "is refused by PostgreSQL" if self.private else rule}
                ]
                for index, rule in refused
            }
            rejects = batch.rejects + _entries(batch.raw, reasons, self.private)
            kept = rejects[: max(0, KEPT_REJECTS - self.rows_rejected)]
            if len(kept) < len(rejects) and self.rows_rejected <= KEPT_REJECTS:
                log.warning(
                    "quarantine keeps no more",
                    kept=KEPT_REJECTS,
                    file=self.partition.file,
                )
            if kept:
                # So that none are left of a try that goes on after the attempt was audited.
                attempts.require(connection, self.attempt, "planned")
                entries = [self._placed_reject(reject) for reject in kept]
                connection.execute(insert(ledger.quarantine), entries)
        self.rows_rejected += len(rejects)
        self.rows_staged += batch.read - batch.filtered - len(rejects)

    def _placed(self, batch: Batch) -> pa.Table:
        size = batch.good.num_rows
        partition = pa.repeat(pa.scalar(self.partition.number, pa.int32()), size)
        rows = batch.good.append_column("_partition", partition)
        return rows.append_column(
            "_try", pa.repeat(pa.scalar(self.try_, pa.int32()), size)
        )

    def _placed_reject(self, reject: dict[str, Any]) -> dict[str, Any]:
        return {
            "resource": self.attempt.resource,
            "run_id": self.attempt.run_id,
            "attempt": self.attempt.number,
            "partition": self.partition.number,
            "try": self.try_,
            "source_file": self.partition.file,
            **reject,
        }

    def _renew_lease(self) -> None:
        if time.monotonic() - self.leased_at > LEASE_SECONDS / 4:
            with self.destination.transaction() as connection:
                attempts.renew_lease(connection, self.attempt)
            self.leased_at = time.monotonic()


def _batches(resource: Resource, partition: Partition) -> Iterator[Batch]:
    with resource.source() as source:
        for raw in resource.extract(source, partition):
            yield _batch(resource, raw, partition)
            partition.rejects.clear()
    if partition.rejects:
        yield _batch(resource, None, partition)


def _batch(resource: Resource, raw: pd.DataFrame | None, partition: Partition) -> Batch:
    unreadable = [_unreadable(reject, resource.private) for reject in partition.rejects]
    if raw is None:
        nothing = pa.table({"_position": pa.array([], pa.int64())})
        return Batch(pd.DataFrame(), nothing, unreadable, 0, Counter())
    problems = Problems(private=resource.private)
    rows = resource.transform(raw, problems)
    _require_subset(resource, raw, rows)
    problems.rows = rows
    resource.check(rows, problems)
    rejects = _entries(
        raw,
        {
            row: [reason.as_dict() for reason in why]
            for row, why in problems.reasons.items()
        },
        resource.private,
    )
    good = rows.drop(index=[row for row in problems.reasons if row in rows.index])
    filtered = len(raw.index.difference(rows.index).difference(list(problems.reasons)))
    warnings = Counter(
        {
            f'{column} breaks "{rule}"': n
            for (column, rule), n in problems.warnings.items()
        }
    )
    return Batch(
        raw, _as_table(resource, good), unreadable + rejects, filtered, warnings
    )


def _as_table(resource: Resource, rows: pd.DataFrame) -> pa.Table:
    columns = staged_columns(resource.load.table)
    arrays = {
        column.name: as_arrow(rows[column.name])
        for column in columns
        if column.name in rows
    }
    wrong = [
        f"{column.name} is {arrays[column.name].type if column.name in arrays else 'missing'}"
        for column in columns
        if column.name not in arrays
        or arrays[column.name].type != arrow_type(column.type)
    ]
    if wrong:
        raise ContractError(
            f"{resource.name}: transform() must end with conform(): {'; '.join(wrong)}"
        )
    return pa.table({**arrays, "_position": pa.array(rows.index, pa.int64())})


def _require_subset(resource: Resource, raw: pd.DataFrame, rows: pd.DataFrame) -> None:
    if rows.index.is_unique and rows.index.isin(raw.index).all():
        return
    raise ContractError(
        f"{resource.name}: transform() must keep the index: each row it gives must be one of "
        "the raw rows, once",
        "Filter with rows[condition]; don't reset_index, concat or merge without restoring it.",
    )


def _entries(
    raw: pd.DataFrame,
    reasons: dict[int, list[dict[str, Any]]],
    private: frozenset[str],
) -> list[dict[str, Any]]:
    """Quarantine entries of these rows, with each record as it was read but for private values."""
    records = raw.loc[list(reasons)].astype(object)
    payloads = records.where(records.notna(), None).to_dict("records")
    return [
        {
            "source_row": int(position),
            "reasons": reasons[position],
            "payload": {
                str(name): _as_text(value, is_private=name in private)
                for name, value in payload.items()
            },
        }
        for position, payload in zip(reasons, payloads, strict=True)
    ]


def _as_text(value: Any, *, is_private: bool) -> str | None:
    if value is None:
        return None
    return HIDDEN if is_private else _cut(str(value))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_CELL else f"{text[:LONGEST_CELL]}…"


def _unreadable(reject: Reject, private: frozenset[str]) -> dict[str, Any]:
    """The entry of a record that was not read, of which nobody knows where private values stand."""
    return {
        "source_row": reject.position,
        "reasons": [{"rule": reject.rule}],
        "payload": HIDDEN if private else _cut(reject.payload),
    }
