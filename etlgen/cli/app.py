"""The command `etlgen` itself; its subcommands join it by being imported."""

from typing import Annotated

import typer

from etlgen import __version__
from etlgen.cli.screen import say

app = typer.Typer(
    name="etlgen",
    help="Write the ETL project that a careful data engineer would have written by hand.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        say(f"etlgen {__version__}\n")
        raise typer.Exit
    if context.invoked_subcommand is None:
        say(f"{context.get_help()}\n")
