"""A full disk or an interruption at every step: all old, all new, or to be finished."""

import shutil
from pathlib import Path

import pytest

from etlgen.errors import Refused
from etlgen.workspace.writing import journal
from etlgen.workspace.writing.journal import Written, recover, write_all
from etlgen.workspace.writing.transaction import unfinished
from tests.workspace.writing.crashed import committed_steps, copied, crashed_at, step_names, steps
from tests.workspace.writing.crashing import counting, disk_full, interrupt, interrupted_at_line
from tests.workspace.writing.sample import (
    CHANGES,
    NEW,
    TEAM,
    WRITES,
    after_edit,
    amended,
    changed_at,
    codes,
    content,
    project,
    refusal,
    tree,
    tree_of,
    untouched,
)

# Litter, what matters only if the power fails, and folders that are there already.
SILENT = {"open", "fsync", "rmdir", "unlink", "lstat", "mkdir"}


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
