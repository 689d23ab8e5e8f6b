"""The tables of the work schema: what was loaded by which attempt, and what was set aside.

They are a contract for dashboards: read them, but write to them only through `attempts.py`.
"""

from __future__ import annotations

from sqlalchemy import (
    TIMESTAMP,
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    func,
    select,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSON, JSONB
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.schema import (
    CreateIndex,
    CreateSchema,
    CreateTable,
    ExecutableDDLElement,
)

from .connect import WORK_SCHEMA, create_schema
from .errors import ContractError

ACCOUNTED = (
    "read",
    "loaded",
    "unchanged",
    "quarantined",
    "duplicates",
    "filtered",
    "stale",
)

VERSION = 2
# What brings the tables of an older version up to date, by the version that it leads to.
UPGRADES = {
    2: "ALTER TABLE {} ADD COLUMN IF NOT EXISTS deleted bigint NOT NULL DEFAULT 0",
}

metadata = MetaData(schema=WORK_SCHEMA)

version = Table("version", metadata, Column("version", Integer, primary_key=True))

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
        for count in (*ACCOUNTED, "deleted")
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


Index(
    "quarantine_by_attempt",
    *(quarantine.c[n] for n in ("resource", "run_id", "attempt")),
)
Index(
    "quarantine_open",
    quarantine.c.resource,
    postgresql_where=quarantine.c.superseded_by.is_(None),
)


def bootstrap(connection: Connection) -> None:
    """Create the work schema and its tables where they are missing; safe to do at once."""
    schema = connection.get_execution_options()["schema_translate_map"][WORK_SCHEMA]
    create_schema(connection, schema)
    metadata.create_all(connection)
    connection.execute(upsert(version).values(version=VERSION).on_conflict_do_nothing())


def upgrade(connection: Connection) -> None:
    """Bring tables of an older version up to date; safe to do at once."""
    found = connection.execute(select(func.max(version.c.version))).scalar_one()
    preparer = connection.dialect.identifier_preparer
    schema = connection.get_execution_options()["schema_translate_map"][WORK_SCHEMA]
    for number in range(found + 1, VERSION + 1):
        table = f"{preparer.quote(schema)}.{preparer.quote(attempts.name)}"
        connection.exec_driver_sql(UPGRADES[number].format(table).replace("%", "%%"))
        reached = upsert(version).values(version=number).on_conflict_do_nothing()
        connection.execute(reached)


def require_version(connection: Connection) -> None:
    """Raise `ContractError` where the tables are those of another version of this code."""
    found = connection.execute(select(func.max(version.c.version))).scalar_one()
    if found != VERSION:
        raise ContractError(
            f"the work schema has version {found} of the ledger, this code needs {VERSION}",
            "Run the newest version of this project everywhere it runs.",
        )


def bootstrap_sql(schema: str) -> str:
    """The statements of `bootstrap`, for a database administrator to run."""
    statements: list[ExecutableDDLElement] = [
        CreateSchema(schema, if_not_exists=True),
        *map(CreateTable, metadata.sorted_tables),
        *(
            CreateIndex(index)
            for table in metadata.sorted_tables
            for index in table.indexes
        ),
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
    quoted = dialect.identifier_preparer.quote(schema)
    compiled.append(f"INSERT INTO {quoted}.version VALUES ({VERSION})")
    return "\n".join(f"{statement.strip()};" for statement in compiled)
