"""A ChangeSet into an existing project: all of it or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from etlgen.errors import Finding, Refused
from etlgen.workspace.changes import Change, ChangeSet
from etlgen.workspace.disk import real_path
from etlgen.workspace.state import without
from etlgen.workspace.writing.journal import Write, Written, require_writable, write_all
from etlgen.workspace.writing.transaction import NotAFile, content_at, reason, refusal


def apply(changes: ChangeSet, root: Path) -> Written:
    """Write what differs. The caller holds the project's lock and has recovered it."""
    return write_all(root, [*_files(changes, root), *_state(changes, root)], without)


def require_applicable(changes: ChangeSet, root: Path) -> None:
    """Refuse what `apply` would refuse, for a run that is going to write and for a dry one."""
    require_writable(root, [*_files(changes, root), *_state(changes, root)])


def require_reachable(changes: ChangeSet, root: Path) -> None:
    """Refuse to write through a link that leaves the project, or to remove through any."""
    places: dict[str, str] = {}
    for change in changes.changes:
        if change.writes:
            place = real_path(root, change.path)
            _require_no_link(change, root)
            _require_single(change.path, places.setdefault(place, change.path))


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
            before = content_at(root / path)
        except NotAFile as error:
            raise refusal(path, "unwritable", str(error)) from error
        except OSError as error:
            raise refusal(path, "unwritable", f"cannot be read: {reason(error)}") from error
        yield Write(path, before, _bytes(text), is_state=True)


def _require_single(path: str, other: str) -> None:
    if path != other:
        message = f"is the same file as {other}, by a symbolic link, and both are written"
        raise refusal(path, "symlink", message, "replace the link by what it points to")


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
