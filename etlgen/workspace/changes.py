"""What a command does to a project: a verb for every path, and the state that goes with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Verb(StrEnum):
    """What happens to a path."""

    CREATE = "create"
    UPDATE = "update"
    MERGE = "merge"
    CONFLICT = "conflict"
    MOVE = "move"
    DELETE = "delete"
    ADOPT = "adopt"
    KEEP = "keep"
    KEEP_DELETED = "keep-deleted"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one path; `before` and `after` are what is on disk, None for no file.

    `origin` is where the file was, if it moves. `unit` is None for a file of the team's own.
    """

    path: str
    verb: Verb
    before: str | None
    after: str | None
    unit: str | None
    origin: str | None = None
    note: str = ""

    @property
    def writes(self) -> bool:
        return self.before != self.after or self.origin is not None


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """Every path of a generation, sorted. Dry run, diff and the real run read the same one.

    `state` are the files below `.etlgen` that differ, with None for one to remove.
    """

    changes: tuple[Change, ...]
    state: Mapping[str, str | None] = field(default_factory=dict)

    def of(self, verb: Verb) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.verb is verb)

    @property
    def writes(self) -> bool:
        """Whether anything on disk is going to differ."""
        return bool(self.state) or any(change.writes for change in self.changes)
