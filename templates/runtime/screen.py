"""What was loaded and what was not, as tables on stdout. Text from data is never obeyed."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any, Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy import Table as SqlTable
from sqlalchemy import Text as SqlText
from sqlalchemy import and_, cast, func, inspect, select
from sqlalchemy.exc import DBAPIError

from . import ledger
from .connect import Destination
from .errors import ConfigError, explain
from .loading import due, keys_of
from .problems import HIDDEN
from .publish import Counts
from .resource import EXTRA, LINEAGE, Partition, Range, Resource, Window
from .target import table_exists

WIDE_ENOUGH = 200


class Results:
    """The closing table of a run."""

    def __init__(self) -> None:
        self.table = _table("resource", *ledger.ACCOUNTED, "seconds")
        self.names: list[str] = []
        self.notes: list[str] = []
        self.quarantined = 0

    def add(self, resource: Resource, counts: Counts, seconds: float) -> None:
        """One resource that was loaded."""
        numbers = [f"{getattr(counts, name):,}" for name in ledger.ACCOUNTED]
        self.table.add_row(resource.name, *numbers, f"{seconds:.1f}")
        self.names.append(resource.name)
        self.quarantined += counts.quarantined
        if counts.read == 0:
            self.notes.append(f"{resource.name}: there was nothing to read.")
        if counts.deleted:
            self.notes.append(
                f"{resource.name}: deleted at the source: {counts.deleted:,}."
            )

    def show(self, destination: Destination, run_id: str) -> None:
        """Print the table, and what it does not show."""
        if not self.names:
            return
        _print(self.table)
        for note in [*self.notes, *self._warnings(destination, run_id)]:
            print(note)
        if self.quarantined:
            rows = (
                "1 row was"
                if self.quarantined == 1
                else f"{self.quarantined:,} rows were"
            )
            print(f"{rows} set aside: the command `quarantine` says why.")

    def _warnings(self, destination: Destination, run_id: str) -> list[str]:
        attempts = ledger.attempts
        chosen = and_(attempts.c.run_id == run_id, attempts.c.resource.in_(self.names))
        return [
            f"{row.resource}: {_warning(rule, count, row.read)}; that is only a warning"
            for row in _query(destination, select(attempts).where(chosen))
            for rule, count in row.warnings.items()
        ]


def show_plan(
    open_destination: Callable[[], Destination], resources: Sequence[Resource]
) -> None:
    """Print what a run would read now, without reading it."""
    destination = _reached(open_destination)
    table = _table("resource", "load", "into", "reads")
    for resource in resources:
        load = resource.load
        named = [resource.name, load.name, load.table.fullname]
        for part in _reads(destination, resource):
            table.add_row(*named, _printable(part))
            named = ["", "", ""]
    _print(table)


def _reached(open_destination: Callable[[], Destination]) -> Destination | None:
    """The destination, whose ledger says what was loaded; None, and said, if it can't."""
    try:
        destination = open_destination()
        with destination.transaction():
            return destination
    except (ConfigError, DBAPIError) as error:
        print("This is what a first run would read: the destination is not reached.")
        print(f"{explain(error)}\n")
        return None


def _reads(destination: Destination | None, resource: Resource) -> list[str]:
    if destination is None and resource.each:
        return [f"each {_names(resource.each)}"]
    try:
        window = _due(destination, resource)
    except ConfigError as error:
        return [str(error).partition("\n")[0]]
    with resource.source() as source:
        parts = resource.partitions(source, window)
    return [_part(part) for part in parts] or ["nothing"]


def _due(destination: Destination | None, resource: Resource) -> Window:
    window = Window(since=getattr(resource.load, "initial_value", None))
    if destination is None:
        return window
    with destination.transaction() as connection:
        if inspect(connection).has_table("resources", destination.work_schema):
            return due(connection, resource, Window())
        return replace(window, keys=keys_of(connection, resource))


def _part(part: Partition) -> str:
    """What is read of a partition: its file, or its keys and ranges of values, or all."""
    if part.file:
        return part.file
    said = []
    keys = [key for key in part.detail.get("keys", ()) if key]
    if keys:
        said.append(f"{len(keys):,} of {_names(keys[0])}")
    for name in ("cursor", "range", "part"):
        if part.detail.get(name):
            span = Range.of(part.detail[name])
            low = "" if span.low is None else f" from {span.low}"
            high = "" if span.high is None else f" before {span.high}"
            if low or high:
                said.append(f"{span.column}{low}{high}")
    return ", ".join(said) or "all"


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in names)


def show_status(destination: Destination, limit: int) -> None:
    """Print the newest attempts."""
    attempts = ledger.attempts
    newest = select(attempts).order_by(attempts.c.planned_at.desc()).limit(limit)
    table = _table(
        "resource",
        "run",
        "try",
        "status",
        *ledger.ACCOUNTED,
        "warnings",
        "started (UTC)",
        "error",
    )
    for row in _query(destination, newest):
        counts = [
            *(getattr(row, count) for count in ledger.ACCOUNTED),
            sum(1 if count is None else count for count in row.warnings.values()),
        ]
        table.add_row(
            row.resource,
            _printable(row.run_id),
            str(row.attempt),
            row.status,
            *(f"{count:,}" for count in counts),
            f"{row.planned_at:%Y-%m-%d %H:%M:%S}",
            _printable((row.error or "").partition("\n")[0]),
        )
    _print(table)


def show_quarantine(
    destination: Destination, resources: Sequence[Resource], limit: int
) -> None:
    """Print the records that are set aside, and why; not those that were read anew since."""
    entries, attempts = ledger.quarantine, ledger.attempts
    same_attempt = and_(
        entries.c.resource == attempts.c.resource,
        entries.c.run_id == attempts.c.run_id,
        entries.c.attempt == attempts.c.attempt,
    )
    query = (
        select(entries)
        .join(attempts, same_attempt)
        .where(
            entries.c.superseded_by.is_(None),
            attempts.c.status != "overtaken",
            entries.c.resource.in_([resource.name for resource in resources]),
        )
        .order_by(entries.c.resource, entries.c.source_file, entries.c.source_row)
        .limit(limit)
    )
    table = _table("resource", "file", "record", "reasons", "content")
    for row in _query(destination, query):
        reasons = "\n".join(map(_reason_text, row.reasons))
        content = json.dumps(row.payload, ensure_ascii=False)
        table.add_row(
            row.resource,
            _printable(row.source_file or ""),
            str(row.source_row),
            _printable(reasons),
            _printable(content),
        )
    _print(table)


def show_rows(
    destination: Destination, resources: Sequence[Resource], limit: int
) -> None:
    """Print the first rows of each table, without lineage and private values."""
    for resource in resources:
        children = [child.table for child in resource.load.children]
        for target in [resource.load.table, *children]:
            _show_rows_of(destination, target, resource.private, limit)


def _show_rows_of(
    destination: Destination, target: SqlTable, private: Collection[str], limit: int
) -> None:
    hidden = (*LINEAGE, EXTRA)
    columns = [column for column in target.columns if column.name not in hidden]
    table = _table(*(column.name for column in columns))
    with destination.transaction() as connection:
        if not table_exists(connection, target):
            print(f"{target.fullname} is not there yet: it comes with a run.\n")
            return
        connection.exec_driver_sql("SET LOCAL TIME ZONE 'UTC'")
        counted = select(func.count()).select_from(target)
        count = connection.execute(counted).scalar_one()
        texts = select(
            *(
                cast(HIDDEN if column.name in private else column, SqlText)
                for column in columns
            )
        )
        in_order = texts.order_by(*(target.primary_key or columns)).limit(limit)
        for row in connection.execute(in_order):
            table.add_row(
                *(
                    _printable(cell or "") if cell is not None else "NULL"
                    for cell in row
                )
            )
    print(f"{target.fullname}: {count:,} {'row' if count == 1 else 'rows'}")
    _print(table)
    print()


def _warning(rule: str, count: int | None, read: int) -> str:
    """A warning of single rows, with their number, or one of the load as a whole."""
    return rule if count is None else f"{rule} in {count:,} of {read:,} rows"


def _reason_text(reason: dict[str, Any]) -> str:
    """A reason as a sentence: `total 'x' is not a number`."""
    value = reason.get("value")
    parts = [
        reason.get("column"),
        None if value is None else repr(value),
        reason["rule"],
    ]
    return " ".join(part for part in parts if part)


def _query(destination: Destination, query: Any) -> list[Any]:
    with destination.transaction() as connection:
        if not inspect(connection).has_table("attempts", destination.work_schema):
            raise ConfigError("nothing was loaded yet", "Start with the command `run`.")
        connection.exec_driver_sql("SET LOCAL TIME ZONE 'UTC'")
        return list(connection.execute(query))


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        is_number = column in (*ledger.ACCOUNTED, "seconds", "warnings", "record")
        justify: Literal["right", "left"] = "right" if is_number else "left"
        table.add_column(_printable(column), justify=justify, overflow="fold")
    return table


def _print(table: Table) -> None:
    console = Console()
    if not console.is_terminal:
        console.width = WIDE_ENOUGH
    console.print(table)


def _printable(text: str) -> Text:
    """Text from data: no markup, no control character that a terminal would obey."""
    shown = (
        char if char.isprintable() or char == "\n" else repr(char)[1:-1]
        for char in text
    )
    return Text("".join(shown))
