"""The team's text and a new generation of it, merged over the text as last generated.

`git merge-file` merges, without a repository and deaf to any configuration. What it merges cleanly
and yet makes no sense (see `sense`) becomes a conflict as well.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from etlgen.errors import Finding, InternalError, Refused
from etlgen.workspace.merging.markers import (
    Hunk,
    Side,
    conflict_id,
    labels,
    lines_of,
    marker_size,
    split,
    written,
)
from etlgen.workspace.merging.sense import Trouble, new_trouble
from etlgen.workspace.text import ended

# A higher answer of git is no longer a number of conflicts.
_MOST_CONFLICTS = 127


@dataclass(frozen=True, slots=True)
class Merged:
    """A merged text; where it is a conflict, with markers in it and the reasons for them."""

    text: str
    is_conflict: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    """A hunk, and the lines of the draft that it stands for, which are one side of it."""

    start: int
    stop: int
    hunk: Hunk
    side: Side

    def overlaps(self, other: "_Place") -> bool:
        return self.start < other.stop and other.start < self.stop


def merged(path: str, mine: str, base: str, theirs: str) -> Merged:
    """The canonical texts merged; `mine` is the team's, `theirs` newly generated."""
    mine, base, theirs = (ended(text) for text in (mine, base, theirs))
    easy = _easily_merged(mine, base, theirs)
    if easy is not None:
        return Merged(easy, False, ())
    _require_text(path, mine + base + theirs)
    id = conflict_id(mine, theirs)
    size = marker_size((mine, base, theirs))
    draft, conflicts = _draft(split(_git_merged(path, mine, base, theirs, id, size), id))
    # A draft is half a merge where there are conflicts: too little for a linter.
    trouble = new_trouble(path, mine, theirs, "".join(draft), lint=not conflicts)
    doubts = _doubts(path, mine, theirs, draft, conflicts, trouble) if trouble else []
    text, numbers = _marked(draft, [*conflicts, *doubts], id, size)
    reasons = (*_overlaps(conflicts), *(_reason(one, numbers) for one in trouble))
    return Merged(text, bool(reasons), reasons)


def _easily_merged(mine: str, base: str, theirs: str) -> str | None:
    if base == mine:
        return theirs
    return mine if theirs in (base, mine) else None


def _require_text(path: str, text: str) -> None:
    if "\0" in text:
        message = "both you and etlgen changed this file, and it is not UTF-8 text"
        hint = "save it as UTF-8 and run it again"
        raise Refused(Finding(path, None, None, "not-text", message, hint))


def _git_merged(path: str, mine: str, base: str, theirs: str, id: str, size: int) -> str:
    git = shutil.which("git")
    if git is None:
        message = "both you and etlgen changed this file, and merging needs git"
        hint = "install git and run it again"
        raise Refused(Finding(path, None, None, "no-git", message, hint))
    command = [git, "merge-file", "-p", "--diff3", f"--marker-size={size}"]
    for label in labels(id):
        command += ["-L", label]
    with tempfile.TemporaryDirectory(prefix="etlgen-") as folder:
        for name, text in (("mine", mine), ("base", base), ("theirs", theirs)):
            (Path(folder) / name).write_bytes(text.encode("utf-8", "surrogateescape"))
        done = subprocess.run(
            [*command, "mine", "base", "theirs"],
            cwd=folder,
            env=_quiet_environment(folder),
            capture_output=True,
            check=False,
        )
    text = done.stdout.decode("utf-8", "surrogateescape")
    conflicts = text.count(f"{'<' * size} {labels(id)[0]}")
    # What is called git may be a stub that fails with what looks like a number of conflicts.
    is_sound = done.returncode == min(conflicts, _MOST_CONFLICTS)
    is_whole = set(lines_of(text)) >= _added(mine, base) | _added(theirs, base)
    if not (is_sound and is_whole):
        message = f"git merge-file failed ({done.returncode}): "
        message += done.stderr.decode("utf-8", "replace").strip()
        raise InternalError(Finding(path, None, None, "git", message))
    return text


def _added(text: str, base: str) -> set[str]:
    return set(lines_of(text)).difference(lines_of(base))


def _quiet_environment(folder: str) -> dict[str, str]:
    """The environment without what could make git read a configuration or find a repository."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return plain | {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CEILING_DIRECTORIES": str(Path(folder).resolve().parent),
        "LC_ALL": "C",
    }


def _draft(pieces: Iterable[str | Hunk]) -> tuple[list[str], list[_Place]]:
    """What git merged, with the team's side of each conflict, and where the conflicts are."""
    lines: list[str] = []
    conflicts = []
    for piece in pieces:
        if isinstance(piece, Hunk):
            stop = len(lines) + len(piece.mine)
            conflicts.append(_Place(len(lines), stop, piece, "mine"))
            lines += piece.mine
        else:
            lines.append(piece)
    return lines, conflicts


def _doubts(
    path: str,
    mine: str,
    theirs: str,
    draft: list[str],
    conflicts: Sequence[_Place],
    trouble: Sequence[Trouble],
) -> list[_Place]:
    """The new changes that make trouble; all of them, if without some of them there still is."""
    incoming = [
        place
        for place in _incoming(lines_of(mine), draft)
        if not any(place.overlaps(conflict) for conflict in conflicts)
    ]
    guilty = [place for place in incoming if any(_has_part(place, one) for one in trouble)]
    if not all(any(_has_part(place, one) for place in guilty) for one in trouble):
        return incoming
    pieces = _pieces(draft, guilty)
    rest = "".join(p if isinstance(p, str) else "".join(p.hunk.mine) for p in pieces)
    return incoming if new_trouble(path, mine, theirs, rest, lint=False) else guilty


def _incoming(mine: list[str], draft: list[str]) -> list[_Place]:
    """Where the draft is not what the team has: there the new generation came in."""
    from difflib import SequenceMatcher

    changes = SequenceMatcher(None, mine, draft, autojunk=False).get_opcodes()
    places = []
    for tag, start, stop, new_start, new_stop in changes:
        if tag != "equal":
            old = tuple(mine[start:stop])
            hunk = Hunk(old, old, tuple(draft[new_start:new_stop]))
            places.append(_Place(new_start, new_stop, hunk, "new"))
    return places


def _has_part(place: _Place, trouble: Trouble) -> bool:
    """Whether the change touches the lines of the trouble, or what it names."""
    first, last = place.start + 1, place.stop
    if last < first:  # lines were taken away between these two
        first, last = last, first
    if any(lines.start <= last and first < lines.stop for lines in trouble.places):
        return True
    names = set(re.findall(r"`(?:[\w.]+\.)?(\w+)`", trouble.message))
    changed = "".join((*place.hunk.mine, *place.hunk.new))
    return not names.isdisjoint(re.findall(r"\w+", changed))


def _pieces(draft: list[str], places: Iterable[_Place]) -> Iterator[str | _Place]:
    """The lines of the draft, and the places instead of the lines that they stand for."""
    at = 0
    for place in sorted(places, key=lambda place: (place.start, place.stop)):
        yield from draft[at : place.start]
        yield place
        at = place.stop
    yield from draft[at:]


def _marked(
    draft: list[str], places: Iterable[_Place], id: str, size: int
) -> tuple[str, list[int]]:
    """The text with markers, and for each line of the draft the line where it now is."""
    lines: list[str] = []
    numbers: list[int] = []
    for piece in _pieces(draft, places):
        if isinstance(piece, str):
            lines.append(piece)
            numbers.append(len(lines))
            continue
        hunk = piece.hunk
        before = 1 if piece.side == "mine" else 3 + len(hunk.mine) + len(hunk.base)
        first = len(lines) + before + 1
        numbers += range(first, first + len(hunk.side(piece.side)))
        lines += written(hunk, id, size)
    return "".join(lines), numbers


def _overlaps(conflicts: Sequence[_Place]) -> Iterator[str]:
    if conflicts:
        yield f"{len(conflicts)} overlapping edit{'s' * (len(conflicts) > 1)}"


def _reason(trouble: Trouble, numbers: list[int]) -> str:
    found = [numbers[place.start - 1] for place in trouble.places if place.start <= len(numbers)]
    if not found:
        return trouble.message
    lines = " and ".join(map(str, dict.fromkeys(found)))
    return f"{trouble.message} ({'lines' if ' ' in lines else 'line'} {lines})"
