"""What the command line does: choose resources, load them, say how it went."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from types import ModuleType

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from . import screen
from .connect import Destination
from .errors import BusyError, explain
from .loading import load, new_run_id
from .order import in_order, needed_tables, tables
from .resource import Resource, find_resource, resource_names

FAILED, BUSY = 1, 75  # 75 is sysexits.h's "temporary failure, try again later"


def choose(sources: ModuleType, names: Sequence[str]) -> list[Resource]:
    """The resources asked for, as `source.resource` or all of a `source`; else all.

    Those whose tables others need come first.
    """
    known = resource_names(sources)
    asked = names or known
    of_source = {
        name: [one for one in known if one.startswith(f"{name}.")] for name in asked
    }
    chosen = [one for name in asked for one in of_source[name] or [name]]
    return in_order([find_resource(sources, one) for one in dict.fromkeys(chosen)])


def run(
    destination: Destination, resources: Sequence[Resource], *, take_over: bool
) -> int:
    """Load the resources and print what became of their rows; gives the exit code.

    One that fails keeps only those from being loaded that need its table.
    """
    run_id = new_run_id()
    results = screen.Results()
    exit_code = 0
    not_loaded: set[str] = set()
    with _progress() as progress:
        for resource in resources:
            missing = sorted(needed_tables(resource) & not_loaded)
            if missing:
                not_loaded.update(tables(resource))
                message = f"not loaded, as it needs {missing[0]}, which was not loaded"
                print(f"{resource.name}: {message}", file=sys.stderr)
                continue
            task = progress.add_task(resource.name, total=None)
            started = time.monotonic()
            try:
                advance = partial(progress.advance, task)
                counts = load(
                    destination,
                    resource,
                    run_id,
                    take_over=take_over,
                    progress=advance,
                )
            except Exception as error:
                is_busy = isinstance(error, BusyError)
                exit_code = max(exit_code, BUSY if is_busy else FAILED)
                message = explain(error).removeprefix(f"{resource.name}: ")
                print(f"{resource.name}: {message}", file=sys.stderr)
                not_loaded.update(tables(resource))
                continue
            finally:
                progress.remove_task(task)
            results.add(resource, counts, time.monotonic() - started)
    results.show(destination, run_id)
    return exit_code


@contextmanager
def raising_on_sigterm() -> Iterator[None]:
    """SIGTERM ends a command as Ctrl-C does, with exit code 143: nothing is left behind."""

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
