"""What etlgen remembers of a generation, in `.etlgen/`, committed with the project.

`units/<unit>.json` says what a unit was generated from and by. `base/<unit>/` has a file for each
file of the unit: a line of JSON that says which it is, then its text as last generated, the common
ancestor of a later three-way merge. State of one file lies in one file, so that git merges it as it
merges the generated files themselves. While a conflict waits, `pending/<unit>/` keeps what came.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from etlgen.errors import Finding, Refused
from etlgen.rendered import PROJECT_UNIT, RUNTIME_UNIT, is_inside, sha256

FOLDER = ".etlgen"
FORMAT = 2
# How many earlier generations of a file are recognised.
REMEMBERED = 10

_HOUSEKEEPING = {
    ".gitattributes": "** -text -merge linguist-generated\n",
    ".gitignore": "lock\ntx-*\n",
    ".ignore": "*\n",
}
_WAY_OUT = "after a merge of branches: git checkout --ours .etlgen && etlgen generate"

Key = tuple[str, str | None]
"""Template and resource: what a file is within its unit, wherever it lies."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A conflict that is not resolved yet: hashes of what the team had and of what came."""

    id: str
    before_sha256: str
    theirs_sha256: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a unit, as last generated.

    `path` is where etlgen would put it and `moved_to` where the team keeps it, if elsewhere.
    `superseded` are hashes of earlier generations; `is_deleted` that the team said it goes without.
    """

    template: str
    resource: str | None
    path: str
    sha256: str
    unstyled_sha256: str | None = None
    moved_to: str | None = None
    is_deleted: bool = False
    superseded: tuple[str, ...] = ()
    pending: Pending | None = None

    @property
    def key(self) -> Key:
        return (self.template, self.resource)

    @property
    def location(self) -> str:
        return self.moved_to or self.path

    def advanced(self, text_sha256: str, unstyled_sha256: str | None) -> Entry:
        """The entry with a newer base."""
        earlier = [sha for sha in (self.sha256, *self.superseded) if sha != text_sha256]
        return replace(
            self,
            sha256=text_sha256,
            unstyled_sha256=unstyled_sha256,
            superseded=tuple(dict.fromkeys(earlier))[:REMEMBERED],
            pending=None,
        )


@dataclass(frozen=True, slots=True)
class Unit:
    """What a unit was generated from, and by.

    `claims` are names that no other unit may have, `needs` the units that this one imports from.
    `files_sha256` tells whether all its bases are of that generation: a merge of branches can bring
    one from another.
    """

    name: str
    etlgen: str
    black: str
    input_sha256: str
    claims: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    files_sha256: str = ""


class Memory:
    """The entries of one unit and their bases, read when they are asked for."""

    is_current = True
    """Whether its files are in today's format."""

    def __init__(self, root: Path, unit: str) -> None:
        self._root = root
        self._unit = unit

    @cached_property
    def entries(self) -> Mapping[Key, Entry]:
        """All files of the unit. Raises `Refused` where one cannot be read."""
        return {entry.key: entry for entry in self._read()}

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
            header, text = _split(self._root, path)
            try:
                entry = _entry_of(json.loads(header))
            except (ValueError, KeyError, TypeError, AttributeError):
                raise Refused(_altered(path, "cannot be read")) from None
            _unaltered(path, text, entry)
            yield entry


class MemoryOfFormat1(Memory):
    """Format 1: entries in the unit's JSON, bases as plain text by path, the runtime in the
    project's unit, and a resource named together with its source."""

    is_current = False

    def __init__(self, root: Path, unit: str, files: list[dict[str, Any]]) -> None:
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
            is_runtime = data["template"].startswith("runtime/")
            if self._folder != PROJECT_UNIT or is_runtime == (self._unit == RUNTIME_UNIT):
                resource = data["resource"] and data["resource"].rpartition(".")[2]
                yield _entry_of({**data, "resource": resource})


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
    folder = root / FOLDER / "units"
    units: dict[str, Unit] = {}
    memories: dict[str, Memory] = {}
    is_outdated = False
    broken: list[Finding] = []
    for name in _unit_names(folder):
        try:
            data = json.loads(_raw(root, unit_path(name)))
            units[name] = _unit_of(name, data)
            is_old = data["format"] == 1
            memories[name] = (
                MemoryOfFormat1(root, name, data["files"]) if is_old else Memory(root, name)
            )
        except _NewerFormat as newer:
            message = f"is of a newer etlgen, {newer}"
            broken.append(Finding(unit_path(name), None, None, "newer", message, "upgrade etlgen"))
        except (OSError, ValueError, KeyError, TypeError):
            broken.append(_altered(unit_path(name), "cannot be read"))
        else:
            if is_old and name == PROJECT_UNIT:
                units[RUNTIME_UNIT] = replace(units[name], name=RUNTIME_UNIT)
                memories[RUNTIME_UNIT] = MemoryOfFormat1(root, RUNTIME_UNIT, data["files"])
            is_outdated |= is_old
    if broken:
        raise Refused(broken)
    return State(root, units, memories, is_outdated)


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
        except FileNotFoundError:
            return False

    return {path: text for path, text in files.items() if not is_there(path, text)}


def unit_text(unit: Unit) -> str:
    data = {
        "format": FORMAT,
        "unit": unit.name,
        "etlgen": unit.etlgen,
        "black": unit.black,
        "input_sha256": unit.input_sha256,
        "claims": list(unit.claims),
        "needs": list(unit.needs),
        "files_sha256": unit.files_sha256,
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def base_text(entry: Entry, text: str) -> str:
    """The base file of an entry: what it is, and its text as generated."""
    return f"{json.dumps(_entry_data(entry), ensure_ascii=False)}\n{text}"


def without(path: str, new: bytes | None, old: bytes | None, left: frozenset[str]) -> bytes | None:
    """A state file's content where some paths could not be written: for these it stays as it was.

    Otherwise the next merge would take a text for the last generated one that is not there.
    """
    folder = path.split("/")[1]
    if folder != "units":
        own = {f"{_flat(one)}.{suffix}" for one in left for suffix in ("base", "new")}
        return old if path.rpartition("/")[2] in own else new
    if new is None:
        return old  # its files that are still there need it
    return unit_text(replace(_unit_of("", json.loads(new)), input_sha256="")).encode()


class _NewerFormat(Exception):
    pass


def _unit_of(name: str, data: Any) -> Unit:
    if data["format"] > FORMAT:
        raise _NewerFormat(data["etlgen"])
    return Unit(
        name=name or data["unit"],
        etlgen=str(data["etlgen"]),
        black=str(data["black"]),
        input_sha256=str(data["input_sha256"]),
        claims=tuple(data.get("claims", ())),
        needs=tuple(data.get("needs", ())),
        files_sha256=str(data.get("files_sha256", "")),
    )


def _entry_of(data: Mapping[str, Any]) -> Entry:
    pending = data.get("pending")
    if not all(map(is_inside, (data["path"], data.get("moved_to") or data["path"]))):
        raise ValueError(data["path"])
    return Entry(
        template=data["template"],
        resource=data["resource"],
        path=data["path"],
        sha256=data["sha256"],
        unstyled_sha256=data["unstyled_sha256"],
        moved_to=data.get("moved_to"),
        is_deleted=data.get("deleted", False),
        superseded=tuple(data.get("superseded", ())),
        pending=Pending(**pending) if pending else None,
    )


def _entry_data(entry: Entry) -> dict[str, Any]:
    """Only what is out of the ordinary is written beside what every file has."""
    data: dict[str, Any] = {
        "template": entry.template,
        "resource": entry.resource,
        "path": entry.path,
        "sha256": entry.sha256,
        "unstyled_sha256": entry.unstyled_sha256,
    }
    if entry.moved_to:
        data["moved_to"] = entry.moved_to
    if entry.is_deleted:
        data["deleted"] = True
    if entry.superseded:
        data["superseded"] = list(entry.superseded)
    if entry.pending:
        data["pending"] = {
            "id": entry.pending.id,
            "before_sha256": entry.pending.before_sha256,
            "theirs_sha256": entry.pending.theirs_sha256,
        }
    return data


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


def _altered(path: str, message: str) -> Finding:
    hint = f"bring it back with git; {_WAY_OUT}"
    return Finding(path, None, None, "altered-base", message, hint)
