"""Conflict markers in a file: written, found again, resolved.

The markers are those of `git merge-file --diff3`, so that editors know them. Their labels name the
conflict, so that a file that quotes markers is never taken for one with a conflict.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from etlgen.workspace.text import ended

Side = Literal["mine", "new"]

USUAL_SIZE = 7
_SIDES = {"<": "yours", "|": "as last generated", ">": "newly generated"}
_AFTER = {"": "<", "<": "|", "|": "=", "=": ">", ">": "<"}
_RUN = re.compile(r"^(?:<+|\|+|=+|>+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Hunk:
    """The lines of each side where a file is in conflict."""

    mine: tuple[str, ...]
    base: tuple[str, ...]
    new: tuple[str, ...]

    def side(self, side: Side) -> tuple[str, ...]:
        return self.mine if side == "mine" else self.new


def conflict_id(mine: str, theirs: str) -> str:
    """A name for the conflict of two canonical texts."""
    digest = hashlib.sha256()
    for text in (mine, theirs):
        raw = ended(text).encode("utf-8", "surrogateescape")
        digest.update(hashlib.sha256(raw).digest())
    return digest.hexdigest()[:8]


def is_unresolved(text: str, id: str, size: int | None = None) -> bool:
    """Whether any marker of the conflict is left.

    A labelled one counts even if it was commented out. With the `size` of the conflict's markers so
    does one that lost its label: no text had a line like it when they were written.
    """
    return _markers(id, size).search(text) is not None


def chosen(text: str, id: str, side: Side, size: int | None = None) -> str:
    """The canonical text with one side of each hunk; all around the hunks stays.

    ValueError says on which line markers are missing, doubled or not alone.
    """
    pieces = split(text, id, size)
    return ended("".join("".join(p.side(side)) if isinstance(p, Hunk) else p for p in pieces))


def labels(id: str) -> tuple[str, str, str]:
    """What stands behind the first, the second and the last marker of a hunk."""
    mine, base, new = (f"{side} (etlgen {id})" for side in _SIDES.values())
    return mine, base, new


def marker_size(texts: Iterable[str]) -> int:
    """How long markers must be so that no line of the texts looks like one."""
    longest = max((len(run) for text in texts for run in _RUN.findall(text)), default=0)
    return USUAL_SIZE if longest < USUAL_SIZE else longest + 1


def written(hunk: Hunk, id: str, size: int) -> list[str]:
    """The lines of a hunk between its markers."""
    mine, base, new = labels(id)
    return [
        f"{'<' * size} {mine}\n",
        *hunk.mine,
        f"{'|' * size} {base}\n",
        *hunk.base,
        f"{'=' * size}\n",
        *hunk.new,
        f"{'>' * size} {new}\n",
    ]


def split(text: str, id: str, size: int | None = None) -> list[str | Hunk]:
    """The lines of the text, with a hunk for each marked region."""
    pieces: list[str | Hunk] = []
    parts: dict[str, list[str]] = {}
    last, last_line, separator = "", 0, ""
    markers = _markers(id, size)
    for number, line in enumerate(lines_of(text), start=1):
        mark = _mark(line, number, markers, separator if last in ("|", "=") else "")
        if not mark:
            parts.get(last, pieces).append(line)
            continue
        if mark != _AFTER[last]:
            raise _broken(number, mark, last, last_line)
        if mark == "<":
            separator = "=" * line.count("<")
        if mark == ">":
            pieces.append(Hunk(tuple(parts["<"]), tuple(parts["|"]), tuple(parts["="])))
            parts = {}
        else:
            parts[mark] = []
        last, last_line = mark, number
    if parts:
        raise ValueError(f"line {last_line}: {_shown(_AFTER[last])} is missing after this marker")
    return pieces


def lines_of(text: str) -> list[str]:
    """The lines with their newlines; nothing but LF ends a line."""
    *lines, rest = text.split("\n")
    return [f"{line}\n" for line in lines] + ([rest] if rest else [])


def _markers(id: str, size: int | None) -> re.Pattern[str]:
    sides = "|".join(f"{re.escape(char)}{{{USUAL_SIZE},}} {side}" for char, side in _SIDES.items())
    labelled = rf"(?:{sides}) \(etlgen {re.escape(id)}\)"
    if size is None:
        return re.compile(labelled)
    bare = "|".join(f"{re.escape(char)}{{{size}}}(?: {side})?" for char, side in _SIDES.items())
    return re.compile(rf"{labelled}|^(?:{bare})(?=[ \t\r]*$)", re.MULTILINE)


def _mark(line: str, number: int, markers: re.Pattern[str], separator: str) -> str:
    """The character of the marker that the line is, or nothing."""
    found = markers.search(line)
    if found is None:
        return "=" if separator and line.rstrip() == separator else ""
    if found[0] != line.rstrip():
        raise ValueError(f"line {number}: the conflict marker does not stand alone on its line")
    return found[0][0]


def _broken(number: int, mark: str, last: str, last_line: int) -> ValueError:
    place = f"after line {last_line}" if last else "before it"
    return ValueError(f"line {number}: {_shown(mark)}, but {_shown(_AFTER[last])} is due {place}")


def _shown(mark: str) -> str:
    return f"`{mark * USUAL_SIZE} {_SIDES.get(mark, '')}".rstrip() + "`"
