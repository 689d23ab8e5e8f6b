"""What must hold before the first path of a project is touched. All of it raises `Refused`."""

import errno
import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from etlgen.errors import Finding, Refused
from etlgen.workspace.state import FOLDER
from etlgen.workspace.writing.transaction import NotAFile, content_at, mode_of, reason


def require_real_paths(root: Path, paths: Iterable[str]) -> None:
    """No part of a path is a symbolic link: it could lead out of the project."""
    links = [(path, link) for path in paths if (link := link_in(root, path))]
    hint = "put a real one there and run it again"
    _refuse(
        Finding(path, None, None, "symlink", _is_link(path, link), hint) for path, link in links
    )


def link_in(root: Path, path: str) -> str | None:
    """The first part of a path that is a symbolic link."""
    parents = [str(parent) for parent in PurePosixPath(path).parents][-2::-1]
    return next((part for part in (*parents, path) if (root / part).is_symlink()), None)


def require_unchanged(root: Path, contents: Iterable[tuple[str, bytes | None]]) -> None:
    """Each path still holds this content; None for nothing."""
    findings = (_change(root, path, before) for path, before in contents)
    _refuse(finding for finding in findings if finding)


def require_possible(root: Path, paths: Iterable[str]) -> None:
    """Each path can be made, replaced or removed, and a transaction begun."""
    hint = "nothing was changed"
    found = [(path, why) for path in paths if (why := _obstacle(root, path))]
    if not os.access(root / FOLDER, os.W_OK | os.X_OK):
        found.append((FOLDER, f"cannot be written: {os.strerror(errno.EACCES)}"))
    _refuse(Finding(path, None, None, "unwritable", why, hint) for path, why in found)


def _refuse(findings: Iterable[Finding]) -> None:
    found = tuple(findings)
    if found:
        raise Refused(found)


def _is_link(path: str, link: str) -> str:
    return "is a symbolic link" if link == path else f"its folder {link} is a symbolic link"


def _change(root: Path, path: str, before: bytes | None) -> Finding | None:
    hint = "nothing was changed"
    try:
        if content_at(root / path) == before:
            return None
    except NotAFile as error:
        return Finding(path, None, None, "unwritable", str(error), hint)
    except OSError as error:
        message = f"cannot be read: {reason(error)}"
        return Finding(path, None, None, "unwritable", message, hint)
    message = "was changed while etlgen was at work; nothing was written"
    return Finding(path, None, None, "changed-meanwhile", message, "run it again")


def _obstacle(root: Path, path: str) -> str | None:
    target = root / path
    try:
        folder = next(folder for folder in target.parents if mode_of(folder) is not None)
        is_there = mode_of(target) is not None
        device = os.lstat(target if is_there else folder).st_dev
        if is_there and not os.access(target, os.W_OK):
            return "is write-protected"
        if not os.access(folder, os.W_OK | os.X_OK):
            return f"its folder {folder} is write-protected"
        if device != os.lstat(root / FOLDER).st_dev:
            return f"is on another file system than {FOLDER}: it cannot be replaced in one step"
    except OSError as error:
        return f"cannot be written: {reason(error)}"
    return None
