"""Commands that keep spec, code and what the team edited together."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from etlgen import report
from etlgen.cli.app import app
from etlgen.cli.options import Conflicts, Diff, DryRun, Force, Json, OnConflict, Start, Yes
from etlgen.cli.screen import Screen, complain, say
from etlgen.errors import Finding, UsageError
from etlgen.usecases.options import Options


@app.command("upgrade", epilog="Example: etlgen upgrade --runtime-only")
@app.command("generate", epilog="Example: etlgen generate --dry-run --diff")
def generate(
    runtime_only: Annotated[
        bool, typer.Option("--runtime-only", help="Only the runtime: a newer etlgen's fixes.")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Also what cannot have changed since.")
    ] = False,
    dry_run: DryRun = False,
    diff: Diff = False,
    as_json: Json = False,
    yes: Yes = False,
    force: Force = False,
    on_conflict: Conflicts = OnConflict.MARKERS,
    start: Start = Path(),
) -> int:
    """Bring the code up to its spec and to this etlgen; your edits stay."""
    from etlgen.usecases.generate import generate

    options = Options(start, dry_run, on_conflict is OnConflict.ABORT, force)
    screen = Screen(dry_run, diff, as_json, yes)
    return screen.show(
        lambda confirm: generate(options, confirm, runtime_only=runtime_only, everything=everything)
    )


@app.command(epilog="Example: etlgen check --json")
def check(as_json: Json = False, start: Start = Path()) -> int:
    """Whether spec and code agree, for CI: writes nothing, exits with 4 or 6 if not."""
    from etlgen.usecases.check import check

    checked = check(start)
    if as_json:
        say(report.document(report.checked_data(checked)))
    else:
        complain(report.findings_text(checked.findings))
        say(report.checked_text(checked))
    return checked.exit_code


@app.command(epilog="Example: etlgen diff src/shop_etl/sources")
def diff(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="PATH", help="Only what is at or below these.")
    ] = None,
    as_json: Json = False,
    start: Start = Path(),
) -> int:
    """Show what you changed in the generated files since they were generated."""
    from etlgen.usecases.diff import diff

    outcome = diff(start, paths or ())
    if as_json:
        say(report.document(report.outcome_data(outcome, diff=True)))
    else:
        say(report.diffs_text(outcome.changes))
    return 0


@app.command(epilog="Example: etlgen resolve README.md --mine")
def resolve(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="PATH", help="By default all with a conflict.")
    ] = None,
    mine: Annotated[bool, typer.Option("--mine", help="Take your side of each conflict.")] = False,
    new: Annotated[bool, typer.Option("--new", help="Take the newly generated side.")] = False,
    dry_run: DryRun = False,
    diff: Diff = False,
    as_json: Json = False,
    yes: Yes = False,
    start: Start = Path(),
) -> int:
    """Settle a conflict: as the file is now, or by taking one side of what is marked."""
    from etlgen.usecases.resolve import resolve

    if mine and new:
        message = "--mine and --new are two sides"
        raise UsageError(Finding(None, None, None, "usage", message, "take one of them"))
    side: Literal["mine", "new"] | None = "mine" if mine else "new" if new else None
    options = Options(start, dry_run)
    screen = Screen(dry_run, diff, as_json, yes)
    return screen.show(lambda confirm: resolve(options, paths or (), side, confirm))
