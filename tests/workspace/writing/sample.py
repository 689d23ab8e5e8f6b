"""A small project, changes to it, and how it then looks."""

import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from etlgen.errors import Refused
from etlgen.workspace.writing import journal
from etlgen.workspace.writing.journal import Write, write_all

OLD = {
    "run.sh": b"echo old\n",
    "src/shop/kept.py": b"kept = 1\n",
    "src/shop/orders.py": b"old = 1\n",
    "src/gone/deep/crm.py": b"gone = 1\n",
    "notes.txt": b"the team's\n",
    ".etlgen/units/shop.json": b"old state\n",
    ".etlgen/base/shop/orders.py.base": b"old = 1\n",
    ".etlgen/base/crm/crm.py.base": b"gone = 1\n",
}
CHANGES: dict[str, bytes | None] = {
    "run.sh": b"echo new\n",
    "src/shop/orders.py": b"new = 1\n",
    "src/shop/items/items.py": b"items = 1\n",
    "src/gone/deep/crm.py": None,
    ".etlgen/units/shop.json": b"new state\n",
    ".etlgen/base/shop/orders.py.base": b"new = 1\n",
    ".etlgen/base/shop/items.py.base": b"items = 1\n",
    ".etlgen/base/crm/crm.py.base": None,
}
NEW = {
    path: content
    for path in OLD | CHANGES
    if (content := CHANGES.get(path, OLD.get(path))) is not None
}
TEAM = b"the team's own\n"
PATHS = [path for path in CHANGES if not path.startswith(".etlgen/")]
STATES = [path for path in CHANGES if path.startswith(".etlgen/")]
Calls = list[tuple[str, bytes | None, bytes | None, frozenset[str]]]


def write(path: str, before: bytes | None, after: bytes | None) -> Write:
    return Write(path, before, after, path.startswith(".etlgen/"))


# State comes first, to see that the order does not depend on the caller.
WRITES = [write(path, OLD.get(path), CHANGES[path]) for path in STATES + PATHS]


def untouched(path: str, new: bytes | None, old: bytes | None, left: frozenset[str]) -> None:
    raise AssertionError("nothing was left, so there is nothing to amend")


def amended(path: str, new: bytes | None, old: bytes | None, left: frozenset[str]) -> bytes | None:
    """Of a path that was left alone the state stays, all other state says which these are."""
    if new is None or any(Path(one).name in path for one in left):
        return old
    return new.partition(b"left: ")[0] + b"left: " + " ".join(sorted(left)).encode()


def recording(calls: Calls) -> journal.Amend:
    def amend(
        path: str, new: bytes | None, old: bytes | None, left: frozenset[str]
    ) -> bytes | None:
        calls.append((path, new, old, left))
        return amended(path, new, old, left)

    return amend


def project(root: Path) -> Path:
    for path, content in OLD.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    (root / "run.sh").chmod(0o750)
    (root / "src/shop/orders.py").chmod(0o600)
    return root


def content(root: Path) -> dict[str, bytes]:
    """All files of the project, without transactions."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and not any(part.startswith("tx-") for part in path.parts)
    }


def tree(folder: Path) -> dict[str, object]:
    """Everything below a folder: type and mode, and content or target."""
    found: dict[str, object] = {}
    for path in folder.rglob("*"):
        mode = path.lstat().st_mode
        value: object = None
        if stat.S_ISLNK(mode):
            value = path.readlink()
        elif stat.S_ISREG(mode):
            value = path.read_bytes()
        found[path.relative_to(folder).as_posix()] = (mode, value)
    return found


def tree_of(root: Path, writes: Sequence[Write] = ()) -> dict[str, object]:
    """How the project looks, after these writes."""
    write_all(project(root), writes, untouched)
    return tree(root)


def refusal(attempt: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as caught:
        attempt()
    return caught.value


def refused(root: Path, writes: Sequence[Write]) -> Refused:
    """Settling is refused and leaves all as it was."""
    before = tree(root)
    error = refusal(lambda: write_all(root, writes, untouched))
    assert tree(root) == before
    return error


def codes(error: Refused) -> list[tuple[str | None, str]]:
    return [(finding.file, finding.code) for finding in error.findings]


def changed_at(
    monkeypatch: pytest.MonkeyPatch, root: Path, path: str, content: bytes | None
) -> None:
    """A path gets another content just before the first one is written."""
    real = journal._apply
    is_done: list[bool] = []

    def racing(*arguments: Any, **options: Any) -> frozenset[str]:
        if not is_done:
            is_done.append(True)
            edit(root, path, content)
        return real(*arguments, **options)

    monkeypatch.setattr(journal, "_apply", racing)


def edit(root: Path, path: str, content: bytes | None) -> None:
    if content is None:
        (root / path).unlink()
        return
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(content)


def after_edit(path: str, edited: bytes | None) -> dict[str, bytes]:
    """The project if a path was left alone that had this content."""
    expected: dict[str, bytes | None] = {**NEW, path: edited}
    for one in STATES:
        expected[one] = amended(one, CHANGES[one], OLD.get(one), frozenset({path}))
    return {one: text for one, text in expected.items() if text is not None}
