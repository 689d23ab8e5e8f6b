"""What someone changes while etlgen writes is not written over, and the state knows."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from etlgen.workspace.writing import journal
from etlgen.workspace.writing.journal import Written, write_all
from tests.workspace.writing.sample import (
    CHANGES,
    NEW,
    OLD,
    PATHS,
    STATES,
    TEAM,
    WRITES,
    Calls,
    after_edit,
    amended,
    changed_at,
    content,
    edit,
    project,
    recording,
    untouched,
)


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
