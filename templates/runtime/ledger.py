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

from sqlalchemy import (
    TIMESTAMP,
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    ForeignKeyConstraint,
    Identity,
    Integer,
    MetaData,
    Row,
    Table,
    Text,
    UniqueConstraint,
    and_,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSON, JSONB
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.schema import CreateSchema, CreateTable, ExecutableDDLElement

from .connect import WORK_SCHEMA, create_schema
from .errors import BusyError, ContractError, OvertakenError
from .lease import LEASE_SECONDS, is_alive
from .resource import Partition, Window

LIVE = ("planned", "audited")
ACCOUNTED = (
    "read",
    "loaded",
    "unchanged",
    "quarantined",
    "duplicates",
    "filtered",
    "stale",
)

metadata = MetaData(schema=WORK_SCHEMA)

resources = Table(
    "resources",
    metadata,
    Column("resource", Text, primary_key=True),
    Column("number", Integer, Identity(), unique=True, nullable=False),
    Column("generation", BigInteger, nullable=False, server_default="0"),
    Column("cursor", Text),
)

attempts = Table(
    "attempts",
    metadata,
    Column("resource", Text, primary_key=True),
    Column("run_id", Text, primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("generation", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("disposition", Text, nullable=False),
    Column("window_start", TIMESTAMP(timezone=True)),
    Column("window_end", TIMESTAMP(timezone=True)),
    Column("owner", Text),
    Column("lease_until", TIMESTAMP(timezone=True), nullable=False),
    *(
        Column(count, BigInteger, nullable=False, server_default="0")
        for count in ACCOUNTED
    ),
    Column("warnings", JSONB, nullable=False, server_default="{}"),
    Column("error", Text),
    Column(
        "planned_at",
        TIMESTAMP(timezone=True),
        nullable=False,
        server_default=func.now(),
    ),
    Column("finished_at", TIMESTAMP(timezone=True)),
    UniqueConstraint("resource", "generation"),
    CheckConstraint(
        "status IN ('planned', 'audited', 'published', 'failed', 'aborted', 'overtaken')"
    ),
    CheckConstraint(
        "status <> 'published'"
        " OR read = loaded + unchanged + quarantined + duplicates + filtered + stale",
        name="every_row_is_accounted_for",
    ),
    CheckConstraint(f"least({', '.join(ACCOUNTED)}) >= 0", name="no_count_is_negative"),
)

partitions = Table(
    "partitions",
    metadata,
    Column("resource", Text, primary_key=True),
    Column("run_id", Text, primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("file", Text),
    Column("detail", JSONB, nullable=False),
    Column("last_try", Integer, nullable=False, server_default="0"),
    Column("winning_try", Integer),
    *(
        Column(count, BigInteger, nullable=False, server_default="0")
        for count in ("read", "staged", "quarantined", "filtered")
    ),
    Column("warnings", JSONB, nullable=False, server_default="{}"),
    ForeignKeyConstraint(
        ["resource", "run_id", "attempt"],
        [attempts.c.resource, attempts.c.run_id, attempts.c.attempt],
        ondelete="CASCADE",
    ),
    CheckConstraint(
        "winning_try IS NULL OR read = staged + quarantined + filtered",
        name="every_row_read_is_accounted_for",
    ),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("resource", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("try", Integer, nullable=False),
    Column("source_file", Text),
    Column("source_row", BigInteger, nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("payload", JSON, nullable=False),
    Column(
        "quarantined_at",
        TIMESTAMP(timezone=True),
        server_default=func.now(),
        nullable=False,
    ),
    Column("superseded_by", Text),
)


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


def bootstrap(connection: Connection) -> None:
    """Create the work schema and its tables where they are missing; safe to do at once."""
    schema = connection.get_execution_options()["schema_translate_map"][WORK_SCHEMA]
    create_schema(connection, schema)
    metadata.create_all(connection)


def bootstrap_sql(schema: str) -> str:
    """The statements of `bootstrap`, for a database administrator to run."""
    statements: list[ExecutableDDLElement] = [
        CreateSchema(schema, if_not_exists=True),
        *map(CreateTable, metadata.sorted_tables),
    ]
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    compiled = [
        str(
            statement.compile(
                dialect=dialect,
                schema_translate_map={WORK_SCHEMA: schema},
                render_schema_translate=True,
            )
        )
        for statement in statements
    ]
    return "\n".join(f"{statement.strip()};" for statement in compiled)


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
        upsert(resources).values(resource=resource).on_conflict_do_nothing()
    )
    state = lock_resource(connection, resource)
    rival = _live_rival(connection, resource, run_id)
    if rival is not None and not take_over:
        raise BusyError(
            f"{resource} is being loaded by run {rival.run_id} ({rival.owner or 'scheduled'}), "
            f"started {rival.planned_at:%Y-%m-%d %H:%M:%S %Z}",
            "Wait for it, or take over with `run --take-over` if you know that it is dead.",
        )
    close_attempts(connection, resource, "overtaken")
    generation = state.generation + 1
    connection.execute(
        update(resources)
        .where(resources.c.resource == resource)
        .values(generation=generation)
    )
    latest = select(func.coalesce(func.max(attempts.c.attempt), 0)).where(
        attempts.c.resource == resource, attempts.c.run_id == run_id
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
        insert(attempts).values(
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
        connection.execute(insert(partitions), rows)
    return attempt


def begin_try(
    connection: Connection, attempt: Attempt, number: int
) -> tuple[int, Partition]:
    """Start one more try of writing a partition; earlier tries of it can win no more."""
    # First of all: two tries that both hold the row in share could not update it any more.
    renew_lease(connection, attempt)
    row = require(connection, attempt, "planned")
    started = connection.execute(
        update(partitions)
        .where(attempt.rows(partitions), partitions.c.partition == number)
        .values(last_try=partitions.c.last_try + 1)
        .returning(partitions.c.last_try, partitions.c.file, partitions.c.detail)
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
        update(partitions)
        .where(
            attempt.rows(partitions),
            partitions.c.partition == number,
            partitions.c.last_try == try_,
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
        update(attempts)
        .where(attempt.rows(attempts), attempts.c.status == "planned")
        .values(lease_until=lease_end())
    )
    if renewed.rowcount == 0:
        require(connection, attempt, "planned")


def require(connection: Connection, attempt: Attempt, *statuses: str) -> Row[Any]:
    """The attempt's row, held against changes of its status, which must be one of these."""
    row = connection.execute(
        select(attempts).where(attempt.rows(attempts)).with_for_update(read=True)
    ).one_or_none()
    return _in_status(attempt, row, statuses)


def lock(connection: Connection, attempt: Attempt, *statuses: str) -> Row[Any]:
    """Lock the resource and the attempt, which must be the resource's newest and have this status.

    A published attempt passes whatever came after it: what is done is done.
    """
    state = lock_resource(connection, attempt.resource)
    row = connection.execute(
        select(attempts).where(attempt.rows(attempts)).with_for_update()
    ).one_or_none()
    row = _in_status(attempt, row, statuses)
    if row.status != "published" and state.generation != attempt.generation:
        raise _overtaken(attempt)
    return row


def lock_resource(connection: Connection, resource: str) -> Row[Any]:
    """The resource's row, locked until the transaction ends."""
    return connection.execute(
        select(resources).where(resources.c.resource == resource).with_for_update()
    ).one()


def set_status(
    connection: Connection, attempt: Attempt, status: str, **values: Any
) -> None:
    """Record the attempt's new status, and what else is known with it."""
    if status not in LIVE:
        values["finished_at"] = func.clock_timestamp()
    connection.execute(
        update(attempts).where(attempt.rows(attempts)).values(status=status, **values)
    )


def give_up(connection: Connection, attempt: Attempt, status: str, error: str) -> None:
    """Close an attempt that failed or was aborted; one that has ended otherwise stays as it is."""
    connection.execute(
        update(attempts)
        .where(attempt.rows(attempts), attempts.c.status.in_(LIVE))
        .values(status=status, error=error, finished_at=func.clock_timestamp())
    )


def close_attempts(connection: Connection, resource: str, status: str) -> None:
    """Close whatever attempts of the resource are still open."""
    connection.execute(
        update(attempts)
        .where(attempts.c.resource == resource, attempts.c.status.in_(LIVE))
        .values(status=status, finished_at=func.clock_timestamp())
    )


def lease_end() -> Any:
    """The moment, by the destination's clock, that a lease taken now ends."""
    return func.clock_timestamp() + func.make_interval(0, 0, 0, 0, 0, 0, LEASE_SECONDS)


def _live_rival(connection: Connection, resource: str, run_id: str) -> Row[Any] | None:
    rival = connection.execute(
        select(attempts).where(
            attempts.c.resource == resource,
            attempts.c.run_id != run_id,
            attempts.c.status.in_(LIVE),
            attempts.c.lease_until > func.clock_timestamp(),
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
