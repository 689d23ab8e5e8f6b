"""Units and generated files as they are remembered, and their form in JSON.

That may come from a bad merge, from a stranger or from someone's editor, so each value is looked at
before it is believed. By hand: a project has thousands of them, and most commands read them all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from etlgen.rendered import is_inside
from etlgen.workspace.merging.markers import USUAL_SIZE

FORMAT = 2
# How many earlier generations of a file are recognised.
REMEMBERED = 10
# What a pattern can still say.
_LONGEST_MARKER = 1 << 31

Key = tuple[str, str | None]
"""Template and resource: what a file is within its unit, wherever it lies."""


class Damaged(ValueError):
    """What is remembered cannot be read; the message says why."""


class NewerFormat(Exception):
    """It was written by an etlgen that knows more, whose version this is."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A conflict that is not resolved yet: hashes of what the team had and of what came, and how
    long its markers are."""

    id: str
    before_sha256: str
    theirs_sha256: str
    marker_size: int = USUAL_SIZE


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a unit, as last generated.

    `path` is where etlgen would put it and `moved_to` where the team keeps it, if elsewhere.
    `superseded` are hashes of earlier generations, `merged` of the team's texts that a generation
    was merged into; `is_deleted` says that the team goes without it.
    """

    template: str
    resource: str | None
    path: str
    sha256: str
    unstyled_sha256: str | None = None
    moved_to: str | None = None
    is_deleted: bool = False
    superseded: tuple[str, ...] = ()
    merged: tuple[str, ...] = ()
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

    def outgrown(self, mine_sha256: str) -> Entry:
        """The entry of a file whose text, which the team had edited, is another one from now on."""
        earlier = (mine_sha256, *self.merged)
        return replace(self, merged=tuple(dict.fromkeys(earlier))[:REMEMBERED])

    def without(self, sha256: str) -> Entry:
        """The entry of a file that is meant to be as it was earlier."""
        superseded = tuple(one for one in self.superseded if one != sha256)
        return replace(
            self,
            superseded=superseded,
            merged=tuple(one for one in self.merged if one != sha256),
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


def fields(raw: bytes | str) -> Mapping[str, Any]:
    """The object that a JSON text is. Raises `Damaged`."""
    try:
        data = json.loads(raw)
    except RecursionError:
        raise Damaged("is nested too deeply") from None
    except ValueError:
        raise Damaged("is not JSON") from None
    return _object(data)


def unit_of(data: Mapping[str, Any]) -> Unit:
    """Raises `Damaged`, or `NewerFormat`."""
    if format_of(data) > FORMAT:
        raise NewerFormat(_text(data, "etlgen"))
    return Unit(
        name=_text(data, "unit"),
        etlgen=_text(data, "etlgen"),
        black=_text(data, "black"),
        input_sha256=_text(data, "input_sha256"),
        claims=_texts(data, "claims"),
        needs=_texts(data, "needs"),
        files_sha256=_text(data, "files_sha256") if "files_sha256" in data else "",
    )


def format_of(data: Mapping[str, Any]) -> int:
    written_in = data.get("format")
    if type(written_in) is not int or written_in < 1:  # to Python, true is a number as well
        raise Damaged("its 'format' is not a number of one")
    return written_in


def files_of_format_1(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The entries of its files, which were in the unit's JSON."""
    files = data.get("files")
    if not isinstance(files, list):
        raise Damaged("its 'files' are not a list")
    return [_object(one) for one in files]


def entry_of(data: Mapping[str, Any]) -> Entry:
    """Raises `Damaged`, also for a path that could leave the project."""
    return Entry(
        template=_text(data, "template"),
        resource=_text_or_none(data, "resource"),
        path=_path(data, "path"),
        sha256=_text(data, "sha256"),
        unstyled_sha256=_text_or_none(data, "unstyled_sha256"),
        moved_to=_path(data, "moved_to") if data.get("moved_to") is not None else None,
        is_deleted=_flag(data, "deleted"),
        superseded=_texts(data, "superseded"),
        merged=_texts(data, "merged"),
        pending=_pending_of(_object(data["pending"])) if "pending" in data else None,
    )


def unit_text(unit: Unit) -> str:
    """The file of a unit."""
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
    if entry.merged:
        data["merged"] = list(entry.merged)
    if entry.pending:
        data["pending"] = {
            "id": entry.pending.id,
            "before_sha256": entry.pending.before_sha256,
            "theirs_sha256": entry.pending.theirs_sha256,
        }
        if entry.pending.marker_size != USUAL_SIZE:
            data["pending"]["marker_size"] = entry.pending.marker_size
    return data


def header(entry: Entry) -> str:
    """The first line of a base file."""
    return json.dumps(_entry_data(entry), ensure_ascii=False) + "\n"


def _pending_of(data: Mapping[str, Any]) -> Pending:
    return Pending(
        id=_text(data, "id"),
        before_sha256=_text(data, "before_sha256"),
        theirs_sha256=_text(data, "theirs_sha256"),
        marker_size=_size(data.get("marker_size", USUAL_SIZE)),
    )


def _size(value: object) -> int:
    if type(value) is not int or not USUAL_SIZE <= value <= _LONGEST_MARKER:
        raise Damaged("its 'marker_size' is not the length of a marker")
    return value


def _object(data: object) -> Mapping[str, Any]:
    if not isinstance(data, dict):
        raise Damaged("is not an object of JSON")
    return data


def _text(data: Mapping[str, Any], key: str) -> str:
    return _is_text(data.get(key), key)


def _text_or_none(data: Mapping[str, Any], key: str) -> str | None:
    value = data.get(key)
    return None if value is None else _is_text(value, key)


def _texts(data: Mapping[str, Any], key: str) -> tuple[str, ...]:
    values = data.get(key, [])
    if not isinstance(values, list):
        raise Damaged(f"its {key!r} is not a list")
    return tuple(_is_text(value, key) for value in values)


def _flag(data: Mapping[str, Any], key: str) -> bool:
    value = data.get(key, False)
    if not isinstance(value, bool):
        raise Damaged(f"its {key!r} is neither true nor false")
    return value


def _path(data: Mapping[str, Any], key: str) -> str:
    path = _text(data, key)
    if not is_inside(path):
        raise Damaged(f"its {key!r} is not a plain path inside the project")
    return path


def _is_text(value: object, key: str) -> str:
    if not isinstance(value, str):
        raise Damaged(f"its {key!r} is not text")
    if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
        raise Damaged(f"its {key!r} holds half a character")
    return value
