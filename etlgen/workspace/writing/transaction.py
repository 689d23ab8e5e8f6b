"""A transaction on disk: a folder in `.etlgen/` that a later process can finish.

    .etlgen/tx-3f2a…/
        0, 1, …        new contents, by the number of their step
        journal.json   the steps; that it is there means that the transaction is committed
        done           the numbers of finished steps, one a line

It may have been committed to git by a stranger: what is read here is checked like any input.
"""

import hashlib
import os
import secrets
import shutil
import stat
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from etlgen.errors import Finding, Refused
from etlgen.rendered import is_inside
from etlgen.workspace.state import FOLDER

_PREFIX = "tx-"
_JOURNAL = "journal.json"
_DONE = "done"
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


class NotAFile(Exception):
    """Something else is where a file should be, or where a folder above it should."""


def begin(root: Path) -> Path:
    """Where a new transaction goes; the folder is still to be made."""
    return root / FOLDER / f"{_PREFIX}{secrets.token_hex(6)}"


def transactions(root: Path) -> list[Path]:
    """The folders of all transactions, committed or not."""
    folder = root / FOLDER
    try:
        if mode_of(folder) is None:
            return []
        found = sorted(path for path in folder.iterdir() if path.name.startswith(_PREFIX))
        links = [path for path in (folder, *found) if path.is_symlink()]
        if links:
            hint = "remove the link"
            raise refusal(_shown(links[0], root), "symlink", "is a symbolic link", hint)
        return [path for path in found if path.is_dir()]
    except OSError as error:
        raise refusal(FOLDER, "unreadable", f"cannot be read: {reason(error)}") from error


def is_committed(tx: Path) -> bool:
    try:
        return mode_of(tx / _JOURNAL) is not None
    except OSError as error:  # not "no journal": what is half done would be discarded
        raise refusal(FOLDER, "unreadable", f"cannot be read: {reason(error)}") from error


def commit(tx: Path, journal: Journal) -> None:
    """Put the journal there, or a newer one in its place, in one step and to last."""
    draft = tx / f"{_JOURNAL}.new"
    draft.unlink(missing_ok=True)
    stage(draft, journal.model_dump_json(indent=1).encode())
    os.replace(draft, tx / _JOURNAL)
    sync_folder(tx)
    sync_folder(tx.parent)


def discard(tx: Path) -> None:
    """Remove a transaction: the journal first, so that what remains is only litter."""
    (tx / _JOURNAL).unlink(missing_ok=True)
    shutil.rmtree(tx, ignore_errors=True)


def read_journal(tx: Path) -> Journal:
    """Raises `Refused` if it is of another format, or damaged, or unsafe to follow."""
    try:
        content = content_at(tx / _JOURNAL) or b""
        written_in = _AnyFormat.model_validate_json(content).format
        if written_in != 1:
            raise _unusable(tx, f"was begun by an etlgen with another format, {written_in}")
        return Journal.model_validate_json(content)
    except NotAFile as error:
        raise _unusable(tx, f"its {_JOURNAL} is not a file") from error
    except ValidationError as error:
        why = first_problem(error)
        raise _unusable(tx, f"its {_JOURNAL} cannot be followed: {why}") from error


def require_staged(tx: Path, step: Step) -> None:
    """Refuse an altered content; one that is gone may have been put in its place already."""
    if step.staged is not None and digest_at(tx / step.staged) not in (None, step.after):
        raise _unusable(tx, f"the new content of {step.path} was altered")


def read_done(tx: Path, journal: Journal) -> frozenset[int]:
    """What `mark_done` wrote. A line that a crash tore is cut off: the next one must not be
    glued to it."""
    path = tx / _DONE
    try:
        content = content_at(path) or b""
    except NotAFile as error:
        raise _unusable(tx, f"its {_DONE} is not a file") from error
    complete = content.rfind(b"\n") + 1
    if complete < len(content):
        os.truncate(path, complete)
    lines = set(content[:complete].splitlines())
    return frozenset(n for n in range(len(journal.steps)) if str(n).encode() in lines)


def mark_done(tx: Path, number: int) -> None:
    with (tx / _DONE).open("ab") as file:
        file.write(f"{number}\n".encode())


def stage(path: Path, content: bytes, mode: int | None = None) -> None:
    """Write a new file, to last."""
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        if mode is not None:
            os.chmod(path, stat.S_IMODE(mode))
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make names in a folder last, where the system can."""
    if os.name == "nt":
        return
    with suppress(OSError):  # some file systems cannot; it only matters if the power fails
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def mode_of(path: Path) -> int | None:
    """Of the path itself, not of what a link leads to. None: there is nothing."""
    try:
        return os.lstat(path).st_mode
    except FileNotFoundError:
        return None


def content_at(path: Path) -> bytes | None:
    """None: there is nothing. Raises `NotAFile`."""
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            raise NotAFile("is not a file")
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except NotADirectoryError as error:
        raise NotAFile("is below what is not a folder") from error


def digest(content: bytes | None) -> str | None:
    return None if content is None else hashlib.sha256(content).hexdigest()


def digest_at(path: Path) -> str | None:
    """The hash of a file, None for nothing, and something else for what is not a file."""
    try:
        return digest(content_at(path))
    except NotAFile:
        return "not a file"


def reason(error: OSError) -> str:
    return error.strerror or str(error)


def first_problem(error: ValidationError) -> str:
    return error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")


def refusal(
    path: str | None, code: str, message: str, hint: str | None = "nothing was changed"
) -> Refused:
    return Refused(Finding(path, None, None, code, message, hint))


def _unusable(tx: Path, message: str) -> Refused:
    hint = "finish it with the etlgen that began it, or remove the folder to give it up"
    return refusal(f"{FOLDER}/{tx.name}", "journal", message, hint)


def _shown(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()
