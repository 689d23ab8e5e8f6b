"""The command line: options to a use case, its result to the screen, errors to exit codes.

Commands return what belongs on standard output. Nothing heavy is imported before a command needs
it, so that `etlgen --help` is quick.
"""

import os
import sys
import traceback
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from etlgen import __version__, report
from etlgen.errors import (
    EtlgenError,
    Finding,
    InternalError,
    MissingAnswers,
    UsageError,
    masked,
)
from etlgen.visible import escaped
from etlgen.workspace.compare import ChangeSet

INTERRUPTED = 130
PIPE_CLOSED = 141

app = typer.Typer(
    name="etlgen",
    help="Write the ETL project that a careful data engineer would have written by hand.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class SchemaOf(StrEnum):
    """A kind of spec file."""

    PROJECT = "project"
    SOURCE = "source"
    SPEC = "spec"


Json = Annotated[bool, typer.Option("--json", help="Print one JSON document, errors too.")]


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        _print(f"etlgen {__version__}\n")
        raise typer.Exit
    if context.invoked_subcommand is None:
        _print(f"{context.get_help()}\n")


@app.command(epilog="Example: etlgen new --spec shop.yaml --dry-run")
def new(
    directory: Annotated[
        Path | None,
        typer.Argument(metavar="DIR", help="The new folder; by default the project's name."),
    ] = None,
    spec: Annotated[
        Path | None, typer.Option("--spec", metavar="FILE", help="The spec, as one YAML file.")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="The project's name, instead of the spec's.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be written; write nothing.")
    ] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Show the text of each change.")] = False,
    as_json: Json = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before writing.")] = False,
    base: Annotated[
        Path, typer.Option("-C", metavar="DIR", help="Start in this folder instead.")
    ] = Path(),
) -> str:
    """Write a new project from a spec."""
    from etlgen.usecases.new import Request, create

    if not base.is_dir():
        message = "there is no such folder"
        raise UsageError(Finding(str(base), None, None, "no-folder", message, "see -C"))
    if spec is None and directory is not None and directory.suffix in (".yaml", ".yml"):
        message, hint = "this is where the project goes", f"did you mean --spec {directory}?"
        raise UsageError(Finding(str(directory), None, None, "no-spec", message, hint))
    target = None if directory is None else base / directory
    request = Request(None if spec is None else base / spec, base, target, name, dry_run)
    asked = not (yes or as_json or dry_run) and sys.stdin.isatty() and sys.stdout.isatty()
    created = create(request, _confirming(diff) if asked else _agreed)
    if as_json:
        data = {"ok": True, "exit_code": 0, "root": str(created.root), "written": created.written}
        changes = report.changes_data(created.changes, diff=diff)
        return report.document({**data, "changes": changes, "next": list(created.steps)})
    listed = "" if asked else report.changes_text(created.changes, diff=diff)
    if not created.written:
        return f"{listed}Nothing was written (--dry-run).\n"
    return f"{listed}Written to {created.root}\n{report.steps_text(created.steps)}"


@app.command(epilog="Example: etlgen schema source > source.schema.json")
def schema(
    of: Annotated[
        SchemaOf, typer.Argument(help="etlgen.yaml, sources/*.yaml, or both in one file.")
    ] = SchemaOf.SPEC,
) -> str:
    """Print the JSON Schema of a spec file, for editors."""
    from etlgen.usecases.schema import schema_of

    return report.document(schema_of(of.value))


@app.command(epilog="Example: etlgen demo")
def demo(
    directory: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Where to put the demo project.")
    ] = None,
) -> None:
    """Generate a small shop's pipeline, run it into a real PostgreSQL and show the rows."""
    from etlgen.usecases.demo import run as run_demo

    run_demo(directory, _print)


def main() -> None:
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run a command line and give its exit code."""
    _print_anything()
    as_json = "--json" in arguments
    try:
        return _guarded(arguments, as_json)
    except BrokenPipeError:
        # Whoever read us has gone; nothing more can be said, not even at the interpreter's end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED


def _guarded(arguments: Sequence[str], as_json: bool) -> int:
    try:
        result = app(list(arguments), prog_name="etlgen", standalone_mode=False)
    except typer.TyperException as error:
        message = error.format_message().rstrip(".")
        hint = None if message.endswith("?") else "see etlgen --help"
        finding = Finding(None, None, None, "usage", message, hint)
        return _failed(UsageError(finding), as_json)
    except EtlgenError as error:
        return _failed(error, as_json)
    except typer.Abort:
        result = INTERRUPTED
    except SystemExit as error:
        if isinstance(error.__context__, BrokenPipeError):  # Typer's way with a closed pipe
            raise error.__context__ from None
        raise
    except BrokenPipeError:
        raise
    except Exception as error:
        message = f"internal error: {type(error).__name__}: {error}"
        return _failed(InternalError(Finding(None, None, None, "internal", message)), as_json)
    if isinstance(result, str):
        _print(result)
        return 0
    if result == INTERRUPTED:
        return _interrupted(as_json)
    return result if isinstance(result, int) else 0


def _interrupted(as_json: bool) -> int:
    if as_json:
        data = {"ok": False, "exit_code": INTERRUPTED, "error": "Interrupted", "findings": []}
        _print(report.document(data))
    else:
        print("etlgen: interrupted", file=sys.stderr)
    return INTERRUPTED


def _failed(error: EtlgenError, as_json: bool) -> int:
    if as_json:
        _print(report.document(report.error_data(error)))
    else:
        print(report.error_text(error), end="", file=sys.stderr)
        if isinstance(error, MissingAnswers):
            _print(error.skeleton)
    if isinstance(error, InternalError):
        if os.environ.get("ETLGEN_DEBUG"):
            trace = masked(Finding(None, None, None, "trace", traceback.format_exc())).message
            print(escaped(trace, keep="\n"), file=sys.stderr)
        elif not as_json:
            print("ETLGEN_DEBUG=1 shows the traceback", file=sys.stderr)
    return error.exit_code


def _agreed(changes: ChangeSet) -> bool:
    return True


def _confirming(diff: bool) -> Callable[[ChangeSet], bool]:
    def confirm(changes: ChangeSet) -> bool:
        _print(report.changes_text(changes, diff=diff))
        return typer.confirm("Write them?", default=True, abort=True, err=True)

    return confirm


def _print(text: str) -> None:
    """Print and flush, so that a closed pipe is noticed here."""
    sys.stdout.write(text)
    sys.stdout.flush()


def _print_anything() -> None:
    """A name outside the terminal's encoding is escaped instead of being an error."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="backslashreplace")
