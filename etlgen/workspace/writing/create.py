"""A new project on disk: all of it or nothing.

The folder is built beside its destination and renamed once. A failure or an interruption removes
it. A killed process leaves a `.etlgen-new-*` folder beside the destination; it is harmless, nothing
reads it, and the destination was not touched.
"""

import os
import secrets
import shutil
from pathlib import Path

from etlgen.errors import EtlgenError, Finding, Refused, UsageError
from etlgen.workspace.changes import ChangeSet


def require_vacant(root: Path) -> None:
    """Refuse a destination that holds anything, is a link, or has no folder to stand in."""
    if not root.parent.is_dir():
        raise _error(
            UsageError, root.parent, "no-folder", "there is no such folder", "make it first"
        )
    if not os.access(root.parent, os.W_OK | os.X_OK):
        hint = "give yourself the right to write there, or choose another place"
        raise _error(Refused, root.parent, "unwritable", "is write-protected", hint)
    if root.is_symlink():
        raise _error(Refused, root, "symlink", "is a symbolic link", "name a real folder")
    if root.exists() and not root.is_dir():
        raise _error(Refused, root, "occupied", "is not a folder", "choose another name")
    try:
        empty = not root.exists() or next(root.iterdir(), None) is None
    except OSError as error:
        raise _unwritable(root, error) from error
    if not empty:
        hint = "choose another name, or empty it yourself"
        raise _error(Refused, root, "occupied", "the folder is not empty", hint)


def apply_new(changes: ChangeSet, root: Path) -> None:
    """Make `root` with the changes and their state in it, in one rename."""
    require_vacant(root)
    texts = {change.path: change.after for change in changes.changes} | dict(changes.state)
    staging = root.parent / f".etlgen-new-{secrets.token_hex(6)}"
    try:
        staging.mkdir()
        for path, text in texts.items():
            _write(staging / path, text or "")
        if root.exists():
            shutil.copymode(root, staging)
            if os.name == "nt":
                root.rmdir()
        # On POSIX a rename replaces an empty folder and fails on anything else, so what someone
        # put there since is safe.
        staging.rename(root)
    except OSError as error:
        raise _unwritable(root, error) from error
    finally:
        # After the rename there is nothing left to remove.
        shutil.rmtree(staging, ignore_errors=True)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8", newline="") as file:
        file.write(text)


def _unwritable(root: Path, error: OSError) -> EtlgenError:
    message = f"cannot be written: {error.strerror or error}"
    return _error(Refused, root, "unwritable", message, "nothing was changed")


def _error(kind: type[EtlgenError], path: Path, code: str, message: str, hint: str) -> EtlgenError:
    return kind(Finding(str(path), None, None, code, message, hint))
