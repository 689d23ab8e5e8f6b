"""A project whose process died in the middle of its changes."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from etlgen.workspace.writing import journal
from etlgen.workspace.writing.journal import recover, write_all
from tests.workspace.writing.crashing import Fault, counting, in_child, kill, leave
from tests.workspace.writing.sample import WRITES, project, untouched


def steps(tmp_path: Path, *, reading: bool) -> int:
    return len(step_names(tmp_path / "counted", reading=reading))


def step_names(root: Path, *, reading: bool = False) -> list[str]:
    project(root)
    with counting(reading=reading) as operations:
        write_all(root, WRITES, untouched)
    return operations.names


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


def was_done(root: Path, path: str) -> bool:
    """Whether the crashed process noted a path as finished."""
    (tx,) = (root / ".etlgen").glob("tx-*")
    steps = json.loads((tx / "journal.json").read_bytes())["steps"]
    number = [step["path"] for step in steps].index(path)
    done = tx / "done"
    return done.exists() and str(number) in done.read_text().split("\n")[:-1]


def recoveries(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    for step in committed_steps(tmp_path):
        crashed = crashed_at(tmp_path / "crashed", step)
        yield step, crashed
        shutil.rmtree(crashed)
