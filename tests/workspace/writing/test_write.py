"""Changes to a project: what is made, replaced and removed, and in which order."""

import os
import stat
from pathlib import Path

import pytest

from etlgen.workspace.writing import journal, transaction
from etlgen.workspace.writing.journal import Written, recover, write_all
from etlgen.workspace.writing.steps import Step
from tests.workspace.writing.sample import (
    CHANGES,
    NEW,
    OLD,
    PATHS,
    STATES,
    WRITES,
    codes,
    content,
    project,
    refused,
    tree,
    untouched,
    write,
)


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
