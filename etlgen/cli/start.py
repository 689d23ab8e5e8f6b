"""Commands that need no project yet."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from etlgen import report
from etlgen.cli.app import app
from etlgen.cli.options import Diff, DryRun, Json, Start, Yes
from etlgen.cli.screen import Screen, say
from etlgen.errors import Finding, UsageError


class SchemaOf(StrEnum):
    """What there is a schema of."""

    PROJECT = "project"
    SOURCE = "source"
    SPEC = "spec"
    REPORT = "report"


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
    dry_run: DryRun = False,
    diff: Diff = False,
    as_json: Json = False,
    yes: Yes = False,
    base: Start = Path(),
) -> int:
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
    screen = Screen(dry_run, diff, as_json, yes)
    return screen.show(lambda confirm: create(request, confirm))


@app.command(epilog="Example: etlgen schema source > source.schema.json")
def schema(
    of: Annotated[
        SchemaOf,
        typer.Argument(help="etlgen.yaml, sources/*.yaml, both in one, or what --json prints."),
    ] = SchemaOf.SPEC,
) -> None:
    """Print a JSON Schema: of a spec file for editors, of reports for programs."""
    from etlgen.usecases.schema import schema_of

    say(report.document(schema_of(of.value)))


@app.command(epilog="Example: etlgen demo")
def demo(
    directory: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Where to put the demo project.")
    ] = None,
) -> None:
    """Generate a small shop's pipeline, run it into a real PostgreSQL and show the rows."""
    from etlgen.usecases.demo import run as run_demo

    run_demo(directory, say)
