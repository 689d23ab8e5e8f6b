"""For the tests of this project: made-up records through a resource's real code and a real load."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

from sqlalchemy import Table, create_engine, make_url, select

from . import ledger
from .connect import Destination, connect
from .keys import Given
from .loading import load, new_run_id
from .problems import Severity
from .publish import Counts
from .resource import LINEAGE, Merge, Replace, Resource
from .table_checks import Staged, TableCheck

NO_KEYS: Mapping[str, str] = {}


@contextmanager
def fresh_destination(server: str, name: str) -> Iterator[Destination]:
    """An empty database on this server, dropped afterwards."""
    url = make_url(server)
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
    destination = connect(url.set(database=name), "etl_work", "tests")
    try:
        yield destination
    finally:
        destination.engine.dispose()
        with admin.connect() as connection:
            connection.exec_driver_sql(f'DROP DATABASE "{name}" WITH (FORCE)')
        admin.dispose()


def load_from(
    destination: Destination,
    connection: Any,
    module: ModuleType,
    keys: Mapping[str, str] = NO_KEYS,
) -> Counts:
    """Run the resource of `module` once, reading from `connection` instead of its real source.

    Of what it is read for each, there is only the one value in `keys`.
    """
    resource = for_samples(Resource.of(module, lambda: connection))
    each = {name: Given([key]) for name, key in keys.items()}
    return load(destination, replace(resource, each=each), new_run_id())


def for_samples(resource: Resource) -> Resource:
    """The resource with checks of the whole load that run, but only warn, read from its start.

    Made-up rows are few, of no day in particular, and none is deleted.
    """
    load = resource.load
    if not isinstance(load, Replace):
        load = replace(load, initial_value=None, by_interval=False)
    if isinstance(load, Merge):
        load = replace(load, deleted=None, missing=None)
    checks = [OnlyWarning(check) for check in resource.checks]
    return replace(resource, load=load, checks=checks)


@dataclass(frozen=True)
class OnlyWarning:
    """A check of the whole load whatever its severity was."""

    check: TableCheck
    severity: Severity = "warn"

    def broken(self, staged: Staged) -> str | None:
        """What the check itself says."""
        return self.check.broken(staged)


def rows_of(destination: Destination, module: ModuleType) -> list[dict[str, Any]]:
    """What stands in the resource's table, without lineage, in the order of its columns."""
    return rows_in(destination, module.LOAD.table)


def rows_in(destination: Destination, table: Table) -> list[dict[str, Any]]:
    """What stands in a table, without lineage, in the order of its columns."""
    columns = [column for column in table.columns if column.name not in LINEAGE]
    with destination.engine.connect() as connection:
        rows = connection.execute(select(*columns).order_by(*columns)).mappings()
        return [dict(row) for row in rows]


def cursors_of(destination: Destination) -> dict[str, str | None]:
    """Where each resource goes on from."""
    known = ledger.resources
    with destination.engine.connect() as connection:
        found = connection.execute(select(known.c.resource, known.c.cursor))
        return {row.resource: row.cursor for row in found}


def reasons_of(destination: Destination) -> list[str]:
    """The rules that quarantined rows break, a text for each row, in the order of the source."""
    entries = ledger.quarantine
    newest = select(entries.c.reasons).where(entries.c.superseded_by.is_(None))
    with destination.engine.connect() as connection:
        found = connection.execute(
            newest.order_by(entries.c.source_file, entries.c.source_row)
        )
        return [
            "; ".join(
                f"{reason.get('column', 'record')} {reason['rule']}"
                for reason in row.reasons
            )
            for row in found
        ]
