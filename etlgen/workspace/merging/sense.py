"""Whether a merge that went without a conflict makes sense.

Two edits that do not touch can still say the same thing twice, or take away what the other needs.
What counts is what neither side had: a team may repeat itself, and be in the middle of an edit.
"""

import json
import re
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from etlgen.errors import Finding, InternalError
from etlgen.workspace.merging.said import (
    Said,
    Unreadable,
    said_in_env,
    said_in_json,
    said_in_makefile,
    said_in_toml,
    said_in_yaml,
)
from etlgen.workspace.merging.said_in_python import said_in_python

# What breaks a file or contradicts itself; not a matter of style.
_RULES = "E9,F,B,PLE"
_WIDEST = 60

_Reader = Callable[[str], list[Said]]
_BY_SUFFIX: dict[str, _Reader] = {
    ".py": said_in_python,
    ".toml": said_in_toml,
    ".yaml": said_in_yaml,
    ".yml": said_in_yaml,
    ".json": said_in_json,
    ".mk": said_in_makefile,
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with a merged text, and all lines that have a part in it, if that is known."""

    message: str
    places: tuple[range, ...]

    @property
    def line(self) -> int | None:
        return self.places[0].start if self.places else None


def new_trouble(
    path: str, mine: str, theirs: str, merged: str, *, lint: bool = True
) -> list[Trouble]:
    """What is wrong with the merged text and was not with either side; `lint` asks Ruff too."""
    read = _reader(path)
    if read is None:
        return []
    try:
        sides = [read(mine), read(theirs)]
    except Unreadable:
        return []
    try:
        said = read(merged)
    except Unreadable as error:
        places = tuple(range(line, line + 1) for line in error.lines)
        return [Trouble(f"merged it does not parse: {error}", places)]
    found = _said_twice(sides, said)
    if lint and read is said_in_python:
        known = {line for trouble in found for place in trouble.places for line in place}
        found += [one for one in _from_ruff(path, mine, theirs, merged) if one.line not in known]
    return sorted(found, key=lambda trouble: trouble.line or 0)


def _reader(path: str) -> _Reader | None:
    name = PurePosixPath(path).name
    if re.search(r"\.env(\.|$)", name):
        return said_in_env
    return said_in_makefile if name == "Makefile" else _BY_SUFFIX.get(PurePosixPath(name).suffix)


def _said_twice(sides: Iterable[list[Said]], merged: list[Said]) -> list[Trouble]:
    """What a container says at least twice, and oftener than any like it on either side."""
    before: dict[tuple[object, ...], int] = defaultdict(int)
    for side in sides:
        for group in _by_container(side):
            key = (group[0].scope, group[0].what)
            before[key] = max(before[key], len(group))
    return [
        Trouble(
            f"{_short(group[0].what)} stands twice in {_short(group[0].where)}",
            tuple(sorted((one.lines for one in group), key=lambda lines: lines.start)),
        )
        for group in _by_container(merged)
        if len(group) > max(1, before[group[0].scope, group[0].what])
    ]


def _by_container(said: Iterable[Said]) -> Iterable[list[Said]]:
    groups: dict[tuple[int, str], list[Said]] = defaultdict(list)
    for one in said:
        groups[one.container, one.what].append(one)
    return groups.values()


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _WIDEST else f"{line[:_WIDEST]}…"


def _from_ruff(path: str, mine: str, theirs: str, merged: str) -> list[Trouble]:
    findings = _ruff_findings(PurePosixPath(path).name, {"1": mine, "2": theirs, "3": merged})
    known = {_message(item) for item in findings if _side(item) != "3"}
    return [
        Trouble(item["message"], (range(row, row + 1),))
        for item in findings
        if _side(item) == "3" and _message(item) not in known and (row := item["location"]["row"])
    ]


def _side(item: dict[str, Any]) -> str:
    return Path(item["filename"]).parent.name


def _message(item: dict[str, Any]) -> tuple[str | None, str]:
    return item["code"], re.sub(r"\bline \d+", "line", item["message"])


def _ruff_findings(name: str, texts: dict[str, str]) -> list[dict[str, Any]]:
    """Of all texts in one call, deaf to any configuration, as `etlgen.style` does it."""
    from ruff import find_ruff_bin  # type: ignore[import-untyped]

    command = [find_ruff_bin(), "check", "--isolated", "--no-cache", "--exit-zero", "--quiet"]
    command += ["--no-respect-gitignore", "--target-version=py311"]
    command += [f"--select={_RULES}", "--output-format=json", "."]
    with tempfile.TemporaryDirectory(prefix="etlgen-") as folder:
        for side, text in texts.items():
            (Path(folder) / side).mkdir()
            (Path(folder) / side / name).write_bytes(text.encode("utf-8", "surrogateescape"))
        done = subprocess.run(
            command, cwd=folder, capture_output=True, encoding="utf-8", check=False
        )
    if done.returncode:
        raise InternalError(Finding(name, None, None, "ruff", done.stderr.strip()))
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return sorted(found, key=lambda item: (item["location"]["row"], item["location"]["column"]))
