"""Changes to a project: all or nothing at every step that can fail, and no edit is written over."""

import json
import os
import random
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from etlgen.errors import Refused
from etlgen.workspace.writing import journal, transaction
from etlgen.workspace.writing.journal import Write, Written, recover, write_all
from etlgen.workspace.writing.steps import Step
from etlgen.workspace.writing.transaction import unfinished
from tests.workspace.crashing import (
    Fault,
    counting,
    disk_full,
    in_child,
    interrupt,
    interrupted_at_line,
    kill,
    leave,
)

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


# What settling does


def test_files_are_made_replaced_and_removed(tmp_path: Path) -> None:
    assert write_all(project(tmp_path), WRITES, untouched) == Written(len(CHANGES), ())
    assert content(tmp_path) == NEW
    assert not list((tmp_path / ".etlgen").glob("tx-*"))
    assert recover(tmp_path, untouched) is None


def test_a_replaced_file_keeps_its_mode_and_a_new_one_follows_the_umask(tmp_path: Path) -> None:
    project(tmp_path)
    before = os.umask(0o027)
    try:
        write_all(tmp_path, WRITES, untouched)
    finally:
        os.umask(before)
    modes = {path: stat.S_IMODE((tmp_path / path).stat().st_mode) for path in PATHS[:3]}
    assert modes == {
        "run.sh": 0o750,
        "src/shop/orders.py": 0o600,
        "src/shop/items/items.py": 0o640,
    }


def test_folders_that_become_empty_go_and_others_stay(tmp_path: Path) -> None:
    project(tmp_path)
    (tmp_path / "src/empty").mkdir()
    write_all(tmp_path, WRITES, untouched)
    folders = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*/")}
    assert folders >= {"src/empty", "src/shop", ".etlgen/base/shop"}
    assert not folders & {"src/gone", "src/gone/deep", ".etlgen/base/crm"}


def test_neither_the_project_nor_the_folder_of_the_state_is_removed_as_empty(
    tmp_path: Path,
) -> None:
    root = tmp_path / "project"
    (root / ".etlgen").mkdir(parents=True)
    (root / "a.py").write_bytes(b"")
    (root / ".etlgen/a").write_bytes(b"")
    write_all(root, [write("a.py", b"", None), write(".etlgen/a", b"", None)], untouched)
    assert list(tree(tmp_path)) == ["project", "project/.etlgen"]


def test_what_does_not_change_is_not_touched(tmp_path: Path) -> None:
    project(tmp_path)
    same = [write(path, before, before) for path, before in OLD.items()]
    files = {path: (tmp_path / path).stat() for path in OLD}
    assert write_all(tmp_path, [*same, write("no.py", None, None)], untouched) == Written(0, ())
    assert write_all(tmp_path, [*same, write("b.py", None, b"")], untouched) == Written(1, ())
    assert {path: (tmp_path / path).stat() for path in OLD} == files


def test_an_empty_file_is_not_the_same_as_none(tmp_path: Path) -> None:
    project(tmp_path)
    write_all(tmp_path, [write("a.py", None, b"")], untouched)
    assert (tmp_path / "a.py").read_bytes() == b""
    assert codes(refused(tmp_path, [write("a.py", None, b"x")])) == [("a.py", "changed-meanwhile")]
    write_all(tmp_path, [write("a.py", b"", None)], untouched)
    assert content(tmp_path) == OLD


def test_state_is_written_after_all_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project(tmp_path)
    order: list[str] = []
    real = journal._place

    def watched(target: Path, tx: Path, step: Step) -> bool:
        order.append(step.path)
        return real(target, tx, step)

    monkeypatch.setattr(journal, "_place", watched)
    write_all(tmp_path, WRITES, untouched)
    assert order == PATHS + STATES


def test_the_journal_goes_before_all_else_in_a_transaction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a crash could leave a journal without the notes of what is done."""
    seen: list[set[str]] = []
    monkeypatch.setattr(
        transaction.shutil, "rmtree", lambda tx, **_: seen.append({*os.listdir(tx)})
    )
    write_all(project(tmp_path), WRITES, untouched)
    assert seen == [{"done"}]


# What settling refuses


def test_a_path_that_changed_meanwhile_is_refused_and_so_is_all_else(tmp_path: Path) -> None:
    project(tmp_path)
    (tmp_path / "run.sh").write_bytes(TEAM)
    (tmp_path / "src/shop/items").mkdir()
    (tmp_path / "src/shop/items/items.py").write_bytes(b"items = 1\n")
    (tmp_path / "src/gone/deep/crm.py").unlink()
    error = refused(tmp_path, WRITES)
    changed = {"run.sh", "src/shop/items/items.py", "src/gone/deep/crm.py"}
    assert {*codes(error)} == {(path, "changed-meanwhile") for path in changed}
    assert "was changed while etlgen was at work; nothing was written; run it again" in str(error)


def test_a_path_that_was_to_stay_and_changed_meanwhile_is_refused(tmp_path: Path) -> None:
    project(tmp_path)
    kept = write("src/shop/kept.py", b"as it was read", b"as it was read")
    error = refused(tmp_path, [*WRITES, kept])
    assert codes(error) == [("src/shop/kept.py", "changed-meanwhile")]


def test_a_folder_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    project(tmp_path)
    assert codes(refused(tmp_path, [write("src", None, b"x")])) == [("src", "unwritable")]


def test_a_file_in_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    project(tmp_path)
    error = refused(tmp_path, [write("run.sh/a.py", None, b"x")])
    assert codes(error) == [("run.sh/a.py", "unwritable")]
    assert "is below what is not a folder" in str(error)


@pytest.mark.parametrize("link", ["src", "src/shop", "src/shop/orders.py"])
@pytest.mark.parametrize("is_outside", [True, False])
def test_a_symbolic_link_is_refused(tmp_path: Path, link: str, is_outside: bool) -> None:
    root = project(tmp_path / "project")
    place = tmp_path / "elsewhere" if is_outside else root / "elsewhere"
    (root / link).rename(place)
    (root / link).symlink_to(place)
    before = tree(tmp_path)
    error = refused(root, WRITES)
    assert ("src/shop/orders.py", "symlink") in codes(error)
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    "paths",
    [
        ["../x"],
        ["/x"],
        ["a//b"],
        ["./a"],
        ["src/../../x"],
        [".git/hooks/x"],
        ["a", "a/b"],
        ["a"] * 2,
    ],
)
def test_paths_that_make_no_sense_are_refused(tmp_path: Path, paths: list[str]) -> None:
    root = project(tmp_path / "project")
    before = tree(tmp_path)
    error = refused(root, [write(path, None, b"x") for path in paths])
    assert codes(error) == [(None, "unsafe-path")]
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    ("place", "path", "message"),
    [
        ("run.sh", "run.sh", "is write-protected"),
        ("src/gone/deep/crm.py", "src/gone/deep/crm.py", "is write-protected"),
        ("src/shop", "src/shop/orders.py", "its folder src/shop is write-protected"),
        ("src/shop", "src/shop/items/items.py", "its folder src/shop is write-protected"),
        ("src/gone/deep", "src/gone/deep/crm.py", "its folder src/gone/deep is write-protected"),
        (".etlgen", ".etlgen", "cannot be written: Permission denied"),
    ],
)
def test_what_is_write_protected_is_refused(
    tmp_path: Path, place: str, path: str, message: str
) -> None:
    project(tmp_path)

    def attempt() -> None:
        os.chdir(tmp_path)
        if os.geteuid() == 0:  # who may write anywhere
            for file in (tmp_path, *tmp_path.rglob("*")):
                os.chown(file, 65534, 65534)
            os.setuid(65534)
        protected = Path(place)
        protected.chmod(protected.stat().st_mode & ~0o222)
        error = refused(Path(), WRITES)
        assert (path, "unwritable") in codes(error)
        assert f"{message}; nothing was changed" in str(error)

    assert in_child(attempt) == 0


@pytest.mark.parametrize("path", ["data/a.py", "data/new/a.py"])
def test_another_file_system_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    project(tmp_path)
    (tmp_path / "data").mkdir()
    real = os.lstat

    def lstat(file: Path) -> os.stat_result:
        found = real(file)
        if file == tmp_path / "data":
            return os.stat_result((*found[:2], found.st_dev + 1, *found[3:]))
        return found

    monkeypatch.setattr(os, "lstat", lstat)
    error = refused(tmp_path, [write(path, None, b"x")])
    assert "is on another file system than .etlgen" in str(error)


# What someone changes while it settles


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


@pytest.mark.parametrize("path", PATHS)
def test_an_edit_after_the_last_look_is_left_and_the_state_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    changed_at(monkeypatch, project(tmp_path), path, TEAM)
    calls: Calls = []
    settled = write_all(tmp_path, WRITES, recording(calls))
    assert settled == Written(len(CHANGES) - 1, (path,))
    assert calls == [(one, CHANGES[one], OLD.get(one), frozenset({path})) for one in STATES]
    assert content(tmp_path) == after_edit(path, TEAM)
    assert not list((tmp_path / ".etlgen").glob("tx-*"))


def after_edit(path: str, edited: bytes | None) -> dict[str, bytes]:
    """The project if a path was left alone that had this content."""
    expected: dict[str, bytes | None] = {**NEW, path: edited}
    for one in STATES:
        expected[one] = amended(one, CHANGES[one], OLD.get(one), frozenset({path}))
    return {one: text for one, text in expected.items() if text is not None}


def test_a_file_that_someone_removed_meanwhile_stays_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed_at(monkeypatch, project(tmp_path), "run.sh", None)
    assert write_all(tmp_path, WRITES, amended).left == ("run.sh",)
    assert content(tmp_path) == after_edit("run.sh", None)


def test_what_someone_wrote_just_as_etlgen_would_is_not_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed_at(monkeypatch, project(tmp_path), "run.sh", NEW["run.sh"])
    assert write_all(tmp_path, WRITES, untouched).left == ()
    assert content(tmp_path) == NEW


@pytest.mark.parametrize("path", STATES)
def test_state_that_was_edited_meanwhile_is_left_and_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    changed_at(monkeypatch, project(tmp_path), path, TEAM)
    assert write_all(tmp_path, WRITES, untouched) == Written(len(CHANGES) - 1, (path,))
    assert content(tmp_path) == NEW | {path: TEAM}


@pytest.mark.parametrize("path", STATES)
def test_edited_state_is_left_also_where_it_was_to_be_amended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    project(tmp_path)
    edit(tmp_path, path, TEAM)
    monkeypatch.setattr(journal, "require_unchanged", lambda root, contents: None)
    changed_at(monkeypatch, tmp_path, "run.sh", TEAM)
    assert write_all(tmp_path, WRITES, amended).left == tuple(sorted(["run.sh", path]))
    assert content(tmp_path) == after_edit("run.sh", TEAM) | {path: TEAM}


def test_a_folder_in_place_of_state_is_left_also_where_it_was_to_be_amended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project(tmp_path)
    state = ".etlgen/units/shop.json"
    real = journal.read_done

    def racing(*arguments: Any) -> frozenset[int]:
        edit(tmp_path, "run.sh", TEAM)
        edit(tmp_path, state, None)
        (tmp_path / state).mkdir()
        return real(*arguments)

    monkeypatch.setattr(journal, "read_done", racing)
    assert write_all(tmp_path, WRITES, amended).left == (state, "run.sh")
    expected = after_edit("run.sh", TEAM)
    del expected[state]
    assert content(tmp_path) == expected


@pytest.mark.parametrize("path", ["run.sh", ".etlgen/units/shop.json"])
def test_a_folder_that_came_in_place_of_a_file_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    project(tmp_path)
    real = journal.read_done

    def racing(*arguments: Any) -> frozenset[int]:
        (tmp_path / path).unlink()
        (tmp_path / path).mkdir()
        return real(*arguments)

    monkeypatch.setattr(journal, "read_done", racing)
    assert write_all(tmp_path, WRITES, amended).left == (path,)
    assert (tmp_path / path).is_dir()


@pytest.mark.parametrize("made", ["src/shop/items", "src/gone"])
def test_a_file_that_came_in_place_of_a_folder_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: str
) -> None:
    project(tmp_path)
    path = next(path for path in PATHS if path.startswith(made))
    real = journal.read_done

    def racing(*arguments: Any) -> frozenset[int]:
        shutil.rmtree(tmp_path / made, ignore_errors=True)
        (tmp_path / made).write_bytes(TEAM)
        return real(*arguments)

    monkeypatch.setattr(journal, "read_done", racing)
    assert write_all(tmp_path, WRITES, amended).left == (path,)
    assert (tmp_path / made).read_bytes() == TEAM


# Faults at every step, in the process itself

# Litter, what matters only if the power fails, and folders that are there already.
SILENT = {"open", "fsync", "rmdir", "unlink", "lstat", "mkdir"}


def steps(tmp_path: Path, *, reading: bool) -> int:
    return len(step_names(tmp_path / "counted", reading=reading))


def step_names(root: Path, *, reading: bool = False) -> list[str]:
    project(root)
    with counting(reading=reading) as operations:
        write_all(root, WRITES, untouched)
    return operations.names


def test_there_are_steps_to_fail_at(tmp_path: Path) -> None:
    names = step_names(tmp_path, reading=True)
    expected = "chmod create fsync lstat mkdir open read replace rmdir unlink write"
    assert sorted({*names}) == expected.split()
    assert names.count("replace") == 1 + 6
    assert names.count("write") == 6 + 1 + 8


def test_a_full_disk_at_any_step_leaves_all_old_or_can_be_finished(tmp_path: Path) -> None:
    old, new = tree_of(tmp_path / "old"), tree_of(tmp_path / "new", WRITES)
    codes_seen: set[str | None] = set()
    messages = set()
    for step in range(steps(tmp_path, reading=True)):
        root = project(tmp_path / str(step))
        with counting(disk_full, step, reading=True) as operations:
            try:
                write_all(root, WRITES, untouched)
                code = None
            except Refused as error:
                code = error.findings[0].code
                messages.add(error.findings[0].message.rpartition(": ")[2])
        where = (step, operations.struck, code)
        match code:
            case "unwritable":
                assert tree(root) == old, where
            case "unfinished":
                assert unfinished(root), where
                settled = recover(root, untouched)
                assert settled == Written(len(CHANGES), ()), where
                assert content(root) == NEW, where
                assert operations.struck == "rmdir" or tree(root) == new, where
            case _:
                assert code is None, where
                assert operations.struck in SILENT, where
                assert content(root) == NEW, where
        shutil.rmtree(root)
        codes_seen.add(code)
    assert messages == {"No space left on device"}
    assert codes_seen == {"unwritable", "unfinished", None}


@pytest.mark.parametrize("after", [False, True])
def test_an_interruption_at_any_step_leaves_all_old_or_all_new(tmp_path: Path, after: bool) -> None:
    old, new = tree_of(tmp_path / "old"), tree_of(tmp_path / "new", WRITES)
    seen = []
    for step in range(steps(tmp_path, reading=True)):
        root = project(tmp_path / str(step))
        with (
            counting(interrupt, step, after=after, reading=True) as operations,
            pytest.raises(KeyboardInterrupt),
        ):
            write_all(root, WRITES, untouched)
        found = tree(root)
        assert found in (old, new), (step, operations.struck)
        seen.append(found == new)
        shutil.rmtree(root)
    assert seen == sorted(seen)
    assert {*seen} == {False, True}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of open files
def test_an_interruption_at_any_line_leaves_nothing_mixed(tmp_path: Path) -> None:
    old, new = tree_of(tmp_path / "old"), tree_of(tmp_path / "new", WRITES)
    folder = Path(journal.__file__).parent
    counted = project(tmp_path / "counted")
    with interrupted_at_line(None, folder) as lines:
        write_all(counted, WRITES, untouched)
    seen = set()
    for number in range(len(lines)):
        root = project(tmp_path / str(number))
        with interrupted_at_line(number, folder), pytest.raises(KeyboardInterrupt):
            write_all(root, WRITES, untouched)
        is_unfinished = unfinished(root)
        recover(root, untouched)
        found = tree(root)
        assert found == new if is_unfinished else found in (old, new), lines[number]
        seen.add(found == new)
        shutil.rmtree(root)
    assert seen == {False, True}


def test_an_interruption_while_recovering_is_obeyed_when_it_has_finished(tmp_path: Path) -> None:
    new = tree_of(tmp_path / "new", WRITES)
    crashed = crashed_at(tmp_path / "crashed", committed_steps(tmp_path)[0])
    root = copied(crashed, tmp_path / "counted")
    with counting(reading=True) as operations:
        recover(root, untouched)
    for step in range(len(operations.names)):
        root = copied(crashed, tmp_path / str(step))
        with (
            counting(interrupt, step, reading=True) as struck,
            pytest.raises(KeyboardInterrupt),
        ):
            recover(root, untouched)
        if unfinished(root):  # before it had begun
            assert struck.names[-1] in ("lstat", "listdir")
            recover(root, untouched)
        assert tree(root) == new


def test_a_fault_of_the_caller_leaves_what_can_be_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed_at(monkeypatch, project(tmp_path), "run.sh", TEAM)
    with pytest.raises(AssertionError, match="nothing to amend"):
        write_all(tmp_path, WRITES, untouched)
    assert unfinished(tmp_path)
    assert recover(tmp_path, amended) == Written(len(CHANGES) - 1, ("run.sh",))
    assert content(tmp_path) == after_edit("run.sh", TEAM)


def test_half_way_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project(tmp_path)

    def full(tx: Path, number: int) -> None:
        disk_full()

    with monkeypatch.context() as patched:
        patched.setattr(journal, "mark_done", full)
        error = refusal(lambda: write_all(tmp_path, WRITES, untouched))
    (tx,) = (tmp_path / ".etlgen").glob("tx-*")
    assert codes(error) == [(f".etlgen/{tx.name}", "unfinished")]
    assert error.findings[0].message == "stopped half-way: No space left on device"
    assert error.findings[0].hint == (
        "mend that and run any etlgen command that writes; it finishes what was begun"
    )


# Crashes at every step, and crashes of the recovery


def crashed_at(root: Path, step: int, fault: Fault = leave) -> Path:
    """A project whose process died at a step."""
    project(root)

    def dying() -> None:
        with counting(fault, step):
            write_all(root, WRITES, untouched)

    assert in_child(dying) == {leave: 99, kill: -9}[fault]
    return root


def recovery_crashed_at(root: Path, step: int, fault: Fault, amend: journal.Amend) -> bool:
    """False if the recovery ended before it came to the step."""

    def dying() -> None:
        with counting(fault, step):
            recover(root, amend)

    code = in_child(dying)
    assert code in (0, {leave: 99, kill: -9}[fault])
    return code != 0


def copied(crashed: Path, root: Path) -> Path:
    shutil.rmtree(root, ignore_errors=True)
    return Path(shutil.copytree(crashed, root, symlinks=True))


def committed_steps(tmp_path: Path) -> list[int]:
    """The steps after the commit."""
    names = step_names(tmp_path / "committing")
    shutil.rmtree(tmp_path / "committing")
    return list(range(names.index("replace") + 1, len(names)))


@pytest.mark.parametrize("fault", [leave, kill])
def test_after_a_crash_at_any_step_all_is_old_or_recovers_to_all_new(
    tmp_path: Path, fault: Fault
) -> None:
    old, new = tree_of(tmp_path / "old"), tree_of(tmp_path / "new", WRITES)
    seen = []
    for step in range(steps(tmp_path, reading=False)):
        root = crashed_at(tmp_path / str(step), step, fault)
        if unfinished(root):
            assert recover(root, untouched) == Written(len(CHANGES), ()), step
            seen.append("unfinished")
        else:
            assert recover(root, untouched) is None, step
            seen.append("old" if tree(root) == old else "new")
        assert tree(root) == (old if seen[-1] == "old" else new), step
        shutil.rmtree(root)
    assert seen == sorted(seen, key=["old", "unfinished", "new"].index)
    assert {*seen} == {"old", "unfinished", "new"}


def recoveries(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    for step in committed_steps(tmp_path):
        crashed = crashed_at(tmp_path / "crashed", step)
        yield step, crashed
        shutil.rmtree(crashed)


@pytest.mark.slow
def test_a_recovery_that_crashes_at_any_step_is_itself_recovered(tmp_path: Path) -> None:
    new = tree_of(tmp_path / "new", WRITES)
    root = tmp_path / "project"
    for step, crashed in recoveries(tmp_path):
        for again in range(1000):
            copied(crashed, root)
            if not recovery_crashed_at(root, again, (leave, kill)[again % 2], untouched):
                break
            recover(root, untouched)
            assert tree(root) == new, (step, again)
        else:
            pytest.fail("the recovery has no end")


def test_a_recovery_that_crashes_is_itself_recovered(tmp_path: Path) -> None:
    """A sample of the slow one, with three crashes in a row."""
    new = tree_of(tmp_path / "new", WRITES)
    chance = random.Random(20)
    for _ in range(20):
        root = tmp_path / "project"
        places = [chance.choice(committed_steps(tmp_path)), chance.randrange(30)]
        crashed_at(root, places[0])
        recovery_crashed_at(root, places[1], kill, untouched)
        recovery_crashed_at(root, places[1] // 2, leave, untouched)
        recover(root, untouched)
        assert tree(root) == new, places
        shutil.rmtree(root)


# Edits between a crash and the recovery


def was_done(root: Path, path: str) -> bool:
    """Whether the crashed process noted a path as finished."""
    (tx,) = (root / ".etlgen").glob("tx-*")
    found = json.loads((tx / "journal.json").read_bytes())["steps"]
    number = [step["path"] for step in found].index(path)
    done = tx / "done"
    return done.exists() and str(number) in done.read_text().split("\n")[:-1]


def recovers_around_an_edit(
    crashed: Path, root: Path, path: str, edited: bytes | None, again: int | None = None
) -> bool:
    """Recovery after an edit, with a crash at the step `again`; False if it did not get there."""
    copied(crashed, root)
    is_later_edit = was_done(root, path)
    edit(root, path, edited)
    if again is not None and not recovery_crashed_at(root, again, kill, amended):
        return False
    calls: Calls = []
    settled = recover(root, recording(calls))
    where = (path, edited, again)
    if is_later_edit or path in STATES:
        expected = NEW | {path: edited}
        assert content(root) == {one: text for one, text in expected.items() if text is not None}
        assert calls == [], where
    else:
        assert content(root) == after_edit(path, edited), where
    if again is None:
        assert settled is not None
        assert settled.left == (() if is_later_edit else (path,)), where
        if not is_later_edit and path in PATHS:
            assert [call[0] for call in calls] == STATES, where
            assert {call[3] for call in calls} == {frozenset({path})}, where
    return True


def edits() -> list[tuple[str, bytes | None]]:
    """Each path written by the team; removed too, where that is not what etlgen does or did."""
    removed = [(path, None) for path in CHANGES if path in OLD and path in NEW]
    return [*((path, TEAM) for path in CHANGES), *removed]


@pytest.mark.slow
def test_an_edit_after_a_crash_at_any_step_survives(tmp_path: Path) -> None:
    for _, crashed in recoveries(tmp_path):
        if unfinished(crashed):
            for path, edited in edits():
                recovers_around_an_edit(crashed, tmp_path / "project", path, edited)


@pytest.mark.parametrize(("path", "edited"), edits())
def test_an_edit_after_a_crash_survives(tmp_path: Path, path: str, edited: bytes | None) -> None:
    """A sample of the slow one: nothing, some and all of the paths are new."""
    committed = committed_steps(tmp_path)
    for step in (committed[0], committed[len(committed) // 3], committed[len(committed) // 2]):
        crashed = crashed_at(tmp_path / str(step), step)
        assert unfinished(crashed)
        recovers_around_an_edit(crashed, tmp_path / "project", path, edited)


@pytest.mark.slow
def test_an_edit_survives_a_crash_at_any_step_of_the_recovery(tmp_path: Path) -> None:
    """Among these are crashes before, while and after the state is amended."""
    for step in committed_steps(tmp_path)[::4]:
        crashed = crashed_at(tmp_path / "crashed", step)
        for path in PATHS if unfinished(crashed) else []:
            again = 0
            while recovers_around_an_edit(crashed, tmp_path / "project", path, TEAM, again):
                again += 1
        shutil.rmtree(crashed)


def test_a_path_left_alone_stays_so_if_the_recovery_crashes_and_the_edit_is_undone(
    tmp_path: Path,
) -> None:
    """The state says already that it was left."""
    crashed = crashed_at(tmp_path / "crashed", committed_steps(tmp_path)[0])
    edit(crashed, "run.sh", TEAM)
    for again in range(1000):
        root = copied(crashed, tmp_path / "project")
        if not recovery_crashed_at(root, again, kill, amended):
            break
        if not unfinished(root):
            continue
        (tx,) = (root / ".etlgen").glob("tx-*")
        is_known = json.loads((tx / "journal.json").read_bytes())["left"] == ["run.sh"]
        edit(root, "run.sh", OLD["run.sh"])
        settled = recover(root, untouched)
        assert settled is not None
        assert settled.left == (("run.sh",) if is_known else ())
        assert content(root) == (after_edit("run.sh", OLD["run.sh"]) if is_known else NEW)


def test_what_someone_took_back_to_the_old_content_after_it_was_put_there_is_left(
    tmp_path: Path,
) -> None:
    seen = 0
    for step in committed_steps(tmp_path):
        root = crashed_at(tmp_path / str(step), step)
        if unfinished(root) and content(root).get("run.sh") == NEW["run.sh"]:
            is_later_edit = was_done(root, "run.sh")
            edit(root, "run.sh", OLD["run.sh"])
            settled = recover(root, untouched if is_later_edit else amended)
            assert settled is not None
            assert settled.left == (() if is_later_edit else ("run.sh",))
            assert (root / "run.sh").read_bytes() == OLD["run.sh"]
            seen += not is_later_edit
    assert seen


def all_new_but_not_noted(tmp_path: Path) -> Path:
    """As after a power failure: the note of what is done, which is not synced, did not last."""
    for step in reversed(committed_steps(tmp_path)):
        root = crashed_at(tmp_path / str(step), step)
        if unfinished(root):
            break
    assert content(root) == NEW
    (tx,) = (root / ".etlgen").glob("tx-*")
    (tx / "done").unlink()
    return root


def test_state_that_someone_took_back_after_a_power_failure_is_left_and_not_amended(
    tmp_path: Path,
) -> None:
    root = all_new_but_not_noted(tmp_path)
    state = ".etlgen/units/shop.json"
    edit(root, "run.sh", TEAM)
    edit(root, state, OLD[state])
    calls: Calls = []
    assert recover(root, recording(calls)) == Written(len(CHANGES) - 2, (state, "run.sh"))
    assert (root / state).read_bytes() == OLD[state]
    assert state not in [call[0] for call in calls]


def test_if_the_notes_of_what_is_done_did_not_survive_a_power_failure_state_is_still_amended(
    tmp_path: Path,
) -> None:
    """The state in place is new already when a path turns out to have been edited."""
    root = all_new_but_not_noted(tmp_path)
    edit(root, "run.sh", TEAM)
    assert recover(root, amended) == Written(len(CHANGES) - 1, ("run.sh",))
    expected = after_edit("run.sh", TEAM)
    del expected[".etlgen/base/crm/crm.py.base"]  # what is removed already is not brought back
    assert content(root) == expected


def test_a_torn_note_of_what_is_done_is_not_taken_for_another_number(tmp_path: Path) -> None:
    names = [f"f{number:02}.py" for number in range(13)]
    writes = [write(name, None, name.encode()) for name in names]
    real = transaction.mark_done

    def dying() -> None:
        def torn(tx: Path, number: int) -> None:
            real(tx, number)
            if number == 1:
                (tx / "done").write_bytes(b"0\n1")
                os._exit(99)

        journal.mark_done = torn  # type: ignore[attr-defined]
        write_all(crashed, writes, untouched)

    crashed = tmp_path / "crashed"
    (crashed / ".etlgen").mkdir(parents=True)
    assert in_child(dying) == 99
    for again in range(12):  # so that further notes are glued to the torn one, and read
        root = copied(crashed, tmp_path / "project")
        assert recovery_crashed_at(root, again, kill, untouched)
        assert recover(root, untouched) == Written(len(names), ())
        assert content(root) == {name: name.encode() for name in names}


# Transactions that a stranger wrote

HASH = sha256(b"x").hexdigest()
GOOD = {"path": "a.py", "before": None, "after": HASH, "staged": "0", "is_state": False}


def transaction_in(
    root: Path, *steps: dict[str, object], document: object = None, name: str = "tx-1"
) -> Path:
    tx = root / ".etlgen" / name
    tx.mkdir(parents=True)
    data = {"format": 1, "steps": steps, "left": []} if document is None else document
    (tx / "journal.json").write_text(data if isinstance(data, str) else json.dumps(data))
    (tx / "0").write_bytes(b"x")
    return tx


def recovery_refused(folder: Path, root: Path) -> Refused:
    """Nothing changes, in the project or beside it."""
    before = tree(folder)
    error = refusal(lambda: recover(root, amended))
    assert tree(folder) == before
    return error


def test_a_transaction_as_etlgen_writes_it_is_finished(tmp_path: Path) -> None:
    """Otherwise the refusals below would prove nothing."""
    transaction_in(tmp_path, GOOD)
    assert recover(tmp_path, untouched) == Written(1, ())
    assert content(tmp_path) == {"a.py": b"x"}


@pytest.mark.parametrize(
    "change",
    [
        {"path": "/victim"},
        {"path": "../victim"},
        {"path": "src/../../victim"},
        {"path": "./a.py"},
        {"path": "a//b.py"},
        {"path": ""},
        {"path": "a\0b"},
        {"path": "C:/a.py"},
        {"path": "..\\victim"},
        {"path": ".git/hooks/post-checkout"},
        {"path": "sub/.GIT/config"},
        {"path": 1},
        {"staged": "../../../victim"},
        {"staged": "0/../../../../victim"},
        {"staged": "journal.json"},
        {"staged": "/victim"},
        {"staged": ".."},
        {"staged": "0\n"},
        {"staged": None},
        {"after": None},
        {"after": HASH.upper()},
        {"after": "0" * 64},
        {"before": "x"},
        {"is_state": "no"},
        {"mode": "0o777"},
    ],
)
def test_an_entry_that_is_unsafe_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    root = tmp_path / "project"
    (tmp_path / "victim").write_bytes(b"precious")
    tx = transaction_in(root, {**GOOD, "path": "b.py"}, GOOD | change)
    assert codes(recovery_refused(tmp_path, root)) == [(f".etlgen/{tx.name}", "journal")]


@pytest.mark.parametrize(
    "document",
    [
        "",
        "{",
        "[" * 100_000,
        "\xff",
        [],
        {},
        {"format": 2, "steps": []},
        {"format": "1", "steps": []},
        {"format": 1, "steps": None},
        {"format": 1, "steps": [], "hook": "x"},
        {"format": 1, "steps": [GOOD, GOOD]},
        {"format": 1, "steps": [GOOD, {**GOOD, "path": "a.py/b.py"}]},
    ],
    ids=lambda document: repr(document)[:30],
)
def test_a_journal_that_cannot_be_followed_is_refused(tmp_path: Path, document: object) -> None:
    transaction_in(tmp_path, document=document)
    assert unfinished(tmp_path)
    error = recovery_refused(tmp_path, tmp_path)
    assert codes(error) == [(".etlgen/tx-1", "journal")]
    assert error.findings[0].hint == (
        "finish it with the etlgen that began it, or remove the folder to give it up"
    )


def test_a_journal_of_another_format_says_which(tmp_path: Path) -> None:
    transaction_in(tmp_path, document={"format": 7})
    error = recovery_refused(tmp_path, tmp_path)
    assert error.findings[0].message == "was begun by an etlgen with another format, 7"


def test_a_new_content_that_was_altered_is_refused(tmp_path: Path) -> None:
    tx = transaction_in(tmp_path, {**GOOD, "path": "b.py", "staged": "1"}, GOOD)
    (tx / "1").write_bytes(b"x")
    (tx / "0").write_bytes(b"other")
    error = recovery_refused(tmp_path, tmp_path)
    assert error.findings[0].message == "the new content of a.py was altered"


@pytest.mark.parametrize("link", ["sub", "sub/a.py"])
def test_a_journal_that_leads_through_a_link_is_refused(tmp_path: Path, link: str) -> None:
    root, outside = tmp_path / "project", tmp_path / "outside"
    outside.mkdir()
    (outside / "a.py").write_bytes(b"old")
    old = sha256(b"old").hexdigest()
    transaction_in(root, GOOD, {**GOOD, "path": "sub/a.py", "before": old})
    (root / link).parent.mkdir(exist_ok=True)
    (root / link).symlink_to(outside if link == "sub" else outside / "a.py")
    assert codes(recovery_refused(tmp_path, root)) == [("sub/a.py", "symlink")]


@pytest.mark.parametrize("link", ["0", "done", "journal.json"])
def test_a_link_in_a_transaction_is_refused(tmp_path: Path, link: str) -> None:
    root = tmp_path / "project"
    tx = transaction_in(root, GOOD)
    (tmp_path / "victim").write_bytes((tx / link).read_bytes() if link != "done" else b"torn")
    (tx / link).unlink(missing_ok=True)
    (tx / link).symlink_to(tmp_path / "victim")
    assert codes(recovery_refused(tmp_path, root)) == [(".etlgen/tx-1", "journal")]


def test_a_draft_of_a_journal_that_is_a_link_is_not_written_through(tmp_path: Path) -> None:
    root = tmp_path / "project"
    tx = transaction_in(root, GOOD)
    (root / "a.py").write_bytes(TEAM)  # so that the journal is amended
    (tmp_path / "victim").write_bytes(b"precious")
    (tx / "journal.json.new").symlink_to(tmp_path / "victim")
    assert recover(root, amended) == Written(0, ("a.py",))
    assert (tmp_path / "victim").read_bytes() == b"precious"


@pytest.mark.parametrize("link", [".etlgen", ".etlgen/tx-1"])
def test_a_transaction_behind_a_link_is_refused(tmp_path: Path, link: str) -> None:
    root = tmp_path / "project"
    transaction_in(root, GOOD)
    (root / link).rename(tmp_path / "elsewhere")
    (root / link).symlink_to(tmp_path / "elsewhere")
    assert codes(recovery_refused(tmp_path, root)) == [(link, "symlink")]
    assert codes(refusal(lambda: unfinished(root))) == [(link, "symlink")]


def test_no_empty_folder_behind_a_link_is_removed(tmp_path: Path) -> None:
    root = tmp_path / "project"
    (tmp_path / "outside/empty").mkdir(parents=True)
    gone = {"path": "sub/empty/a.py", "before": HASH, "after": None, "staged": None}
    tx = transaction_in(root, {**GOOD, **gone})
    (tx / "done").write_bytes(b"0\n")
    (root / "sub").symlink_to(tmp_path / "outside")
    recover(root, untouched)
    assert (tmp_path / "outside/empty").is_dir()


@pytest.mark.parametrize("done", [b"", b"\0\0\0\n", b"9" * 9999 + b"\n", b"-1\n1\n", b"0"])
def test_a_note_that_is_no_number_of_an_entry_says_nothing(tmp_path: Path, done: bytes) -> None:
    tx = transaction_in(tmp_path, GOOD)
    (tx / "done").write_bytes(done)
    assert recover(tmp_path, untouched) == Written(1, ())
    assert content(tmp_path) == {"a.py": b"x"}


# What is not a transaction, or not one any more


def test_without_a_transaction_there_is_nothing_to_recover(tmp_path: Path) -> None:
    assert not unfinished(tmp_path)
    assert recover(tmp_path, untouched) is None
    project(tmp_path)
    (tmp_path / ".etlgen/tx-notes.txt").write_text("a file of someone's")
    before = tree(tmp_path)
    assert not unfinished(tmp_path)
    assert recover(tmp_path, untouched) is None
    assert tree(tmp_path) == before


def test_what_was_never_committed_is_cleared_away_by_recovering_only(tmp_path: Path) -> None:
    tx = transaction_in(project(tmp_path), GOOD)
    (tx / "journal.json").rename(tx / "journal.json.new")
    assert not unfinished(tmp_path)
    assert tx.is_dir()
    assert recover(tmp_path, untouched) is None
    assert not tx.exists()
    assert content(tmp_path) == OLD


def test_asking_changes_nothing(tmp_path: Path) -> None:
    crashed_at(tmp_path / "project", committed_steps(tmp_path)[20])
    before = tree(tmp_path)
    assert unfinished(tmp_path / "project")
    assert tree(tmp_path) == before


def test_two_transactions_are_both_finished(tmp_path: Path) -> None:
    transaction_in(tmp_path, GOOD)
    transaction_in(tmp_path, {**GOOD, "path": "b.py"}, name="tx-2")
    (tmp_path / "b.py").write_bytes(TEAM)
    assert recover(tmp_path, amended) == Written(1, ("b.py",))
    assert content(tmp_path) == {"a.py": b"x", "b.py": TEAM}
