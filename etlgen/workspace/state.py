"""What etlgen remembers of a generation, in `.etlgen/`, committed with the project.

`units/<unit>.json` says what a unit was generated from and by. `base/<unit>/` has a file for each
file of the unit: a line of JSON that says which it is, then its text as last generated, the common
ancestor of a later three-way merge. State of one file lies in one file, so that git merges it as it
merges the generated files themselves. While a conflict waits, `pending/<unit>/` keeps what came.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from etlgen.errors import Finding, Refused
from etlgen.rendered import PROJECT_UNIT, RUNTIME_UNIT, sha256
from etlgen.workspace.entries import (
    FORMAT,
    Damaged,
    Entry,
    Key,
    NewerFormat,
    Unit,
    entry_of,
    fields,
    files_of_format_1,
    format_of,
    header,
    unit_of,
    unit_text,
)

FOLDER = ".etlgen"

_HOUSEKEEPING = {
    ".gitattributes": "** -text -merge linguist-generated\n",
    ".gitignore": "lock\ntx-*\n",
    ".ignore": "*\n",
}
_WAY_OUT = "after a merge of branches: git checkout --ours .etlgen && etlgen generate"


class Memory:
    """The entries of one unit and their bases, read when they are asked for."""

    is_current = True
    """Whether its files are in today's format."""

    def __init__(self, root: Path, unit: str, *, has_files: bool = False) -> None:
        self._root = root
        self._unit = unit
        self._has_files = has_files

    @cached_property
    def entries(self) -> Mapping[Key, Entry]:
        """All files of the unit. Raises `Refused` where one cannot be read, or all are lost."""
        found = {entry.key: entry for entry in self._read()}
        if self._has_files and not found:
            raise Refused(_lost(self._unit))
        return found

    def base(self, entry: Entry) -> str:
        """The text as last generated. Raises `Refused` if it is not what it was."""
        path = base_path(self._unit, entry)
        return _unaltered(path, _split(self._root, path)[1], entry)

    def theirs(self, entry: Entry) -> str:
        """The text that waits to be merged into a file with a conflict."""
        path = pending_path(self._unit, entry)
        text = _text(self._root, path)
        if entry.pending is None or sha256(text) != entry.pending.theirs_sha256:
            raise Refused(_altered(path, "was altered"))
        return text

    def paths(self, entry: Entry) -> set[str]:
        """The state files of an entry."""
        own = {base_path(self._unit, entry)}
        return own | {pending_path(self._unit, entry)} if entry.pending else own

    def _read(self) -> Iterator[Entry]:
        folder = f"{FOLDER}/base/{self._unit}"
        for name in _listed(self._root / folder):
            path = f"{folder}/{name}"
            first, text = _split(self._root, path)
            try:
                entry = entry_of(fields(first))
            except Damaged as damage:
                raise Refused(_unreadable(path, damage)) from None
            if base_path(self._unit, entry) != path:
                raise Refused(_altered(path, "was altered: its name and its path are apart"))
            _unaltered(path, text, entry)
            yield entry


class MemoryOfFormat1(Memory):
    """Format 1: entries in the unit's JSON, bases as plain text by path, the runtime in the
    project's unit, and a resource named together with its source."""

    is_current = False

    def __init__(self, root: Path, unit: str, files: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(root, unit)
        self._files = files
        self._folder = PROJECT_UNIT if unit == RUNTIME_UNIT else unit

    def base(self, entry: Entry) -> str:
        path = self._base_path(entry)
        return _unaltered(path, _text(self._root, path), entry)

    def paths(self, entry: Entry) -> set[str]:
        return {self._base_path(entry)}

    def _base_path(self, entry: Entry) -> str:
        return f"{FOLDER}/base/{self._folder}/{entry.path}.base"

    def _read(self) -> Iterator[Entry]:
        for data in self._files:
            try:
                entry = entry_of(data)
            except Damaged as damage:
                raise Refused(_unreadable(unit_path(self._folder), damage)) from None
            is_runtime = entry.template.startswith("runtime/")
            if self._folder != PROJECT_UNIT or is_runtime == (self._unit == RUNTIME_UNIT):
                resource = entry.resource and entry.resource.rpartition(".")[2]
                yield replace(entry, resource=resource)


@dataclass(frozen=True)
class State:
    """All units of a project on disk; `is_outdated` if in an older format."""

    root: Path
    units: Mapping[str, Unit]
    memories: Mapping[str, Memory]
    is_outdated: bool = False

    def memory(self, unit: str) -> Memory:
        return self.memories.get(unit) or Memory(self.root, unit)

    def entries(self) -> Iterator[tuple[str, Entry]]:
        for unit in self.units:
            for entry in self.memory(unit).entries.values():
                yield unit, entry


def read_state(root: Path) -> State:
    """The state of the project. Raises `Refused` where a merge of branches left it unreadable."""
    read: list[tuple[Unit, Memory]] = []
    broken: list[Finding] = []
    for name in _unit_names(root / FOLDER / "units"):
        try:
            read += _read_unit(root, name)
        except NewerFormat as newer:
            message = f"is of a newer etlgen, {newer}"
            broken.append(Finding(unit_path(name), None, None, "newer", message, "upgrade etlgen"))
        except (OSError, Damaged) as damage:
            broken.append(_unreadable(unit_path(name), damage))
    if broken:
        raise Refused(broken)
    return State(
        root,
        {unit.name: unit for unit, _ in read},
        {unit.name: memory for unit, memory in read},
        not all(memory.is_current for _, memory in read),
    )


def _read_unit(root: Path, name: str) -> Iterator[tuple[Unit, Memory]]:
    """The unit in a file; in format 1 that of the project is of the runtime, too."""
    data = fields(_raw(root, unit_path(name)))
    unit = replace(unit_of(data), name=name)
    if format_of(data) == FORMAT:
        # Without a hash of its input it may be one that no file of could be written.
        has_files = bool(unit.input_sha256) and unit.files_sha256 not in ("", digest_of_files({}))
        yield unit, Memory(root, name, has_files=has_files)
        return
    files = files_of_format_1(data)
    for part in (name, RUNTIME_UNIT) if name == PROJECT_UNIT else (name,):
        yield replace(unit, name=part), MemoryOfFormat1(root, part, files)


def digest_of_files(hashes: Mapping[Key, str]) -> str:
    """One hash of what a unit was generated as, of the hash of each file."""
    lines = (f"{template} {resource} {hash}" for (template, resource), hash in hashes.items())
    return sha256("\n".join(sorted(lines)))


def digest_of_entries(entries: Mapping[Key, Entry]) -> str:
    """The same of what is remembered; what waits in a conflict was generated, too."""
    return digest_of_files(
        {
            key: entry.pending.theirs_sha256 if entry.pending else entry.sha256
            for key, entry in entries.items()
        }
    )


def unit_path(unit: str) -> str:
    return f"{FOLDER}/units/{unit}.json"


def base_path(unit: str, entry: Entry) -> str:
    return f"{FOLDER}/base/{unit}/{_flat(entry.location)}.base"


def pending_path(unit: str, entry: Entry) -> str:
    return f"{FOLDER}/pending/{unit}/{_flat(entry.location)}.new"


def housekeeping() -> dict[str, str]:
    """What keeps git, its merges and search tools from the state."""
    return {f"{FOLDER}/{name}": text for name, text in _HOUSEKEEPING.items()}


def differing(root: Path, files: Mapping[str, str]) -> dict[str, str]:
    """Those of the files that are not on disk as they should be."""

    def is_there(path: str, text: str) -> bool:
        try:
            return (root / path).read_bytes() == text.encode()
        except OSError:  # also what is no file: it is refused when it is to be written
            return False

    return {path: text for path, text in files.items() if not is_there(path, text)}


def base_text(entry: Entry, text: str) -> str:
    """The base file of an entry: what it is, and its text as generated."""
    return f"{header(entry)}{text}"


def without(path: str, new: bytes | None, old: bytes | None, left: frozenset[str]) -> bytes | None:
    """A state file's content where some paths could not be written: for these it stays as it was.

    Otherwise the next merge would take a text for the last generated one that is not there.
    """
    if not path.startswith(f"{FOLDER}/units/"):
        own = {f"{_flat(one)}.{suffix}" for one in left for suffix in ("base", "new")}
        return old if path.rpartition("/")[2] in own else new
    if new is None:
        return old  # its files that are still there need it
    try:
        unit = unit_of(fields(new))
    except (Damaged, NewerFormat):  # a stranger's transaction
        return old
    return unit_text(replace(unit, input_sha256="")).encode()


def _flat(location: str) -> str:
    """A path as one name: listing a thousand units must not walk ten thousand folders."""
    return location.replace("%", "%25").replace("+", "%2B").replace("/", "+")


def _split(root: Path, path: str) -> tuple[str, str]:
    header, _, text = _text(root, path).partition("\n")
    return header, text


def _unit_names(folder: Path) -> list[str]:
    found: list[str] = []
    for at, _, files in os.walk(folder):
        within = Path(at).relative_to(folder)
        found += [(within / name).as_posix() for name in files if name.endswith(".json")]
    return [path.removesuffix(".json") for path in sorted(found)]


def _listed(folder: Path) -> list[str]:
    """The base files of a folder, as `glob` gives them but many times quicker."""
    try:
        return sorted(name for name in os.listdir(folder) if name.endswith(".base"))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _text(root: Path, path: str) -> str:
    try:
        return _raw(root, path).decode("utf-8")
    except (OSError, UnicodeDecodeError):
        raise Refused(_altered(path, "is missing or unreadable")) from None


def _raw(root: Path, path: str) -> bytes:
    with open(f"{root}/{path}", "rb", buffering=0) as file:  # a third of what Path.read_bytes takes
        return file.read()


def _unaltered(path: str, text: str, entry: Entry) -> str:
    if sha256(text) != entry.sha256:
        raise Refused(_altered(path, "was altered: its text and its hash are apart"))
    return text


def _unreadable(path: str, damage: Exception) -> Finding:
    why = damage.strerror if isinstance(damage, OSError) else str(damage)
    return _altered(path, f"cannot be read: {why}")


def _lost(unit: str) -> Finding:
    """The unit is known, and nothing of what was generated of it."""
    folder = f"{FOLDER}/base/{unit}"
    message = "is missing or empty: without what was last generated, your edits cannot be told"
    hint = (
        f"git checkout -- {folder} brings it back; where git has none of it: "
        f"rm {unit_path(unit)} && etlgen generate"
    )
    return Finding(folder, None, None, "lost-base", message, hint)


def _altered(path: str, message: str) -> Finding:
    hint = f"bring it back with git; {_WAY_OUT}"
    return Finding(path, None, None, "altered-base", message, hint)
