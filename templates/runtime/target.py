"""The table that we load: made when it is not there, extended when the code gained a column.

Nothing that rewrites a table or breaks a view happens here: a column of another type is an
error that prints the statement for somebody to decide on.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Connection, Table, inspect, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateColumn

from .connect import Destination, column_types, create_schema
from .errors import ContractError
from .resource import Append, Load

# No parameters are put into what it spells, so a percent sign in a name stands for itself.
DIALECT = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]


def create_target(connection: Connection, load: Load) -> None:
    """Create the table and what its way of loading needs, where they are missing."""
    table = load.table
    if not table_exists(connection, table):
        _create(connection, load)
    for child in load.children:
        child.table.create(connection, checkfirst=True)


def _create(connection: Connection, load: Load) -> None:
    table = load.table
    table.create(connection)
    if isinstance(load, Append) and "_source_file" in table.c:
        # Loading a file again deletes its rows by this column. PostgreSQL finds the index a name.
        name = DIALECT.identifier_preparer.format_table(table)
        _execute(connection, f'CREATE INDEX ON {name} ("_source_file")')


def prepare_target(destination: Destination, load: Load) -> list[str]:
    """Make an existing table fit the code, and its schema; gives the columns that were added.

    Raises `ContractError` where only a person can decide: another type, a missing key.
    """
    children = [
        f"{child.table.name}.{column}"
        for child in load.children
        for column in _prepare(destination, child.table)
    ]
    return _prepare(destination, load.table) + children


def _prepare(destination: Destination, table: Table) -> list[str]:
    with destination.transaction() as connection:
        if not table_exists(connection, table):
            if table.schema:
                create_schema(connection, table.schema)
            return []
        actual = column_types(connection, table.schema, table.name)
        keys = _unique_keys(connection, table)
    _require_types(table, actual)
    _require_key(table, keys)
    missing = [column for column in table.columns if column.name not in actual]
    if missing:
        with destination.transaction(lock_timeout="5s") as connection:
            for column in missing:
                _execute(connection, _add_column(table, column))
    return [column.name for column in missing]


def table_exists(connection: Connection, table: Table) -> bool:
    """Whether the table is there, with the rights to see it."""
    return inspect(connection).has_table(table.name, schema=table.schema)


def declared_type(column: Column[Any]) -> str:
    """A column's type as the server would spell it."""
    spelled = column.type.compile(DIALECT).lower().replace(", ", ",")
    return spelled.replace("varchar", "character varying")


def _require_types(table: Table, actual: dict[str, str]) -> None:
    name = DIALECT.identifier_preparer.format_table(table)
    quote = DIALECT.identifier_preparer.quote
    for column in table.columns:
        declared = declared_type(column)
        if column.name in actual and actual[column.name] != declared:
            raise ContractError(
                f"{table.fullname}.{column.name} is {actual[column.name]} in the database and "
                f"{declared} in the code",
                "Change the code, or, knowing that it rewrites the table: "
                f"ALTER TABLE {name} ALTER {quote(column.name)} TYPE {declared};",
            )


def _unique_keys(connection: Connection, table: Table) -> list[set[str]]:
    """The columns of each index that ON CONFLICT can use: whole, plain, not deferrable."""
    found = connection.execute(
        text(
            "SELECT array_agg(attname::text) FROM pg_index"
            " JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)"
            " WHERE indrelid = to_regclass(:name) AND indisunique AND indimmediate"
            " AND indisvalid AND indpred IS NULL AND indexprs IS NULL"
            " AND array_position(indkey::int[], attnum::int) < indnkeyatts"
            " GROUP BY indexrelid"
        ),
        {"name": DIALECT.identifier_preparer.format_table(table)},
    )
    return [set(columns) for columns in found.scalars()]


def _require_key(table: Table, keys: list[set[str]]) -> None:
    wanted = {column.name for column in table.primary_key}
    if wanted and wanted not in keys:
        columns = ", ".join(
            DIALECT.identifier_preparer.quote(name) for name in sorted(wanted)
        )
        name = DIALECT.identifier_preparer.format_table(table)
        raise ContractError(
            f"{table.fullname} has no unique index on ({columns}) that can be relied on",
            f"Add it: ALTER TABLE {name} ADD PRIMARY KEY ({columns});",
        )


def _add_column(table: Table, column: Column[Any]) -> str:
    if not column.nullable:
        raise ContractError(
            f"{table.fullname} has no column {column.name!r}, and the code says it is never NULL",
            "Make it nullable, or add it by hand with a default for the rows that are there.",
        )
    name = DIALECT.identifier_preparer.format_table(table)
    definition = CreateColumn(column).compile(dialect=DIALECT)
    return f"ALTER TABLE {name} ADD COLUMN IF NOT EXISTS {definition}"


def _execute(connection: Connection, statement: str) -> None:
    connection.exec_driver_sql(statement.replace("%", "%%"))
