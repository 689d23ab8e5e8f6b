"""Transactions that a stranger wrote, and what is none, or none any more."""

import json
from hashlib import sha256
from pathlib import Path

import pytest

from etlgen.errors import Refused
from etlgen.workspace.writing.journal import Written, recover
from etlgen.workspace.writing.transaction import unfinished
from tests.workspace.writing.crashed import committed_steps, crashed_at
from tests.workspace.writing.sample import (
    OLD,
    TEAM,
    amended,
    codes,
    content,
    project,
    refusal,
    tree,
    untouched,
)

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
