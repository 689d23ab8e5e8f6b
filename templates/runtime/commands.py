"""What the command line does, and how it shows it: results to stdout, progress and logs to stderr."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from functools import partial
from types import ModuleType
from typing import Any

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text
from sqlalchemy import Text as SqlText
from sqlalchemy import cast, func, inspect, select

from . import ledger
from .connect import Destination
from .errors import BusyError, ConfigError, explain
from .loading import load, new_run_id
from .publish import Counts
from .resource import EXTRA, LINEAGE, Resource, Window, find_resource, resource_names
from .target import table_exists

FAILED, BUSY = 1, 75  # 75 is sysexits.h's "temporary failure, try again later"
WIDE_ENOUGH = 200


def choose(sources: ModuleType, names: Sequence[str]) -> list[Resource]:
    """The resources asked for, each as `source.resource` or all of a `source`; without any, all."""
    known = resource_names(sources)
    asked = names or known
    of_source = {name: [one for one in known if one.startswith(f"{name}.")] for name in asked}
    return [find_resource(sources, one) for name in asked for one in of_source[name] or [name]]


def run(destination: Destination, resources: Sequence[Resource], *, take_over: bool) -> int:
    """Load the resources and print what became of their rows; gives the exit code.

    One that fails does not keep the others from being loaded.
    """
    run_id = new_run_id()
    table = _table("resource", *(field.name for field in fields(Counts)), "seconds")
    exit_code = quarantined = 0
    with _raising_on_sigterm(), _progress() as progress:
        for resource in resources:
            task = progress.add_task(resource.name, total=None)
            started = time.monotonic()
            try:
                advance = partial(progress.advance, task)
                counts = load(
                    destination, resource, run_id, take_over=take_over, progress=advance
                )
            except Exception as error:
                exit_code = max(exit_code, BUSY if isinstance(error, BusyError) else FAILED)
                print(f"{resource.name}: {explain(error)}", file=sys.stderr)
                continue
            finally:
                progress.remove_task(task)
            quarantined += counts.quarantined
            numbers = [f"{count:,}" for count in vars(counts).values()]
            table.add_row(resource.name, *numbers, f"{time.monotonic() - started:.1f}")
    if table.row_count:
        _print(table)
    if quarantined:
        print(f"{quarantined:,} rows are in quarantine: the command `quarantine` says why.")
    return exit_code


def show_plan(resources: Sequence[Resource]) -> None:
    """Print what a run would read, without reading it."""
    table = _table("resource", "load", "into", "reads")
    for resource in resources:
        parts = resource.partitions(resource.connect(), Window())
        for number, part in enumerate(parts):
            first = [resource.name, resource.load.name, resource.load.table.fullname]
            table.add_row(*(first if number == 0 else [""] * 3), _printable(part.file or "all"))
        if not parts:
            table.add_row(resource.name, resource.load.name, resource.load.table.fullname, "nothing")
    _print(table)


def show_status(destination: Destination, limit: int) -> None:
    """Print the newest attempts."""
    attempts = ledger.attempts
    counts = [field.name for field in fields(Counts)]
    table = _table("resource", "run", "try", "status", *counts, "started (UTC)", "error")
    for row in _query(
        destination, select(attempts).order_by(attempts.c.planned_at.desc()).limit(limit)
    ):
        table.add_row(
            row.resource,
            _printable(row.run_id),
            str(row.attempt),
            row.status,
            *(f"{getattr(row, count):,}" for count in counts),
            f"{row.planned_at:%Y-%m-%d %H:%M:%S}",
            _printable((row.error or "").partition("\n")[0]),
        )
    _print(table)


def show_quarantine(destination: Destination, resource: str | None, limit: int) -> None:
    """Print the rows that are set aside and not yet superseded, with the reasons."""
    entries = ledger.quarantine
    in_order = (entries.c.resource, entries.c.source_file, entries.c.source_row)
    query = select(entries).where(entries.c.superseded_by.is_(None)).order_by(*in_order)
    if resource:
        query = query.where(entries.c.resource == resource)
    table = _table("resource", "from", "reasons", "record")
    for row in _query(destination, query.limit(limit)):
        origin = f"{row.source_file or ''}:{row.source_row}"
        reasons = "\n".join(map(reason_text, row.reasons))
        record = json.dumps(row.payload, ensure_ascii=False)
        table.add_row(row.resource, *map(_printable, (origin, reasons, record)))
    _print(table)


def show_rows(destination: Destination, resources: Sequence[Resource], limit: int) -> None:
    """Print the first rows of each table, without lineage."""
    for resource in resources:
        target = resource.load.table
        columns = [column for column in target.columns if column.name not in (*LINEAGE, EXTRA)]
        table = _table(*(column.name for column in columns))
        with destination.transaction() as connection:
            connection.exec_driver_sql("SET LOCAL TIME ZONE 'UTC'")
            if not table_exists(connection, target):
                print(f"{target.fullname} is not there yet: it comes with the first run.\n")
                continue
            count = connection.execute(select(func.count()).select_from(target)).scalar_one()
            texts = [cast(column, SqlText) for column in columns]
            rows = select(*texts).order_by(*target.primary_key or columns).limit(limit)
            for row in connection.execute(rows):
                table.add_row(*("NULL" if cell is None else _printable(cell) for cell in row))
        print(f"{target.fullname}: {count:,} rows")
        _print(table)
        print()


def reason_text(reason: dict[str, Any]) -> str:
    """A reason as it stands in quarantine, as a sentence: `total 'x' is not a number`."""
    value = reason.get("value")
    parts = [reason.get("column"), None if value is None else repr(value), reason["rule"]]
    return " ".join(part for part in parts if part)


def initialise(destination: Destination, *, print_sql: bool) -> None:
    """Make the work schema, or print the statements for somebody who may."""
    if print_sql:
        print(ledger.bootstrap_sql(destination.work_schema))
        return
    with destination.transaction() as connection:
        ledger.bootstrap(connection)
    print(f"The schema {destination.work_schema} is ready.")


def _query(destination: Destination, query: Any) -> list[Any]:
    with destination.transaction() as connection:
        if not inspect(connection).has_table("attempts", destination.work_schema):
            raise ConfigError("nothing was loaded yet", "Start with the command `run`.")
        connection.exec_driver_sql("SET LOCAL TIME ZONE 'UTC'")
        return list(connection.execute(query))


@contextmanager
def _raising_on_sigterm() -> Iterator[None]:
    """SIGTERM ends the run as Ctrl-C does, with exit code 143: what was staged is given up."""

    def stop(signal_number: int, frame: object) -> None:
        raise SystemExit(128 + signal_number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _progress() -> Progress:
    console = Console(stderr=True)
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.completed:,} rows"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        counted = column in ("seconds", *(field.name for field in fields(Counts)))
        table.add_column(column, justify="right" if counted else "left", overflow="fold")
    return table


def _print(table: Table) -> None:
    console = Console()
    if not console.is_terminal:
        console.width = WIDE_ENOUGH
    console.print(table)


def _printable(text: str) -> Text:
    """Text from data: no markup, and no control character that a terminal would obey."""
    return Text(
        "".join(
            char if char.isprintable() or char == "\n" else repr(char)[1:-1] for char in text
        )
    )
