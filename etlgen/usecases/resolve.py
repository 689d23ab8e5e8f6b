"""`etlgen resolve`: a conflict is settled, or a file declared to be as it should be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from etlgen.errors import Finding, Refused, UsageError
from etlgen.outcome import Outcome
from etlgen.rendered import sha256
from etlgen.usecases.options import Options
from etlgen.usecases.project import Project, inside, opened
from etlgen.usecases.settling import Confirm, settle
from etlgen.workspace.changes import Change, ChangeSet, Verb
from etlgen.workspace.decide import is_outgrown
from etlgen.workspace.disk import DiskFile, decoded, read_file
from etlgen.workspace.entries import Entry, Pending
from etlgen.workspace.merging.markers import chosen, is_unresolved
from etlgen.workspace.merging.merge import merged
from etlgen.workspace.merging.sense import new_trouble
from etlgen.workspace.state import FOLDER, Memory, base_path, base_text
from etlgen.workspace.text import PLAIN, in_style

Side = Literal["mine", "new"]


def resolve(
    options: Options, paths: Sequence[Path], side: Side | None, confirm: Confirm
) -> Outcome:
    """Take one side of what is marked in the files, or without `side` take them as they are now."""
    with opened(options) as project:
        changes: list[Change] = []
        state: dict[str, str | None] = {}
        for path in paths or _open_conflicts(project):
            place = inside(project.root, options.start, path)
            unit, entry = _owner(project, place)
            change, texts = _resolved(project, unit, entry, side, is_named=bool(paths))
            changes.append(change)
            state |= texts
        ordered = tuple(sorted(changes, key=lambda change: change.path))
        return settle(project, ChangeSet(ordered, state), options, confirm)


def _open_conflicts(project: Project) -> list[Path]:
    found = [entry.location for _, entry in project.state.entries() if entry.pending]
    if not found:
        message = "no file waits for a resolution"
        raise UsageError(Finding(None, None, None, "no-conflict", message, "see etlgen check"))
    return [project.root / location for location in found]


def _owner(project: Project, place: str) -> tuple[str, Entry]:
    for unit, entry in project.state.entries():
        if entry.location == place:
            return unit, entry
    message = "etlgen did not generate this file"
    raise UsageError(Finding(place, None, None, "not-generated", message))


def _resolved(
    project: Project, unit: str, entry: Entry, side: Side | None, *, is_named: bool
) -> tuple[Change, dict[str, str | None]]:
    """What becomes of a file, and of its state."""
    memory = project.state.memory(unit)
    disk = read_file(project.root, entry.location)
    mine = None if disk is None else disk.text
    if entry.pending:
        after = _settled(entry, entry.pending, mine, memory, side, is_named=is_named)
        base = memory.theirs(entry)
        settled = entry.advanced(entry.pending.theirs_sha256, None)
        settled = replace(settled, is_deleted=after is None)
        if after is not None and sha256(after) != entry.pending.before_sha256:
            settled = settled.outgrown(entry.pending.before_sha256)
    else:
        base = memory.base(entry)
        after, settled = _declared(entry, base, mine, side)
    state: dict[str, str | None] = dict.fromkeys(memory.paths(entry))
    state[base_path(unit, settled)] = base_text(settled, base)
    return _change(unit, entry.location, disk, after), state


def _settled(
    entry: Entry,
    pending: Pending,
    mine: str | None,
    memory: Memory,
    side: Side | None,
    *,
    is_named: bool,
) -> str | None:
    """The text of a file that had a conflict."""
    path = entry.location
    if mine is None:
        return memory.theirs(entry) if side == "new" else None
    if is_unresolved(mine, pending.id, pending.marker_size):
        if side is None and is_named and not is_unresolved(mine, pending.id):
            return mine  # without labels they may be the text's own: whoever names it says so
        return _chosen(entry, mine, memory, side, "has conflict markers")
    if sha256(mine) == pending.before_sha256:
        marked = merged(path, mine, memory.base(entry), memory.theirs(entry)).text
        return _chosen(entry, marked, memory, side, "is as it was before the conflict")
    if sha256(mine) == entry.sha256:
        message = "is as it was last generated, so nothing of yours is left to merge"
        raise _refusal(path, message, "run etlgen generate")
    if side == "new":
        message = "has no conflict markers any more, so there are no sides to take"
        raise _refusal(path, message, f"take it as it is: etlgen resolve {path}")
    return mine


def _chosen(entry: Entry, text: str, memory: Memory, side: Side | None, message: str) -> str:
    """One side of each hunk; refused where the new one makes no sense beside what the team has."""
    path, pending = entry.location, entry.pending
    assert pending is not None
    if side is None:
        raise _refusal(path, message, "edit it, or take a side: --mine or --new")
    try:
        mine, taken = (chosen(text, pending.id, one, pending.marker_size) for one in ("mine", side))
    except ValueError as error:
        raise _refusal(path, str(error), "finish by hand what was begun by hand") from None
    trouble = new_trouble(path, mine, memory.theirs(entry), taken)
    if trouble:
        hint = f"edit it by hand, then: etlgen resolve {path}; or take --mine"
        raise _refusal(path, f"with the new side {trouble[0].message}", hint)
    return taken


def _declared(
    entry: Entry, base: str, mine: str | None, side: Side | None
) -> tuple[str | None, Entry]:
    """A file that is missing, or is as it was generated earlier: on purpose, or not."""
    path = entry.location
    is_outdated = mine is not None and sha256(mine) in (*entry.superseded, *entry.merged)
    if mine is not None and not is_outdated:
        raise UsageError(Finding(path, None, None, "no-conflict", "there is nothing to resolve"))
    if side is None:
        message = "is missing" if mine is None else "is as it was generated earlier"
        raise _refusal(path, message, "is that on purpose? --mine; else --new writes the file")
    if side == "new" and mine is not None and is_outgrown(entry, mine):
        hint = f"take both back: git checkout -- {path} {FOLDER}, and generate again"
        raise _refusal(path, "has edits of yours that --new would lose", hint)
    if side == "new":
        return base, replace(entry, is_deleted=False)
    if mine is None:
        return None, replace(entry, is_deleted=True)
    return mine, entry.without(sha256(mine))


def _change(unit: str, path: str, disk: DiskFile | None, after: str | None) -> Change:
    before = None if disk is None else decoded(disk.raw)
    if disk is not None and after == disk.text:
        return Change(path, Verb.KEEP, before, before, unit, note="as it is")
    if after is None:
        return Change(path, Verb.KEEP_DELETED, None, None, unit, note="stays away")
    verb = Verb.CREATE if disk is None else Verb.UPDATE
    return Change(path, verb, before, decoded(in_style(after, disk.style if disk else PLAIN)), unit)


def _refusal(path: str, message: str, hint: str) -> Refused:
    return Refused(Finding(path, None, None, "unresolved", message, hint))
