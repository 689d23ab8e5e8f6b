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
from pathlib import Path

from etlgen.errors import Finding, Refused
from etlgen.workspace.state import FOLDER

_PREFIX = "tx-"
JOURNAL = "journal.json"
DONE = "done"


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
        return mode_of(tx / JOURNAL) is not None
    except OSError as error:  # not "no journal": what is half done would be discarded
        raise refusal(FOLDER, "unreadable", f"cannot be read: {reason(error)}") from error


def unfinished(root: Path) -> bool:
    """Whether a committed transaction waits for `recover`."""
    return any(is_committed(tx) for tx in transactions(root))


def discard(tx: Path) -> None:
    """Remove a transaction: the journal first, so that what remains is only litter."""
    (tx / JOURNAL).unlink(missing_ok=True)
    shutil.rmtree(tx, ignore_errors=True)


def mark_done(tx: Path, number: int) -> None:
    with (tx / DONE).open("ab") as file:
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


def refusal(
    path: str | None, code: str, message: str, hint: str | None = "nothing was changed"
) -> Refused:
    return Refused(Finding(path, None, None, code, message, hint))


def unusable(tx: Path, message: str) -> Refused:
    hint = "finish it with the etlgen that began it, or remove the folder to give it up"
    return refusal(f"{FOLDER}/{tx.name}", "journal", message, hint)


def _shown(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()
