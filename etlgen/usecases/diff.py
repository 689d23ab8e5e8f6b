"""`etlgen diff`: what the team changed in the files that were generated."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from etlgen.errors import Finding, UsageError
from etlgen.outcome import Outcome
from etlgen.rendered import sha256
from etlgen.usecases.project import inside, looked_at
from etlgen.workspace.changes import Change, ChangeSet, Verb
from etlgen.workspace.disk import read_file


def diff(start: Path, paths: Sequence[Path]) -> Outcome:
    """From each base to what is on disk, of all files or of those at or below `paths`."""
    project = looked_at(start)
    places = [inside(project.root, start, path) for path in paths]
    found, changes = set(), []
    for unit, entry in project.state.entries():
        place = next((one for one in places if _is_below(entry.location, one)), None)
        if places and place is None:
            continue
        found.add(place)
        disk = read_file(project.root, entry.location)
        if disk is not None and sha256(disk.text) == entry.sha256:
            continue
        base = project.state.memory(unit).base(entry)
        verb, mine = (Verb.KEEP_DELETED, None) if disk is None else (Verb.KEEP, disk.text)
        changes.append(Change(entry.location, verb, base, mine, unit))
    _require_generated(places, found)
    return Outcome(project.root, ChangeSet(tuple(sorted(changes, key=lambda one: one.path))))


def _is_below(path: str, place: str) -> bool:
    return place in (".", path) or path.startswith(f"{place}/")


def _require_generated(places: Sequence[str], found: set[str | None]) -> None:
    for place in places:
        if place not in found:
            message = "nothing that etlgen generated is there"
            raise UsageError(Finding(place, None, None, "not-generated", message))
