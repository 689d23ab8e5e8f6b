"""`etlgen check`: whether spec, code and what etlgen remembers of it agree. It writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from etlgen import __version__
from etlgen.errors import ConflictError, DriftError, Finding, Refused
from etlgen.outcome import Checked
from etlgen.rendered import sha256
from etlgen.units import Texts, gone_sources, stale_units, unneeded
from etlgen.usecases.project import Project, looked_at, spec_gone, unit_texts, unresolved
from etlgen.workspace.changes import ChangeSet, Verb
from etlgen.workspace.compare import compare
from etlgen.workspace.decide import OUTGROWN, is_open, is_outgrown
from etlgen.workspace.disk import read_file
from etlgen.workspace.entries import Entry
from etlgen.workspace.merging.markers import is_unresolved
from etlgen.workspace.state import FOLDER, State, unit_path

_MISSING = (
    "git checkout -- {path} or etlgen resolve {path} --new brings it back, --mine says that it "
    "stays away; if it was moved: etlgen mv {path} NEW"
)
_OWN_MARKERS = "if they are meant to be in the file: etlgen resolve {path}"
_NO_STATE = "is not there: what was generated of it is not known"
_LOST = f"is not in {FOLDER} any more: its base is lost"
_COMMITTED_APART = (
    "commit or restore both together, with etlgen generate where it helps; "
    "or etlgen resolve {path} --mine to keep it so"
)
_APART = {
    Verb.CREATE: "is not generated yet",
    Verb.UPDATE: "is not as the spec has it now",
    Verb.MERGE: "is not as the spec has it now",
    Verb.CONFLICT: "is not as the spec has it now, and your edits overlap with that",
    Verb.MOVE: "is generated elsewhere now",
    Verb.DELETE: "is generated no longer",
}


def check(start: Path) -> Checked:
    """Look at every file's state, and render the units whose input is not what it was."""
    project = looked_at(start)
    texts = unit_texts(project.root)
    files = _Files(project)
    apart, notes = _units_apart(project, texts)
    known = {finding.file for finding in files.findings}
    findings = [*files.findings, *(one for one in apart if one.file not in known)]
    return Checked(
        root=project.root,
        findings=tuple(findings),
        notes=tuple(notes),
        exit_code=_exit_code(findings),
        units=len(project.state.units),
        files=files.count,
        edited=files.edited,
    )


def _exit_code(findings: list[Finding]) -> int:
    if any(finding.code == "conflict" for finding in findings):
        return ConflictError.exit_code
    return DriftError.exit_code if findings else 0


class _Files:
    """Each file on disk and its base against what is remembered of them."""

    def __init__(self, project: Project) -> None:
        self.findings: list[Finding] = []
        self.count = self.edited = 0
        for unit in project.state.units:
            try:
                self._unit(project, unit)
            except Refused as error:
                self.findings += error.findings

    def _unit(self, project: Project, unit: str) -> None:
        memory = project.state.memory(unit)
        for entry in memory.entries.values():
            if not memory.is_current:
                memory.base(entry)  # of today's format it is verified with the entry
            mine = _text(project.root, entry.location)
            self.count += 1
            self.edited += mine is not None and sha256(mine) != entry.sha256
            self.findings += _trouble(entry, mine)


def _trouble(entry: Entry, mine: str | None) -> Iterator[Finding]:
    path = entry.location
    if mine is None:
        if not entry.is_deleted:
            hint = _MISSING.format(path=path)
            yield Finding(path, None, None, "missing", "was generated and is not there", hint)
    elif entry.pending and is_open(entry, mine):
        pending = entry.pending
        if is_unresolved(mine, pending.id):
            yield unresolved(path, mine, "has an unresolved conflict")
        elif is_unresolved(mine, pending.id, pending.marker_size):
            finding = unresolved(path, mine, "has conflict markers that lost their labels")
            yield replace(finding, hint=f"{finding.hint}; {_OWN_MARKERS.format(path=path)}")
        else:
            message = "is as it was before the conflict, which says nothing of how it ended"
            hint = f"run etlgen generate, or take a side: etlgen resolve {path} --mine (or --new)"
            yield Finding(path, None, None, "conflict", message, hint)
    elif sha256(mine) in entry.superseded:
        message = "is as it was generated earlier, and .etlgen is ahead of it"
        yield Finding(path, None, None, "outdated", message, _COMMITTED_APART.format(path=path))
    elif is_outgrown(entry, mine):
        yield Finding(path, None, None, "outdated", OUTGROWN, _COMMITTED_APART.format(path=path))


def _units_apart(project: Project, texts: Texts) -> tuple[list[Finding], list[str]]:
    """Units whose spec or whose etlgen is not the one that they were generated from."""
    state = project.state
    others = {unit.etlgen for unit in state.units.values()} - {__version__}
    if others:
        made = ", ".join(sorted(others))
        return _gone(state, texts), [
            f"generated by etlgen {made}, this is {__version__}: only the state was checked; "
            "etlgen upgrade brings the project up to it"
        ]
    try:
        stale = stale_units(state, texts)
        gone = gone_sources(state, texts)
        if not stale and not unneeded(state, (), gone):
            return _gone(state, texts), []
        from etlgen.usecases.generate import rendered_units

        wanted = rendered_units(project, texts, stale, gone)
        units = [one.unit for one in wanted]
        changes = compare(state, wanted, unneeded(state, units, gone))
    except Refused as error:
        return [*_gone(state, texts), *error.findings], []
    unknown = [
        Finding(unit_path(unit.name), None, None, "missing", _NO_STATE, "run etlgen generate")
        for unit in units
        if unit.name not in state.units
    ]
    apart = [
        Finding(change.path, None, None, "stale", _APART[change.verb], "run etlgen generate")
        for change in changes.changes
        if change.verb in _APART
    ]
    return [*_gone(state, texts), *unknown, *_unremembered(state, changes), *apart], []


def _unremembered(state: State, changes: ChangeSet) -> Iterator[Finding]:
    """Files as generated of which the state, of whose unit there is some, does not know."""
    known = {entry.location for _, entry in state.entries()}
    hint = f"bring it back: git checkout -- {FOLDER}; or run etlgen generate"
    for change in changes.of(Verb.ADOPT):
        if change.unit in state.units and change.path not in known:
            yield Finding(change.path, None, None, "lost-base", _LOST, hint)


def _gone(state: State, texts: Texts) -> list[Finding]:
    return [spec_gone(unit) for unit in sorted(gone_sources(state, texts))]


def _text(root: Path, path: str) -> str | None:
    disk = read_file(root, path)
    return None if disk is None else disk.text
