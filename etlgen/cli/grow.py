"""Commands that add to a project, and take away."""

from pathlib import Path
from typing import Annotated

import typer

from etlgen.cli.app import app
from etlgen.cli.options import Conflicts, Diff, DryRun, Force, Json, OnConflict, Start, Yes
from etlgen.cli.screen import Screen
from etlgen.errors import Finding, UsageError
from etlgen.usecases.options import Options

Name = Annotated[str, typer.Argument(metavar="NAME", help="The source.")]


@app.command("add-source", epilog="Example: etlgen add-source crm --spec crm.yaml")
def add_source(
    name: Name,
    spec: Annotated[
        Path | None,
        typer.Option("--spec", metavar="FILE", help="The source's spec, instead of the options."),
    ] = None,
    kind: Annotated[str | None, typer.Option(help="The kind of source, such as file.")] = None,
    resource: Annotated[str | None, typer.Option(help="The name of its resource.")] = None,
    column: Annotated[
        list[str] | None, typer.Option(metavar="NAME:TYPE", help="A column; repeat it for each.")
    ] = None,
    primary_key: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="Repeat it for each column of the key."),
    ] = None,
    cursor: Annotated[str | None, typer.Option(metavar="COLUMN", help="What advances.")] = None,
    write_disposition: Annotated[
        str | None, typer.Option(metavar="HOW", help="append, replace or merge.")
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Any other key, as in a spec; repeat it."),
    ] = None,
    dry_run: DryRun = False,
    diff: Diff = False,
    as_json: Json = False,
    yes: Yes = False,
    on_conflict: Conflicts = OnConflict.MARKERS,
    start: Start = Path(),
) -> int:
    """Add a source, or resources to a source that is there."""
    from etlgen.spec.answers import Flags
    from etlgen.usecases.add_source import Addition, add_source

    flags = Flags(
        kind=kind,
        resource=resource,
        columns=tuple(column or ()),
        primary_key=tuple(primary_key or ()),
        cursor=cursor,
        write_disposition=write_disposition,
        settings=tuple(setting or ()),
    )
    if spec is not None and flags != Flags():
        message = "the other options say what a spec file would"
        raise UsageError(Finding("--spec", None, None, "usage", message, "take one of the two"))
    addition = Addition(name, None if spec is None else start / spec, flags)
    options = Options(start, dry_run, on_conflict is OnConflict.ABORT)
    screen = Screen(dry_run, diff, as_json, yes)
    return screen.show(lambda confirm: add_source(options, addition, confirm))


@app.command(epilog="Example: etlgen reflect crm --dry-run --diff")
def reflect(
    name: Name,
    spec: Annotated[
        Path | None,
        typer.Option("--spec", metavar="FILE", help="A spec that is no project yet."),
    ] = None,
    dry_run: DryRun = False,
    diff: Diff = False,
    as_json: Json = False,
    yes: Yes = False,
    start: Start = Path(),
) -> int:
    """Ask a database what tables it has, and write that into its spec."""
    from etlgen.usecases.reflect import Reflection, reflect

    reflection = Reflection(name, None if spec is None else start / spec)
    options = Options(start, dry_run)
    screen = Screen(dry_run, diff, as_json, yes)
    return screen.show(lambda confirm: reflect(options, reflection, confirm))


@app.command("remove-source", epilog="Example: etlgen remove-source crm --dry-run")
def remove_source(
    name: Name,
    dry_run: DryRun = False,
    diff: Diff = False,
    as_json: Json = False,
    yes: Yes = False,
    force: Force = False,
    start: Start = Path(),
) -> int:
    """Remove a source's spec and code; refused where you edited it."""
    from etlgen.usecases.remove_source import remove_source

    options = Options(start, dry_run, force=force)
    screen = Screen(dry_run, diff, as_json, yes)
    return screen.show(lambda confirm: remove_source(options, name, confirm))


@app.command("rename-source", epilog="Example: etlgen rename-source crm customers")
def rename_source(
    old: Annotated[str, typer.Argument(metavar="OLD", help="Its name now.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="Its name from now on.")],
    dry_run: DryRun = False,
    diff: Diff = False,
    as_json: Json = False,
    yes: Yes = False,
    on_conflict: Conflicts = OnConflict.MARKERS,
    start: Start = Path(),
) -> int:
    """Give a source another name; your edits of its files go with it."""
    from etlgen.usecases.rename_source import rename_source

    options = Options(start, dry_run, on_conflict is OnConflict.ABORT)
    screen = Screen(dry_run, diff, as_json, yes)
    return screen.show(lambda confirm: rename_source(options, old, new, confirm))


@app.command("mv", epilog="Example: etlgen mv src/shop_etl src/shop_pipelines")
def mv(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="A generated file or folder.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="Where it goes, or has gone.")],
    dry_run: DryRun = False,
    diff: Diff = False,
    as_json: Json = False,
    yes: Yes = False,
    on_conflict: Conflicts = OnConflict.MARKERS,
    start: Start = Path(),
) -> int:
    """Move a generated file, a folder or the package; or follow where you moved it."""
    from etlgen.usecases.move import move

    options = Options(start, dry_run, on_conflict is OnConflict.ABORT)
    screen = Screen(dry_run, diff, as_json, yes)
    return screen.show(lambda confirm: move(options, old, new, confirm))
