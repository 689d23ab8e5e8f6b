"""What generating does to a project: its units as they should be against what is on disk.

All texts are compared in canonical form, so line endings alone are no edit, and written back in
the form that the file has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from etlgen.errors import Finding, InternalError, Refused
from etlgen.names import folded
from etlgen.rendered import RenderedFile, sha256
from etlgen.workspace.changes import Change, ChangeSet, Verb
from etlgen.workspace.decide import Decision, New, decide, is_open
from etlgen.workspace.disk import DiskFile, Names, decoded, read_file
from etlgen.workspace.entries import Entry, Key, Unit, unit_text
from etlgen.workspace.state import (
    FOLDER,
    Memory,
    State,
    base_path,
    base_text,
    digest_of_entries,
    pending_path,
    unit_path,
)
from etlgen.workspace.text import PLAIN, in_style

_EDITED = "was edited by hand, and goes with what is removed"
_EDITED_HINT = "keep what you need of it elsewhere; --force then removes it"
_FOREIGN = "is there already, and etlgen did not write it"
_FOREIGN_HINT = "move it away, run this again, then copy over what you need; nothing was changed"
_UNKNOWN = f"is there already, and {FOLDER} does not know it"
_UNKNOWN_HINT = "if its base was lost: git checkout -- {base}; else " + _FOREIGN_HINT
_TWIN = "would be the same file on Windows and macOS"
_TWIN_HINT = "rename one of them; nothing was changed"
_UNSETTLED = "has an unresolved conflict, and is generated no longer"
_SETTLE = "settle it first: etlgen resolve {}"
_YOURS = "no longer generated; it is yours now"

_StateFiles = dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A unit as it should be: what it is generated from and by, and its files.

    `files` is None where nothing can have changed since; `was` is its name before it is renamed.
    """

    unit: Unit
    files: tuple[RenderedFile, ...] | None
    was: str | None = None


def compare(
    state: State, wanted: Sequence[Wanted], gone: Iterable[str] = (), *, force: bool = False
) -> ChangeSet:
    """The changes that bring the wanted units, and remove those that are gone.

    Raises `Refused` for all that would be lost: a file that etlgen did not write and, without
    `force`, an edited file of a resource that is gone.
    """
    _require_distinct([file for one in wanted for file in one.files or ()])
    comparison = _Comparison(state, force)
    for one in wanted:
        comparison.unit(one)
    for name in gone:
        comparison.gone(name)
    return comparison.changes()


class _Comparison:
    def __init__(self, state: State, force: bool) -> None:
        self._state = state
        self._root = state.root
        self._force = force
        self._changes: list[Change] = []
        self._texts: _StateFiles = {}
        self._refused: list[Finding] = []

    def changes(self) -> ChangeSet:
        self._refuse_twins()
        if self._refused:
            raise Refused(self._refused)
        ordered = sorted(self._changes, key=lambda change: change.path)
        return ChangeSet(tuple(ordered), dict(sorted(self._texts.items())))

    def unit(self, wanted: Wanted) -> None:
        unit = wanted.unit.name
        memory = self._state.memory(wanted.was or unit)
        files = _files(wanted, memory)
        resources = {resource for _, resource in files}
        kept: _StateFiles = {}
        is_incomplete = self._is_incomplete(wanted.was or unit, memory)
        entries = _rekeyed(memory, files)
        for key in sorted({*files, *entries}, key=lambda key: (key[0], key[1] or "")):
            known, file = entries.get(key), files.get(key)
            if known is None:
                kept |= self._first(unit, files[key], is_incomplete=is_incomplete)
            elif file is None:
                self._drop(unit, known, is_released=known.resource in resources)
            else:
                kept |= self._next(unit, memory, known, file)
        self._remember(memory, kept)
        if wanted.was:
            self._texts[unit_path(wanted.was)] = None
        if self._state.units.get(unit) != wanted.unit or self._state.is_outdated:
            self._texts[unit_path(unit)] = unit_text(wanted.unit)

    def gone(self, unit: str) -> None:
        memory = self._state.memory(unit)
        for entry in memory.entries.values():
            self._drop(unit, entry, is_released=False)
        self._remember(memory, {})
        self._texts[unit_path(unit)] = None

    def _remember(self, memory: Memory, kept: _StateFiles) -> None:
        """State files to write, and to remove; a kept one without a text stays as it is."""
        before = {path for entry in memory.entries.values() for path in memory.paths(entry)}
        self._texts |= dict.fromkeys(before - kept.keys())
        self._texts |= {path: text for path, text in kept.items() if text is not None}

    def _is_incomplete(self, name: str, memory: Memory) -> bool:
        """Whether a base may be lost of what was generated before."""
        unit = self._state.units.get(name)
        return unit is not None and unit.files_sha256 != digest_of_entries(memory.entries)

    def _first(self, unit: str, file: New, *, is_incomplete: bool) -> _StateFiles:
        """A file that was not generated before, as far as is known."""
        entry = Entry(*file.key, file.path, file.sha256, file.unstyled_sha256)
        base = base_path(unit, entry)
        disk = self._read(file.path)
        text = file.text()
        if disk is None:
            self._add(unit, file.path, Verb.CREATE, None, text)
        elif disk.text == text:
            self._add(unit, file.path, Verb.ADOPT, disk, text)
        elif is_incomplete:
            self._refuse(file.path, "occupied", _UNKNOWN, _UNKNOWN_HINT.format(base=base))
        else:
            self._refuse(file.path, "occupied", _FOREIGN, _FOREIGN_HINT)
        return {base: base_text(entry, text)}

    def _next(self, unit: str, memory: Memory, entry: Entry, file: New) -> _StateFiles:
        """A file that was generated before: at its old place, or at a new one."""
        target = _followed(entry, file.path) if entry.moved_to else file.path
        origin = entry.location
        disk = self._read(origin)
        if origin != target:
            there = self._read(target)
            if disk is None:
                disk, origin = there, target  # the team has moved it already
            elif there is not None:
                self._refuse(target, "occupied", _FOREIGN, _FOREIGN_HINT)
        try:
            decision = decide(entry, file, None if disk is None else disk.text, memory)
        except Refused as refused:
            self._refused += refused.findings
            return {}
        if entry.moved_to:
            moved = replace(decision.entry, moved_to=None if target == file.path else target)
            decision = replace(decision, entry=moved)
        verb = decision.verb
        if disk is not None and origin != target and verb is not Verb.CONFLICT:
            verb = Verb.MOVE
        moved_from = origin if disk is not None and origin != target else None
        self._add(unit, target, verb, disk, decision.after, moved_from, decision.note)
        return _state_files(unit, memory, entry, decision)

    def _drop(self, unit: str, entry: Entry, *, is_released: bool) -> None:
        """A file that is generated no longer."""
        disk = self._read(entry.location)
        if disk is None:
            return
        if is_open(entry, disk.text) and not self._force:
            self._refuse(entry.location, "conflict", _UNSETTLED, _SETTLE.format(entry.location))
        elif sha256(disk.text) == entry.sha256 or (self._force and not is_released):
            self._add(unit, entry.location, Verb.DELETE, disk, None)
        elif is_released:
            self._add(None, entry.location, Verb.KEEP, disk, disk.text, note=_YOURS)
        else:
            self._refuse(entry.location, "edited", _EDITED, _EDITED_HINT)

    def _add(
        self,
        unit: str | None,
        path: str,
        verb: Verb,
        disk: DiskFile | None,
        text: str | None,
        origin: str | None = None,
        note: str = "",
    ) -> None:
        before = None if disk is None else decoded(disk.raw)
        if disk is not None and text == disk.text:
            after = before
        elif text is None:
            after = None
        else:
            after = decoded(in_style(text, PLAIN if disk is None else disk.style))
        self._changes.append(Change(path, verb, before, after, unit, origin, note))

    def _read(self, path: str) -> DiskFile | None:
        try:
            return read_file(self._root, path)
        except Refused as refused:
            self._refused += refused.findings
            return None

    def _refuse(self, path: str, code: str, message: str, hint: str) -> None:
        self._refused.append(Finding(path, None, None, code, message, hint))

    def _refuse_twins(self) -> None:
        names = Names(self._root)
        for change in self._changes:
            if change.verb is Verb.DELETE:
                names.forget(change.path)
            elif change.origin:
                names.forget(change.origin)
        for change in self._changes:
            is_new = change.after is not None and (change.before is None or change.origin)
            twin = names.twin(change.path) if is_new else None
            if twin:
                self._refuse(change.path, "same-path", f"beside {twin!r} it {_TWIN}", _TWIN_HINT)


def _followed(entry: Entry, path: str) -> str:
    """Where a file that the team moved goes when the folder is renamed that both places are in."""
    moved_to = entry.moved_to or path
    old, new = entry.path.split("/"), path.split("/")
    while old and new and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    before = "/".join(old)
    if before and moved_to.startswith(f"{before}/"):
        return "/".join(new) + moved_to.removeprefix(before)
    return moved_to


def _files(wanted: Wanted, memory: Memory) -> dict[Key, New]:
    """The unit's files by what they are; where nothing can have changed, as they were."""
    if wanted.files is not None:
        return {(file.template, file.resource): _as_now(file) for file in wanted.files}
    return {key: _as_before(memory, entry) for key, entry in memory.entries.items()}


def _as_now(file: RenderedFile) -> New:
    key = (file.template, file.resource)
    return New(key, file.path, sha256(file.text), file.unstyled_sha256, lambda: file.text)


def _as_before(memory: Memory, entry: Entry) -> New:
    if entry.pending:
        hash_of_theirs, text = entry.pending.theirs_sha256, partial(memory.theirs, entry)
        return New(entry.key, entry.path, hash_of_theirs, None, text)
    text = partial(memory.base, entry)
    return New(entry.key, entry.path, entry.sha256, entry.unstyled_sha256, text)


def _state_files(unit: str, memory: Memory, entry: Entry, decision: Decision) -> _StateFiles:
    """The state of a file; None for what is there already."""
    after, there = decision.entry, memory.paths(entry)
    base = base_path(unit, after)
    is_same = after == entry and base in there and memory.is_current
    files: _StateFiles = {base: None if is_same else base_text(after, decision.base())}
    if after.pending and decision.theirs:
        pending = pending_path(unit, after)
        files[pending] = None if is_same and pending in there else decision.theirs()
    return files


def _rekeyed(memory: Memory, files: Mapping[Key, New]) -> dict[Key, Entry]:
    """The entries, of which a file that another template makes now is that file's still."""
    lost = {entry.path: key for key, entry in memory.entries.items() if key not in files}
    entries = dict(memory.entries)
    for key, file in files.items():
        if key not in entries and file.path in lost:
            entry = entries.pop(lost[file.path])
            entries[key] = replace(entry, template=key[0], resource=key[1])
    return entries


def _require_distinct(files: Iterable[RenderedFile]) -> None:
    """No two files on one path, also where the disk does not tell A from a, nor of one key."""
    seen: dict[tuple[str | None, ...], RenderedFile] = {}
    for file in files:
        for key in ((folded(file.path),), (file.unit, file.template, file.resource)):
            other = seen.setdefault(key, file)
            if other is not file:
                message = f"{other.template} and {file.template} both make this file"
                raise InternalError(Finding(file.path, None, None, "same-path", message))
