"""A ChangeSet into an existing project: all of it or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from etlgen.errors import Finding, Refused
from etlgen.workspace.changes import Change, ChangeSet
from etlgen.workspace.disk import real_path
from etlgen.workspace.state import without
from etlgen.workspace.writing.journal import Write, Written, write_all


def apply(changes: ChangeSet, root: Path) -> Written:
    """Write what differs. The caller holds the project's lock and has recovered it."""
    return write_all(root, [*_files(changes, root), *_state(changes, root)], without)


def require_reachable(changes: ChangeSet, root: Path) -> None:
    """Refuse to write through a link that leaves the project, or to remove through any."""
    for change in changes.changes:
        if change.writes:
            real_path(root, change.path)
            _require_no_link(change, root)


def _files(changes: ChangeSet, root: Path) -> Iterator[Write]:
    for change in changes.changes:
        if not change.writes:
            continue
        after, before = _bytes(change.after), _bytes(change.before)
        path = real_path(root, change.path)
        if change.origin:
            yield Write(path, None, after, origin=change.origin)
            yield Write(change.origin, before, None, moved_to=path)
        else:
            yield Write(path, before, after)


def _state(changes: ChangeSet, root: Path) -> Iterator[Write]:
    for path, text in changes.state.items():
        try:
            before = (root / path).read_bytes()
        except FileNotFoundError:
            before = None
        yield Write(path, before, _bytes(text), is_state=True)


def _require_no_link(change: Change, root: Path) -> None:
    removed = change.origin or (change.path if change.after is None else None)
    if removed and real_path(root, removed) != removed:
        message = "is behind a symbolic link, which is not removed"
        raise Refused(
            Finding(
                removed, None, None, "symlink", message, "replace the link by what it points to"
            )
        )


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode("utf-8", "surrogateescape")
