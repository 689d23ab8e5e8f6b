"""What happens to one file: the team's text, the base that was last generated, and the new text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from etlgen.errors import Finding, Refused
from etlgen.rendered import sha256
from etlgen.workspace.changes import Verb
from etlgen.workspace.entries import Entry, Key, Pending
from etlgen.workspace.merging.markers import conflict_id, is_unresolved, marker_size
from etlgen.workspace.state import FOLDER, Memory

OUTGROWN = "is as it was before etlgen merged into it, and .etlgen is ahead of it"

_DELETED = "you deleted it; say with etlgen resolve if it stays away"
_OUTGROWN_HINT = (
    "take both back, git checkout -- {path} {folder}, and generate again; or, if it is meant to be "
    "so: etlgen resolve {path} --mine"
)

Text = Callable[[], str]


@dataclass(frozen=True, slots=True)
class New:
    """A file as it is generated now; its text is read only where it is needed."""

    key: Key
    path: str
    sha256: str
    unstyled_sha256: str | None
    text: Text


@dataclass(frozen=True, slots=True)
class Decision:
    """A verb, the canonical text that is to be on disk, and what is remembered of it.

    `base` gives the text of which `entry` has the hash, `theirs` what a conflict keeps back.
    """

    verb: Verb
    after: str | None
    entry: Entry
    base: Text
    theirs: Text | None = None
    note: str = ""


def decide(entry: Entry, new: New, mine: str | None, memory: Memory) -> Decision:
    """Three texts decide; `mine` is the canonical text on disk, None for no file.

    A conflict that waits stays one. Anything else that is on disk resolves it, and what came then
    becomes the base. A file that is missing keeps its base: it may come back as it was.

    Raises `Refused` for a text from before a merge: of what came then nothing would be left.
    """
    if mine is None:
        note = "" if entry.is_deleted else _DELETED
        theirs = partial(memory.theirs, entry) if entry.pending else None
        entry, base = replace(entry, path=new.path), partial(memory.base, entry)
        return Decision(Verb.KEEP_DELETED, None, entry, base, theirs, note)
    if is_outgrown(entry, mine) and sha256(mine) != new.sha256:
        hint = _OUTGROWN_HINT.format(path=entry.location, folder=FOLDER)
        raise Refused(Finding(entry.location, None, None, "outdated", OUTGROWN, hint))
    pending = entry.pending
    if pending is None:
        return _decide(entry, lambda: memory.base(entry), new, mine)
    if not is_open(entry, mine):
        resolved = entry.advanced(pending.theirs_sha256, None).outgrown(pending.before_sha256)
        return _decide(resolved, lambda: memory.theirs(entry), new, mine)
    base, theirs = partial(memory.base, entry), partial(memory.theirs, entry)
    if is_unresolved(mine, pending.id, pending.marker_size):
        entry = replace(entry, path=new.path)
        return Decision(Verb.CONFLICT, mine, entry, base, theirs, "not resolved yet")
    return _decide(replace(entry, pending=None), base, new, mine)


def is_outgrown(entry: Entry, mine: str) -> bool:
    """Whether it is a text of the team's into which a generation was merged since."""
    return sha256(mine) in entry.merged and sha256(mine) != entry.sha256


def is_open(entry: Entry, mine: str) -> bool:
    """Whether a conflict waits: its markers are there, or the file is as it was before it, with
    the team's edit or without."""
    if entry.pending is None:
        return False
    pending = entry.pending
    is_marked = is_unresolved(mine, pending.id, pending.marker_size)
    return is_marked or sha256(mine) in (pending.before_sha256, entry.sha256)


def _decide(entry: Entry, base: Text, new: New, mine: str) -> Decision:
    advanced = _advanced(entry, new)
    advanced = replace(advanced, is_deleted=False)
    hash_of_mine = sha256(mine)
    if hash_of_mine == new.sha256:
        verb = Verb.UNCHANGED if entry.sha256 == new.sha256 else Verb.ADOPT
        return Decision(verb, mine, advanced, new.text)
    if hash_of_mine == entry.sha256 or hash_of_mine in entry.superseded:
        return Decision(Verb.UPDATE, new.text(), advanced, new.text)
    if new.sha256 == entry.sha256:
        return Decision(Verb.KEEP, mine, advanced, new.text)
    from etlgen.workspace.merging.merge import merged  # heavy, and rarely needed

    result = merged(new.path, mine, base(), new.text())
    if result.is_conflict:
        size = marker_size((mine, base(), new.text()))
        pending = Pending(conflict_id(mine, new.text()), hash_of_mine, new.sha256, size)
        entry = replace(entry, path=new.path, is_deleted=False, pending=pending)
        note = "; ".join(result.reasons)
        return Decision(Verb.CONFLICT, result.text, entry, base, new.text, note)
    if result.text == mine:
        return Decision(Verb.KEEP, mine, advanced, new.text)
    return Decision(Verb.MERGE, result.text, advanced.outgrown(hash_of_mine), new.text)


def _advanced(entry: Entry, new: New) -> Entry:
    entry = replace(entry, path=new.path)
    if entry.sha256 == new.sha256:
        return replace(entry, unstyled_sha256=new.unstyled_sha256 or entry.unstyled_sha256)
    return entry.advanced(new.sha256, new.unstyled_sha256)
