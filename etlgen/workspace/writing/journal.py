"""Changes to a project: all of them or none, and never over what someone wrote meanwhile.

New contents are staged in a transaction; its journal is the point of no return. From there on it
only rolls forward, by this process or, after a crash, by the next one. Each path is compared with
the journal again: what is neither old nor new is an edit of the team's and is left alone.
"""

import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pydantic import ValidationError

from etlgen.workspace.state import FOLDER
from etlgen.workspace.writing.preflight import (
    link_in,
    require_possible,
    require_real_paths,
    require_unchanged,
)
from etlgen.workspace.writing.steps import (
    Journal,
    Step,
    commit,
    first_problem,
    read_done,
    read_journal,
    require_staged,
)
from etlgen.workspace.writing.transaction import (
    NotAFile,
    begin,
    content_at,
    digest,
    digest_at,
    discard,
    is_committed,
    mark_done,
    mode_of,
    reason,
    refusal,
    stage,
    sync_folder,
    transactions,
)

Amend = Callable[[str, bytes | None, bytes | None, frozenset[str]], bytes | None]
"""What to write to a state file where some paths were left alone, from its path, its new content,
its content on disk and these paths. Also called again with its own answer and more paths."""


@dataclass(frozen=True, slots=True)
class Write:
    """The new content of one path, as bytes on disk; None for no file.

    `path` is relative, with slashes, and no part of it a symbolic link. `before` is what was there
    when the decision was made. State, below `.etlgen/`, is written after all else. Of a file that
    moves, one write has the `origin`, whose mode it keeps, and the removal there has `moved_to`.
    """

    path: str
    before: bytes | None
    after: bytes | None
    is_state: bool = False
    origin: str | None = None
    moved_to: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """How many paths were written or removed, and which were left as someone changed them."""

    written: int
    left: tuple[str, ...]


def write_all(root: Path, writes: Sequence[Write], amend: Amend) -> Written:
    """Bring all writes to disk, or raise `Refused` with nothing changed.

    For the holder of the lock, after `recover`. Once it is committed, what stops it half-way is
    `Refused` too, with the code `unfinished`.
    """
    changes = require_writable(root, writes)
    if not changes:
        return Written(0, ())
    return _finish(root, _staged(root, changes), amend)


def require_writable(root: Path, writes: Sequence[Write]) -> list[Write]:
    """Those that change something. Raises `Refused` for what `write_all` refuses, and writes
    nothing."""
    require_real_paths(root, (write.path for write in writes))
    require_unchanged(root, ((write.path, write.before) for write in writes))
    changes = [write for write in writes if write.before != write.after]
    if changes:
        _journal_of(changes)
        require_possible(root, (write.path for write in changes))
    return changes


def recover(root: Path, amend: Amend) -> Written | None:
    """Finish what a stopped process began. None where there was nothing to finish.

    For the holder of the lock.
    """
    found = transactions(root)
    settled = [_finish(root, tx, amend) for tx in found if is_committed(tx)]
    for litter in found:
        with suppress(OSError):
            discard(litter)
    if not settled:
        return None
    left = {path for one in settled for path in one.left}
    return Written(sum(one.written for one in settled), tuple(sorted(left)))


def _staged(root: Path, changes: Sequence[Write]) -> Path:
    """A committed transaction; without one, nothing is left of the attempt."""
    journal = _journal_of(changes)
    tx = begin(root)
    try:
        os.mkdir(tx, 0o700)
        for step, write in zip(journal.steps, changes, strict=True):
            if step.staged is not None and write.after is not None:
                stage(tx / step.staged, write.after, mode_of(root / (write.origin or write.path)))
        commit(tx, journal)
    except BaseException as error:
        with suppress(OSError):
            discard(tx)
        if isinstance(error, OSError):
            raise refusal(FOLDER, "unwritable", f"cannot be written: {reason(error)}") from error
        raise
    return tx


def _journal_of(changes: Sequence[Write]) -> Journal:
    try:
        return Journal(
            steps=tuple(
                Step(
                    path=write.path,
                    before=digest(write.before),
                    after=digest(write.after),
                    staged=None if write.after is None else str(number),
                    is_state=write.is_state,
                    origin=write.origin,
                    moved_to=write.moved_to,
                )
                for number, write in enumerate(changes)
            )
        )
    except ValidationError as error:
        raise refusal(None, "unsafe-path", first_problem(error)) from error


def _finish(root: Path, tx: Path, amend: Amend) -> Written:
    """Roll forward, also after an interruption: half-way is no place to stop."""
    try:
        return _roll_forward(root, tx, amend)
    except KeyboardInterrupt:
        if is_committed(tx):
            _roll_forward(root, tx, amend)
        discard(tx)  # removing it may be what was interrupted
        raise


def _roll_forward(root: Path, tx: Path, amend: Amend) -> Written:
    try:
        journal = read_journal(tx)
        done = read_done(tx, journal)
        _require_safe(root, tx, journal, done)
        left = _apply(root, tx, journal, done, is_state=False)
        if not left.issubset(journal.left):
            journal = _amended(root, tx, journal, left, amend)
        left |= _apply(root, tx, journal, done, is_state=True)
        _tidy(root, journal)
        discard(tx)
    except OSError as error:
        hint = "mend that and run any etlgen command that writes; it finishes what was begun"
        place = f"{FOLDER}/{tx.name}"
        raise refusal(place, "unfinished", f"stopped half-way: {reason(error)}", hint) from error
    return Written(len(journal.steps) - len(left), tuple(sorted(left)))


def _require_safe(root: Path, tx: Path, journal: Journal, done: frozenset[int]) -> None:
    """Refuse what could write outside the project, or something else than was staged."""
    pending = [step for _, step in _pending(journal, done)]
    require_real_paths(root, (step.path for step in pending))
    for step in pending:
        require_staged(tx, step)


def _pending(journal: Journal, done: frozenset[int]) -> Iterator[tuple[int, Step]]:
    for number, step in enumerate(journal.steps):
        if number not in done and step.path not in journal.left:
            yield number, step


def _apply(
    root: Path, tx: Path, journal: Journal, done: frozenset[int], *, is_state: bool
) -> frozenset[str]:
    """Make the steps of state, or all others, new. Returns the paths that were left alone."""
    left = set() if is_state else set(journal.left)
    removals_last = sorted(_pending(journal, done), key=lambda one: one[1].moved_to is not None)
    for number, step in removals_last:
        if step.is_state != is_state:
            continue
        is_held = step.moved_to in left or _was_edited(root, journal, step.origin)
        if not is_held and _place(root / step.path, tx, step):
            mark_done(tx, number)
        else:
            left.add(step.path)
    return frozenset(left)


def _was_edited(root: Path, journal: Journal, origin: str | None) -> bool:
    """Whether a file that is to move from there is neither as it was nor gone."""
    before = {step.path: step.before for step in journal.steps}
    return origin is not None and digest_at(root / origin) not in (before.get(origin), None)


def _place(target: Path, tx: Path, step: Step) -> bool:
    """Make one path new, if it is not yet. False if it is neither old nor new."""
    found = digest_at(target)
    if found == step.after:
        return True
    if found != step.before:
        return False
    if step.staged is None:
        os.unlink(target)
        return True
    if mode_of(tx / step.staged) is None:
        return False  # it was put in place before a crash, and someone went back to the old one
    os.makedirs(target.parent, exist_ok=True)
    os.replace(tx / step.staged, target)
    return True


def _amended(root: Path, tx: Path, journal: Journal, left: frozenset[str], amend: Amend) -> Journal:
    """The journal, already on disk, whose state knows which paths were left alone."""
    steps = tuple(
        _amended_step(root / step.path, tx, number, step, left, amend)
        for number, step in enumerate(journal.steps)
    )
    amended = journal.model_copy(update={"steps": steps, "left": tuple(sorted(left))})
    commit(tx, amended)
    return amended


def _amended_step(
    target: Path, tx: Path, number: int, step: Step, left: frozenset[str], amend: Amend
) -> Step:
    if not step.is_state:
        return step
    try:
        old = content_at(target)
    except NotAFile:
        return step
    # Where the power failed, the staged content may be in place already.
    is_new = digest(old) == step.after
    new = old if is_new else content_at(tx / step.staged) if step.staged else None
    if digest(old) not in (step.before, step.after) or digest(new) != step.after:
        return step  # edited, or taken back to the old content: it will be left alone
    content = amend(step.path, new, old, left)
    staged = None
    if content is not None:
        # Another name: until the journal is replaced, it still means the earlier content.
        staged = f"{number}-{secrets.token_hex(4)}"
        stage(tx / staged, content, mode_of(target))
    update = {"before": digest(old), "after": digest(content), "staged": staged}
    return step.model_copy(update=update)


def _tidy(root: Path, journal: Journal) -> None:
    """Remove folders that became empty, and make what was done last before the journal goes."""
    for step in journal.steps:
        if step.after is None and not link_in(root, step.path):
            _remove_empty_parents(root, step.path)
    paths = (PurePosixPath(step.path) for step in journal.steps)
    for folder in sorted({root / parent for path in paths for parent in path.parents}):
        sync_folder(folder)


def _remove_empty_parents(root: Path, path: str) -> None:
    for parent in PurePosixPath(path).parents:
        if str(parent) in (".", FOLDER):
            return
        try:
            os.rmdir(root / parent)
        except FileNotFoundError:
            continue  # removed before a crash
        except OSError:
            return
