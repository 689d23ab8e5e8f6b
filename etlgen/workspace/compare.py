"""What generating would do to a folder: a verb for every path, decided by bytes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from etlgen.errors import Finding, InternalError, Refused
from etlgen.rendered import RenderedFile


class Verb(StrEnum):
    """What happens to a path."""

    CREATE = "create"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one path; `before` is None where there is nothing yet."""

    path: str
    verb: Verb
    before: str | None
    after: str
    unit: str | None


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """Every path of a generation, sorted. Dry run, diff and the real run read the same one."""

    changes: tuple[Change, ...]

    def of(self, verb: Verb) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.verb is verb)


def compare(files: Sequence[RenderedFile], root: Path) -> ChangeSet:
    """The changes that bring `files` under `root`; a file that etlgen did not write is refused."""
    _require_distinct(files)
    changes, occupied = [], []
    for file in sorted(files, key=lambda file: file.path):
        try:
            before = _text_at(root / file.path)
        except OSError as error:
            occupied.append(_occupied(root, file, error.strerror or str(error)))
            continue
        if before is None:
            changes.append(Change(file.path, Verb.CREATE, None, file.text, file.unit))
        elif before == file.text:
            changes.append(Change(file.path, Verb.UNCHANGED, before, file.text, file.unit))
        else:
            occupied.append(_occupied(root, file, "the file exists with another content"))
    if occupied:
        raise Refused(occupied)
    return ChangeSet(tuple(changes))


def _text_at(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return None


def _occupied(root: Path, file: RenderedFile, message: str) -> Finding:
    return Finding(str(root / file.path), None, None, "occupied", message)


def _require_distinct(files: Iterable[RenderedFile]) -> None:
    """No two files on one path, also where the disk does not tell A from a."""
    seen: dict[str, RenderedFile] = {}
    for file in files:
        other = seen.setdefault(file.path.casefold(), file)
        if other is not file:
            message = f"{other.template} and {file.template} both make this file"
            raise InternalError(Finding(file.path, None, None, "same-path", message))
