"""Make an audited attempt visible: one transaction; the table is new after it, or as it was."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    Row,
    Select,
    Text,
    and_,
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

from . import attempts, cursors, ledger
from .attempts import Attempt
from .children import publish_children
from .conform import staged_columns
from .connect import Destination
from .errors import ContractError
from .resource import LINEAGE, Append, Load, Merge, Replace, Window
from .stage import of_winning_tries, staging_table
from .target import create_target


@dataclass(frozen=True)
class Counts:
    """Every row that was read, by what became of it."""

    read: int = 0
    loaded: int = 0
    unchanged: int = 0
    quarantined: int = 0
    duplicates: int = 0
    filtered: int = 0
    stale: int = 0


@dataclass(frozen=True)
class Outcome:
    """What became of the staged rows that were not dropped as duplicates."""

    loaded: int = 0
    unchanged: int = 0
    stale: int = 0


def publish(destination: Destination, attempt: Attempt, load: Load) -> Counts:
    """Publish an audited attempt; of one that is published already, only say what it did.

    So it may be repeated, also after a commit whose answer was lost: whether that commit happened
    is read under the same lock that it was made under.
    """
    with destination.transaction() as connection:
        row = attempts.lock(connection, attempt, "audited", "published")
        if row.status == "published":
            return Counts(**{name: getattr(row, name) for name in ledger.ACCOUNTED})
        rows = _staged_rows(attempt, load)
        staged = _count(connection, rows)
        if staged != row.read - row.quarantined - row.filtered:
            raise ContractError(
                f"{attempt.resource}: {staged} rows are staged, which is not what was audited",
                "Something changed the staging table: run again.",
            )
        create_target(connection, load)
        outcome = _bring(connection, attempt, load, rows, row)
        publish_children(connection, attempt.run_id, load, rows)
        cursors.advance(connection, attempt, load, rows, row)
        _settle_quarantine(connection, attempt, load, row)
        counts = Counts(
            read=row.read,
            quarantined=row.quarantined,
            filtered=row.filtered,
            duplicates=staged - outcome.loaded - outcome.unchanged - outcome.stale,
            **asdict(outcome),
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
    return _newest(load, _staged_rows(attempt, load))


def _staged_rows(attempt: Attempt, load: Load) -> Select[Any]:
    """The rows of the winning tries, as they will stand in the target, with their position."""
    staging = staging_table(attempt, load.table)
    origin: dict[str, ColumnElement[Any]] = {
        "_run_id": literal(attempt.run_id, Text),
        "_loaded_at": func.now(),
        "_source_file": ledger.partitions.c.file,
        "_source_row": staging.c["_position"],
    }
    return select(
        *(staging.c[column.name] for column in staged_columns(load.table)),
        *(origin[name].label(name) for name in LINEAGE if name in load.table.c),
        staging.c["_partition"],
        staging.c["_position"],
    ).select_from(of_winning_tries(attempt, staging))


def _newest(load: Load, rows: Select[Any]) -> CTE:
    """One row a key: the newest by its column, then the one that the source gave last."""
    names = [column.name for column in load.table.primary_key] or load.deduplicate
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


def _bring(
    connection: Connection,
    attempt: Attempt,
    load: Load,
    rows: Select[Any],
    row: Row[Any],
) -> Outcome:
    table, newest = load.table, _newest(load, rows)
    if isinstance(load, Merge):
        return _merge(connection, load, newest)
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


def _merge(connection: Connection, load: Merge, newest: CTE) -> Outcome:
    table = load.table
    names = [column.name for column in table.columns]
    keys = [column.name for column in table.primary_key]
    data = [column.name for column in staged_columns(table) if column.name not in keys]
    merged = insert(table).from_select(
        names, select(*(newest.c[name] for name in names))
    )
    if not data:
        merged = merged.on_conflict_do_nothing(index_elements=keys)
    else:
        new = merged.excluded
        changed = tuple_(*(table.c[name] for name in data)).is_distinct_from(
            tuple_(*(new[name] for name in data))
        )
        merged = merged.on_conflict_do_update(
            index_elements=keys,
            set_={name: new[name] for name in names if name not in keys},
            where=and_(changed, ~_is_newer(load, table.c, new)),
        )
    written = merged.returning(literal(1).label("one")).cte("written")
    same_key = and_(*(table.c[name] == newest.c[name] for name in keys))
    stale = select(func.count()).select_from(newest.join(table, same_key))
    counted = connection.execute(
        select(
            select(func.count())
            .select_from(newest)
            .scalar_subquery()
            .label("distinct"),
            select(func.count()).select_from(written).scalar_subquery().label("loaded"),
            stale.where(_is_newer(load, table.c, newest.c))
            .scalar_subquery()
            .label("stale"),
        )
    ).one()
    unchanged = counted.distinct - counted.loaded - counted.stale
    return Outcome(counted.loaded, unchanged, counted.stale)


def _is_newer(load: Merge, there: Any, new: Any) -> Any:
    """Whether the row that is there is newer, by the cursor, than the one to be merged."""
    if load.cursor is None:
        return false()
    known, offered = there[load.cursor], new[load.cursor]
    return and_(known.is_not(None), or_(offered.is_(None), known > offered))


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
