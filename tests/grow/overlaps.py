"""Whether two edits of one text overlap, told from the three texts alone.

Git says which lines each side changed, as it would of any two files; what it makes of both sides
together is not asked.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

_HEAD = re.compile(r"@@ -(\d+)(?:,(\d+))? \+")
_DIFF = ("git", "diff", "--no-index", "--no-color", "--text")
# Without any context git diff would look at the end of a file in another way than git merge-file.
_LIKE_MERGE_FILE = ("-U1", "--diff-algorithm=myers", "--no-indent-heuristic")


@dataclass(frozen=True)
class Hunk:
    """The lines `start` to `stop` of the base, and what one side has instead."""

    start: int
    stop: int
    lines: tuple[str, ...]

    def meets(self, other: "Hunk") -> bool:
        """Whether no unchanged line is between the two."""
        return self.start <= other.stop and other.start <= self.stop


def overlaps(base: str, mine: str, theirs: str) -> bool:
    """Whether some change of one side overlaps or touches another one of the other side."""
    pairs = product(hunks(base, mine), hunks(base, theirs))
    return any(one != other and one.meets(other) for one, other in pairs)


def hunks(base: str, side: str) -> Sequence[Hunk]:
    """What one side changed. Empty lines at the end are none to etlgen."""
    return [*_hunks(_diff(_ended(base), _ended(side)))]


def _ended(text: str) -> str:
    stripped = text.rstrip("\n")
    return f"{stripped}\n" if stripped else ""


def _hunks(diff: str) -> Iterator[Hunk]:
    """Runs of lines that are only in one of the two, each with its place in the base."""
    at = start = 0
    lines: list[str] = []
    for line in [*diff.split("\n")[4:-1], " "]:  # after four lines that name the files
        if line[0] == "-":
            at += 1
        elif line[0] == "+":
            lines.append(line[1:])
        else:
            if at > start or lines:
                yield Hunk(start, at, tuple(lines))
                lines = []
            head = _HEAD.match(line)
            at = start = _first(head) if head else at + 1


def _first(head: re.Match[str]) -> int:
    line, count = int(head[1]), head[2]
    return line if count == "0" else line - 1  # of no lines it is the one before that is named


def _diff(base: str, side: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("base", base), ("side", side)):
            (Path(folder) / name).write_bytes(text.encode())
        done = subprocess.run(
            [*_DIFF, *_LIKE_MERGE_FILE, "base", "side"],
            cwd=folder,
            env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"},
            capture_output=True,
        )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout.decode()
