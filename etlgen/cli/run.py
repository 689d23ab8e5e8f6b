"""A command line in, an exit code out: errors are said here, and nowhere else."""

import gc
import os
import sys
import traceback
from collections.abc import Sequence
from itertools import takewhile

import typer

from etlgen import report
from etlgen.cli import grow, keep, start
from etlgen.cli.app import app
from etlgen.cli.screen import say
from etlgen.errors import (
    EtlgenError,
    Finding,
    InternalError,
    MissingAnswers,
    UsageError,
    masked,
)
from etlgen.visible import escaped

__all__ = ["app", "grow", "keep", "main", "run", "start"]

INTERRUPTED = 130
PIPE_CLOSED = 141


def main() -> None:
    gc.set_threshold(100_000)  # a short process: looking for cycles takes a tenth of its time
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run a command line and give its exit code."""
    _print_anything()
    as_json = _wants_json(arguments)
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
        return _failed(UsageError(_usage(error)), as_json)
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
    if result == INTERRUPTED:
        return _interrupted(as_json)
    return result if isinstance(result, int) else 0


def _usage(error: typer.TyperException) -> Finding:
    message = error.format_message().rstrip(".").replace("Value error, ", "")
    command = getattr(getattr(error, "ctx", None), "command_path", "etlgen")
    hint = None if message.endswith("?") else f"see {command} --help"
    return Finding(None, None, None, "usage", message, hint)


def _wants_json(arguments: Sequence[str]) -> bool:
    """As the parser has it, which may fail before it says so: one spelling, and no option after --.

    `--json=true` is none: the parser refuses it, and that is said as text.
    """
    return "--json" in takewhile(lambda one: one != "--", arguments)


def _interrupted(as_json: bool) -> int:
    if as_json:
        data = {"ok": False, "exit_code": INTERRUPTED, "error": "Interrupted", "findings": []}
        say(report.document(data))
    else:
        print("etlgen: interrupted", file=sys.stderr)
    return INTERRUPTED


def _failed(error: EtlgenError, as_json: bool) -> int:
    if as_json:
        say(report.document(report.error_data(error)))
    else:
        print(report.error_text(error), end="", file=sys.stderr)
        if isinstance(error, MissingAnswers):
            say(error.skeleton)
    if isinstance(error, InternalError):
        if os.environ.get("ETLGEN_DEBUG"):
            trace = masked(Finding(None, None, None, "trace", traceback.format_exc())).message
            print(escaped(trace, keep="\n"), file=sys.stderr)
        elif not as_json:
            print("ETLGEN_DEBUG=1 shows the traceback", file=sys.stderr)
    return error.exit_code


def _print_anything() -> None:
    """A name outside the terminal's encoding is escaped instead of being an error."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="backslashreplace")
