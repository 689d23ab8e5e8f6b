"""The command line of store."""

from typing import Annotated

import typer
from sqlalchemy.exc import DBAPIError

from store import sources
from store.destination import EMBEDDED_DATA, WORK_SCHEMA, open_destination
from store.runtime import commands, embedded, ledger, screen
from store.runtime.errors import PipelineError, explain
from store.runtime.logs import configure_logs
from store.settings import LOG_FORMAT, LOG_LEVEL, environment

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,  # one of them may be a password
)
database = typer.Typer(no_args_is_help=True, help="The destination database.")
app.add_typer(database, name="db")

Resources = Annotated[
    list[str] | None,
    typer.Argument(
        help="source.resource, or all of a source; default: all", metavar="RESOURCE"
    ),
]
Limit = Annotated[int, typer.Option(help="How many to show.")]


@app.command()
def run(
    resources: Resources = None,
    take_over: Annotated[
        bool,
        typer.Option("--take-over", help="Load even if another run seems to be at it."),
    ] = False,
) -> None:
    """Load resources and say what became of every row."""
    chosen = commands.choose(sources, resources or [])
    raise typer.Exit(commands.run(open_destination(), chosen, take_over=take_over))


@app.command()
def plan(resources: Resources = None) -> None:
    """Show what a run would read now; loads nothing."""
    screen.show_plan(open_destination, commands.choose(sources, resources or []))


@app.command()
def status(limit: Limit = 20) -> None:
    """Show the newest runs: what they read, and what became of it."""
    screen.show_status(open_destination(), limit)


@app.command()
def quarantine(resources: Resources = None, limit: Limit = 50) -> None:
    """Show the records that were set aside, and why."""
    chosen = commands.choose(sources, resources or [])
    screen.show_quarantine(open_destination(), chosen, limit)


@app.command()
def head(resources: Resources = None, limit: Limit = 10) -> None:
    """Show the first rows of the loaded tables."""
    chosen = commands.choose(sources, resources or [])
    screen.show_rows(open_destination(), chosen, limit)


@database.command()
def init(
    print_sql: Annotated[
        bool, typer.Option("--print-sql", help="Print the SQL and run nothing.")
    ] = False,
) -> None:
    """Make the schema for ledger, staging and quarantine."""
    if print_sql:
        typer.echo(ledger.bootstrap_sql(WORK_SCHEMA))
        return
    with open_destination().transaction() as connection:
        ledger.bootstrap(connection)
    typer.echo(f"The schema {WORK_SCHEMA} is ready.")


@database.command()
def stop() -> None:
    """Stop the embedded PostgreSQL of this project, if it runs."""
    stopped = embedded.stop(EMBEDDED_DATA)
    typer.echo("Stopped." if stopped else "It is not running.")


def main() -> None:
    """Run the command line; an error that a person can act on is shown without a traceback."""
    configure_logs(
        environment.get(LOG_FORMAT, "auto"),
        environment.get(LOG_LEVEL, "INFO"),
    )
    try:
        with commands.raising_on_sigterm():
            app()
    except (PipelineError, DBAPIError) as error:
        typer.echo(f"error: {explain(error)}", err=True)
        raise SystemExit(1) from None
