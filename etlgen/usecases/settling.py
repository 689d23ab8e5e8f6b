"""A ChangeSet comes to be, or not: what a command asks, writes and says at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from etlgen.errors import ConflictError, Finding, Refused
from etlgen.outcome import Outcome
from etlgen.usecases.options import Options
from etlgen.usecases.project import Project, left_alone, unresolved
from etlgen.workspace.changes import Change, ChangeSet, Verb
from etlgen.workspace.disk import decoded, read_file
from etlgen.workspace.text import ended, in_style

Confirm = Callable[[ChangeSet], bool]


def settle(
    project: Project,
    changes: ChangeSet,
    options: Options,
    confirm: Confirm,
    steps: tuple[str, ...] = (),
    notices: tuple[Finding, ...] = (),
) -> Outcome:
    """Write the changes unless something speaks against it, and say how it went."""
    from etlgen.workspace.writing.apply import apply, require_applicable, require_reachable
    from etlgen.workspace.writing.lock import require_lockable

    if options.dry_run:
        require_lockable(project.root)
    require_reachable(changes, project.root)
    conflicts = tuple(_conflict(one, options) for one in changes.of(Verb.CONFLICT))
    exit_code = ConflictError.exit_code if conflicts else 0
    findings = (*project.recovered, *conflicts, *notices)
    outcome = Outcome(project.root, changes, False, exit_code, findings, steps)
    if not changes.writes or (conflicts and options.aborts_on_conflict):
        return outcome
    require_applicable(changes, project.root)
    if options.dry_run or not confirm(changes):
        return outcome
    settled = apply(changes, project.root)
    if settled.left:
        exit_code = Refused.exit_code
    findings = (*outcome.findings, *map(left_alone, settled.left))
    return replace(outcome, written=True, exit_code=exit_code, findings=findings)


def with_own(changes: ChangeSet, own: Iterable[Change]) -> ChangeSet:
    """The changes together with those of files that are the team's own, such as a spec."""
    together = sorted((*changes.changes, *own), key=lambda change: change.path)
    return replace(changes, changes=tuple(together))


def own_file(root: Path, path: str, text: str | None, was: str | None = None) -> list[Change]:
    """What happens to a file of the team's own that is to have a canonical text, or to go.

    `was` is the text that the new one was made of. Raises `Refused` if it is not that any more.
    """
    disk = read_file(root, path)
    if was is not None and (disk is None or disk.text != ended(was)):
        message = "was changed while etlgen was at work; nothing was written"
        raise Refused(Finding(path, None, None, "changed-meanwhile", message, "run it again"))
    before = None if disk is None else decoded(disk.raw)
    if text is None:
        return [] if disk is None else [Change(path, Verb.DELETE, before, None, None)]
    if disk is None:
        return [Change(path, Verb.CREATE, None, text, None)]
    if disk.text == text:
        return [Change(path, Verb.UNCHANGED, before, before, None)]
    after = decoded(in_style(text, disk.style))
    return [Change(path, Verb.UPDATE, before, after, None)]


def own_files(project: Project, folder: str) -> Iterator[str]:
    """The team's own files below a folder."""
    generated = {entry.location for _, entry in project.state.entries()}
    for file in sorted((project.root / folder).rglob("*")):
        path = file.relative_to(project.root).as_posix()
        if file.is_file() and "__pycache__" not in file.parts and path not in generated:
            yield path


def moved_file(root: Path, old: str, new: str) -> list[Change]:
    """A file of the team's own that goes to another place as it is."""
    if (root / new).exists():
        message = "is there already"
        raise Refused(Finding(new, None, None, "occupied", message, "move one of them away"))
    text = decoded((root / old).read_bytes())
    return [Change(new, Verb.MOVE, text, text, None, origin=old)]


def _conflict(change: Change, options: Options) -> Finding:
    message = f"conflict: {change.note}"
    if not change.writes or not (options.dry_run or options.aborts_on_conflict):
        return unresolved(change.path, change.after or "", message)
    option = "--on-conflict=abort" if options.aborts_on_conflict else "--dry-run"
    hint = f"without {option} both sides are written, between conflict markers"
    return Finding(change.path, None, None, "conflict", message, hint)
