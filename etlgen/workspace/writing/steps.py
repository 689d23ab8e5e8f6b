"""The journal of a transaction: its steps, written so that a later process can follow them.

It may have been committed to git by a stranger: what is read here is checked like any input.
"""

import os
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from etlgen.rendered import is_inside
from etlgen.workspace.writing.transaction import (
    DONE,
    JOURNAL,
    NotAFile,
    content_at,
    digest_at,
    stage,
    sync_folder,
    unusable,
)

# A hostile journal could put a hook there, which no commit of git's can.
_GIT = {".git", "git~1"}


def _own_path(path: str) -> str:
    if not is_inside(path) or any(part.casefold() in _GIT for part in path.split("/")):
        raise ValueError(f"{path!r} is not a plain path inside the project")
    return path


_Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
_StagedName = Annotated[str, Field(pattern="^[0-9]+(-[0-9a-f]+)?$")]


class Step(BaseModel):
    """What becomes of one path: the hashes of what was there and of what will be, None for no
    file, and the name of the new content in the transaction. The halves of a move, which happen
    together or not at all, know each other as `origin` and `moved_to`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    path: Annotated[str, AfterValidator(_own_path)]
    before: _Sha256 | None
    after: _Sha256 | None
    staged: _StagedName | None
    is_state: bool
    origin: str | None = None
    moved_to: str | None = None

    @model_validator(mode="after")
    def _content_is_staged(self) -> "Step":
        if (self.after is None) != (self.staged is None):
            raise ValueError("a content and its staged file go together")
        return self


class Journal(BaseModel):
    """All steps. `left` are paths that were left alone, once the state says so."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    format: Literal[1] = 1
    steps: tuple[Step, ...]
    left: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _paths_are_apart(self) -> "Journal":
        paths = {step.path for step in self.steps}
        if len(paths) < len(self.steps):
            raise ValueError("a path has two steps")
        if any(str(parent) in paths for path in paths for parent in PurePosixPath(path).parents):
            raise ValueError("a path is both a file and a folder")
        return self


class _AnyFormat(BaseModel):
    format: int


def commit(tx: Path, journal: Journal) -> None:
    """Put the journal there, or a newer one in its place, in one step and to last."""
    draft = tx / f"{JOURNAL}.new"
    draft.unlink(missing_ok=True)
    stage(draft, journal.model_dump_json(indent=1).encode())
    os.replace(draft, tx / JOURNAL)
    sync_folder(tx)
    sync_folder(tx.parent)


def read_journal(tx: Path) -> Journal:
    """Raises `Refused` if it is of another format, or damaged, or unsafe to follow."""
    try:
        content = content_at(tx / JOURNAL) or b""
        written_in = _AnyFormat.model_validate_json(content).format
        if written_in != 1:
            raise unusable(tx, f"was begun by an etlgen with another format, {written_in}")
        return Journal.model_validate_json(content)
    except NotAFile as error:
        raise unusable(tx, f"its {JOURNAL} is not a file") from error
    except ValidationError as error:
        why = first_problem(error)
        raise unusable(tx, f"its {JOURNAL} cannot be followed: {why}") from error


def require_staged(tx: Path, step: Step) -> None:
    """Refuse an altered content; one that is gone may have been put in its place already."""
    if step.staged is not None and digest_at(tx / step.staged) not in (None, step.after):
        raise unusable(tx, f"the new content of {step.path} was altered")


def read_done(tx: Path, journal: Journal) -> frozenset[int]:
    """What `mark_done` wrote. A line that a crash tore is cut off: the next one must not be
    glued to it."""
    path = tx / DONE
    try:
        content = content_at(path) or b""
    except NotAFile as error:
        raise unusable(tx, f"its {DONE} is not a file") from error
    complete = content.rfind(b"\n") + 1
    if complete < len(content):
        os.truncate(path, complete)
    lines = set(content[:complete].splitlines())
    return frozenset(n for n in range(len(journal.steps)) if str(n).encode() in lines)


def first_problem(error: ValidationError) -> str:
    return error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
