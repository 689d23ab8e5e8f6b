"""An edit between a crash and the recovery survives, whatever had been done."""

import json
import os
import shutil
from pathlib import Path

import pytest

from etlgen.workspace.writing import journal, transaction
from etlgen.workspace.writing.journal import Written, recover, write_all
from etlgen.workspace.writing.transaction import unfinished
from tests.workspace.writing.crashed import (
    committed_steps,
    copied,
    crashed_at,
    recoveries,
    recovery_crashed_at,
    was_done,
)
from tests.workspace.writing.crashing import in_child, kill
from tests.workspace.writing.sample import (
    CHANGES,
    NEW,
    OLD,
    PATHS,
    STATES,
    TEAM,
    Calls,
    after_edit,
    amended,
    content,
    edit,
    recording,
    untouched,
    write,
)


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
