"""Make an audited attempt visible: one transaction; the table is new after it, or as it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    Row,
    Select,
    Text,
    and_,
    case,
    delete,
    false,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.schema import DropTable

from . import attempts, cursors, deletions, ledger
from .attempts import Attempt
from .children import publish_children
from .conform import staged_columns
from .connect import Destination
from .errors import ContractError
from .merge import Outcome, is_deleted, merge
from .resource import DELETED_AT, LINEAGE, Append, Load, Merge, Replace, Window
from .stage import of_winning_tries, staging_table
from .target import create_target


@dataclass(frozen=True)
class Counts:
    """Every row that was read, by what became of it; and the rows that the table lost by it."""

    read: int = 0
    loaded: int = 0
    unchanged: int = 0
    quarantined: int = 0
    duplicates: int = 0
    filtered: int = 0
    stale: int = 0
    deleted: int = 0


COUNTS = [field.name for field in fields(Counts)]


def publish(destination: Destination, attempt: Attempt, load: Load) -> Counts:
    """Publish an audited attempt; of one that is published already, only say what it did.

    So it may be repeated, also after a commit whose answer was lost: whether that commit happened
    is read under the same lock that it was made under.
    """
    with destination.transaction() as connection:
        row = attempts.lock(connection, attempt, "audited", "published")
        if row.status == "published":
            return Counts(**{name: getattr(row, name) for name in COUNTS})
        rows = staged_rows(attempt, load)
        staged = _count(connection, rows)
        if staged != row.read - row.quarantined - row.filtered:
            raise ContractError(
                f"{attempt.resource}: {staged} rows are staged, which is not what was audited",
                "Something changed the staging table: run again.",
            )
        create_target(connection, load)
        outcome = _bring(connection, attempt, load, rows, row)
        missing = deletions.delete_missing(connection, attempt, load, rows, row)
        publish_children(connection, attempt.run_id, load, rows)
        cursors.advance(connection, attempt, load, rows, row)
        _settle_quarantine(connection, attempt, load, row)
        counts = Counts(
            read=row.read,
            quarantined=row.quarantined,
            filtered=row.filtered,
            duplicates=staged - outcome.loaded - outcome.unchanged - outcome.stale,
            loaded=outcome.loaded,
            unchanged=outcome.unchanged,
            stale=outcome.stale,
            deleted=outcome.deleted + missing,
        )
        attempts.set_status(connection, attempt, "published", **asdict(counts))
    return counts


def drop_staging(destination: Destination, attempt: Attempt, load: Load) -> None:
    """Drop what the attempt staged; what it published stays."""
    with destination.transaction(lock_timeout="2s") as connection:
        connection.execute(
            DropTable(staging_table(attempt, load.table), if_exists=True)
        )


def rows_to_publish(attempt: Attempt, load: Load) -> CTE:
    """The staged rows as they will stand in the target, one a key, as the CTE `rows`."""
    return _newest(load, staged_rows(attempt, load))


def staged_rows(attempt: Attempt, load: Load) -> Select[Any]:
    """The rows of the winning tries, as they will stand in the target, with their position."""
    staging = staging_table(attempt, load.table)
    origin: dict[str, ColumnElement[Any]] = {
        "_run_id": literal(attempt.run_id, Text),
        "_loaded_at": func.now(),
        "_source_file": ledger.partitions.c.file,
        "_source_row": staging.c["_position"],
        DELETED_AT: case((is_deleted(load, staging.c), func.now())),
    }
    return select(
        *(staging.c[column.name] for column in staged_columns(load.table)),
        *(origin[name].label(name) for name in LINEAGE if name in load.table.c),
        staging.c["_partition"],
        staging.c["_position"],
    ).select_from(of_winning_tries(attempt, staging))


def _newest(load: Load, rows: Select[Any]) -> CTE:
    """One row a key: the newest by its column, then the one that the source gave last."""
    names = _unique_by(load)
    if not names:
        return rows.cte("rows")
    staged = rows.subquery()
    newest_first = [staged.c["_partition"].desc(), staged.c["_position"].desc()]
    if load.newest_by:
        newest_first.insert(0, staged.c[load.newest_by].desc().nulls_last())
    keys = [staged.c[name] for name in names]
    rank = func.row_number().over(partition_by=keys, order_by=newest_first)
    ranked = select(staged, rank.label("_rank")).subquery()
    return (
        select(ranked)
        .where(ranked.c["_rank"] == 1)
        .cte("rows")
        .prefix_with("MATERIALIZED")
    )


def _unique_by(load: Load) -> Sequence[str]:
    """The columns of whose values the table gets one row."""
    return [column.name for column in load.table.primary_key] or load.deduplicate


def _has_twins(connection: Connection, load: Load, rows: Select[Any]) -> bool:
    """Whether rows were staged that are one row in the table."""
    staged = rows.subquery()
    keys = [staged.c[name] for name in _unique_by(load)]
    if not keys:
        return False
    twins = (
        select(func.count())
        .select_from(staged)
        .group_by(*keys)
        .having(func.count() > 1)
    )
    return connection.execute(twins.limit(1)).first() is not None


def _bring(
    connection: Connection,
    attempt: Attempt,
    load: Load,
    rows: Select[Any],
    row: Row[Any],
) -> Outcome:
    table = load.table
    # Ranking sorts whole rows; whether there is anything to rank, their keys alone tell.
    newest = (
        _newest(load, rows) if _has_twins(connection, load, rows) else rows.cte("rows")
    )
    if isinstance(load, Merge):
        return merge(connection, load, newest)
    if isinstance(load, Replace):
        if _count(connection, rows) == 0 and not load.allow_empty:
            return Outcome()
        connection.execute(delete(table))
    else:
        before = _loaded_before(connection, attempt, load, row)
        outdated = or_(before, _replaced(load, newest))
        connection.execute(delete(table).where(outdated))
    names = [column.name for column in table.columns]
    added = insert(table).from_select(
        names, select(*(newest.c[name] for name in names))
    )
    if table.primary_key:
        keys = [column.name for column in table.primary_key]
        added = added.on_conflict_do_nothing(index_elements=keys)
    return Outcome(loaded=connection.execute(added).rowcount)


def _loaded_before(
    connection: Connection, attempt: Attempt, load: Append, row: Row[Any]
) -> Any:
    """What this attempt appends again: its files, its window, or else its own run."""
    table, parts = load.table, ledger.partitions
    if "_source_file" in table.c:
        return table.c["_source_file"].in_(
            select(parts.c.file).where(attempt.rows(parts))
        )
    own_run = table.c["_run_id"] == attempt.run_id
    if load.cursor is None:
        return own_run
    window = Window(row.window_start, row.window_end)
    window = cursors.resolved(connection, attempt.resource, load, window)
    cursor = table.c[load.cursor]
    if window.since is None:
        return own_run
    before = true() if window.until is None else cursor < window.until
    return or_(own_run, and_(cursor >= window.since, before))


def _replaced(load: Append, newest: CTE) -> Any:
    """Rows of the table that new ones stand for, NULL being a value like others."""
    if not load.replace_by:
        return false()
    new = select(*(newest.c[name] for name in load.replace_by)).distinct().subquery()
    same = (
        load.table.c[name].is_not_distinct_from(new.c[name]) for name in load.replace_by
    )
    return select(literal(1)).select_from(new).where(*same).exists()


def _settle_quarantine(
    connection: Connection, attempt: Attempt, load: Load, row: Row[Any]
) -> None:
    """Drop the entries of tries that lost; mark as superseded those that were now read anew.

    These are the entries of the same files or the same run, those of attempts that came to
    nothing, and all where the table was replaced.
    """
    entries, parts, others = ledger.quarantine, ledger.partitions, ledger.attempts
    winning = select(parts.c.partition, parts.c.winning_try).where(attempt.rows(parts))
    connection.execute(
        delete(entries).where(
            attempt.rows(entries),
            tuple_(entries.c.partition, entries.c["try"]).not_in(winning),
        )
    )
    published = select(others.c.run_id, others.c.attempt).where(
        others.c.resource == attempt.resource,
        others.c.run_id != attempt.run_id,
        others.c.status == "published",
    )
    replaced = isinstance(load, Replace) and (row.read > 0 or load.allow_empty)
    read_anew = or_(
        entries.c.source_file.in_(select(parts.c.file).where(attempt.rows(parts))),
        tuple_(entries.c.run_id, entries.c.attempt).not_in(published),
    )
    connection.execute(
        update(entries)
        .where(
            entries.c.resource == attempt.resource,
            ~attempt.rows(entries),
            entries.c.superseded_by.is_(None),
            *([] if replaced else [read_anew]),
        )
        .values(superseded_by=attempt.run_id)
    )


def _count(connection: Connection, rows: Select[Any]) -> int:
    return int(
        connection.execute(
            select(func.count()).select_from(rows.subquery())
        ).scalar_one()
    )
