"""What a command says: results on standard output, findings on standard error, or one JSON."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from etlgen import report
from etlgen.workspace.changes import ChangeSet

if TYPE_CHECKING:  # use cases are imported by the command that needs one
    from etlgen.outcome import Outcome
    from etlgen.usecases.settling import Confirm


def say(text: str) -> None:
    """Print and flush, so that a closed pipe is noticed here."""
    sys.stdout.write(text)
    sys.stdout.flush()


def complain(text: str) -> None:
    """Print to where errors go."""
    sys.stderr.write(text)
    sys.stderr.flush()


@dataclass(frozen=True, slots=True)
class Screen:
    """How a command that changes a project is shown."""

    dry_run: bool
    diff: bool
    as_json: bool
    yes: bool

    def show(self, act: Callable[[Confirm], Outcome]) -> int:
        """Do it, asking before it is written where someone can answer. Gives the exit code."""
        was_asked = False

        def ask(changes: ChangeSet) -> bool:
            nonlocal was_asked
            was_asked = True
            say(report.changes_text(changes, diff=self.diff))
            return typer.confirm("Write them?", default=True, err=True)

        outcome = act(ask if self._asks else _agree)
        if self.as_json:
            say(report.document(report.outcome_data(outcome, diff=self.diff)))
            return outcome.exit_code
        if not was_asked:
            say(report.changes_text(outcome.changes, diff=self.diff))
        complain(report.findings_text(outcome.findings))
        say(self._ending(outcome))
        return outcome.exit_code

    @property
    def _asks(self) -> bool:
        answered = self.yes or self.as_json or self.dry_run
        return not answered and sys.stdin.isatty() and sys.stdout.isatty()

    def _ending(self, outcome: Outcome) -> str:
        if outcome.written:
            return f"Written to {outcome.root}\n{report.steps_text(outcome.steps)}"
        if not outcome.changes.writes:
            return "Nothing to write.\n"
        return f"Nothing was written{' (--dry-run)' if self.dry_run else ''}.\n"


def _agree(changes: ChangeSet) -> bool:
    return True
