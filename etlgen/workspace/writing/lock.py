"""One etlgen at a time in a project.

The lock is the kernel's, on `.etlgen/lock`, so that it ends with its process, however that ends.
The file stays: to remove it would let two processes hold locks on two files of one name.
"""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from etlgen.errors import Finding, Refused
from etlgen.workspace.state import FOLDER

LOCK = f"{FOLDER}/lock"
# Windows keeps others from reading what is locked: a byte far behind the process id.
_LOCKED_BYTE = 1 << 30


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """Hold the lock of a project. Raises `Refused` where another process does."""
    try:
        descriptor = _open(root)
    except OSError as error:
        raise _unwritable(error) from error
    try:
        _take(descriptor)
        yield
    finally:
        os.close(descriptor)


def require_lockable(root: Path) -> None:
    """Refuse where there can be no lock. Takes none, and does not look whether another does."""
    _require_no_link(root)
    place = root / LOCK if (root / LOCK).exists() else root / FOLDER
    if not os.access(place, os.W_OK):
        raise _unwritable(PermissionError(errno.EACCES, os.strerror(errno.EACCES)))


def _require_no_link(root: Path) -> None:
    for name in (FOLDER, LOCK):
        if (root / name).is_symlink():
            hint = "put a real one there; nothing was changed"
            raise Refused(Finding(name, None, None, "symlink", "is a symbolic link", hint))


def _open(root: Path) -> int:
    _require_no_link(root)
    (root / FOLDER).mkdir(exist_ok=True)
    # The flag is for a link that was made since; where Windows has none, it is the check above.
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    return os.open(root / LOCK, flags, 0o666)


def _take(descriptor: int) -> None:
    try:
        _lock(descriptor)
    except (BlockingIOError, PermissionError) as error:
        raise _held(_holder(descriptor)) from error
    except OSError as error:
        raise _unwritable(error) from error
    with suppress(OSError):  # who holds it is only for the message
        os.ftruncate(descriptor, 0)
        os.write(descriptor, b"%d\n" % os.getpid())


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _holder(descriptor: int) -> str | None:
    with suppress(OSError):
        os.lseek(descriptor, 0, os.SEEK_SET)
        text = os.read(descriptor, 20).strip()
        if text.isdigit():
            return text.decode()
    return None


def _held(holder: str | None) -> Refused:
    who = f" (process {holder})" if holder else ""
    message = f"another etlgen is at work in this project{who}"
    return Refused(Finding(None, None, None, "locked", message, "wait until it has finished"))


def _unwritable(error: OSError) -> Refused:
    message = f"cannot be written: {error.strerror or error}"
    return Refused(Finding(LOCK, None, None, "unwritable", message, "nothing was changed"))
