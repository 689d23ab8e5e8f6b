"""Crashes at every step, of the recovery too: all is old, or becomes all new."""

import random
import shutil
from pathlib import Path

import pytest

from etlgen.workspace.writing.journal import Written, recover
from etlgen.workspace.writing.transaction import unfinished
from tests.workspace.writing.crashed import (
    committed_steps,
    copied,
    crashed_at,
    recoveries,
    recovery_crashed_at,
    steps,
)
from tests.workspace.writing.crashing import Fault, kill, leave
from tests.workspace.writing.sample import CHANGES, WRITES, tree, tree_of, untouched


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
