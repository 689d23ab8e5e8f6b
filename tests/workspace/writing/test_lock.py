"""One etlgen at a time: the second is refused, and a dead one holds nothing."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from etlgen.errors import Finding, Refused
from etlgen.workspace.writing.lock import locked
from tests.workspace.writing.crashing import in_child

HOLDING = """
import sys
from pathlib import Path
from etlgen.workspace.writing.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def holder(root: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock until its input ends."""
    command = [sys.executable, "-c", HOLDING, str(root)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def refusal(root: Path) -> Finding:
    with pytest.raises(Refused) as caught, locked(root):
        pytest.fail("the lock was had")
    return caught.value.findings[0]


def test_a_second_process_is_refused_and_told_who_holds_it(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        finding = refusal(tmp_path)
    assert finding.code == "locked"
    assert finding.message == (f"another etlgen is at work in this project (process {process.pid})")
    assert finding.hint == "wait until it has finished"


def test_the_holder_is_not_disturbed_by_one_that_was_refused(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        first = refusal(tmp_path)
        assert refusal(tmp_path) == first
        assert process.poll() is None


def test_a_lock_that_was_given_back_can_be_had(tmp_path: Path) -> None:
    with locked(tmp_path):
        assert refusal(tmp_path).code == "locked"
    with pytest.raises(ZeroDivisionError), locked(tmp_path):
        _ = 1 / 0
    with locked(tmp_path):
        pass


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)
        with locked(tmp_path):
            assert (tmp_path / ".etlgen/lock").read_text() == f"{os.getpid()}\n"


def test_the_process_of_a_longer_id_leaves_no_digits_behind(tmp_path: Path) -> None:
    (tmp_path / ".etlgen").mkdir()
    (tmp_path / ".etlgen/lock").write_text("123456789012\n")
    with locked(tmp_path):
        assert refusal(tmp_path).message.endswith(f"(process {os.getpid()})")


def test_two_projects_are_locked_apart(tmp_path: Path) -> None:
    for name in ("shop", "crm"):
        (tmp_path / name).mkdir()
    with locked(tmp_path / "shop"), locked(tmp_path / "crm"):
        pass


@pytest.mark.parametrize("link", [".etlgen", ".etlgen/lock"])
@pytest.mark.parametrize("is_dangling", [True, False])
def test_a_symbolic_link_is_refused(tmp_path: Path, link: str, is_dangling: bool) -> None:
    root, outside = tmp_path / "project", tmp_path / "outside"
    (root / link).parent.mkdir(parents=True)
    if not is_dangling:
        outside.mkdir() if link == ".etlgen" else outside.write_text("precious")
    (root / link).symlink_to(outside)
    before = sorted(tmp_path.rglob("*"))
    finding = refusal(root)
    assert (finding.file, finding.code) == (link, "symlink")
    assert sorted(tmp_path.rglob("*")) == before
    assert not outside.is_file() or outside.read_text() == "precious"


def test_a_link_that_slips_in_after_the_check_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".etlgen").mkdir()
    (tmp_path / "precious").write_text("precious")
    (tmp_path / ".etlgen/lock").symlink_to(tmp_path / "precious")
    monkeypatch.setattr(Path, "is_symlink", lambda self: False)
    assert refusal(tmp_path).code == "unwritable"
    assert (tmp_path / "precious").read_text() == "precious"


def test_a_folder_in_place_of_the_lock_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".etlgen/lock").mkdir(parents=True)
    assert refusal(tmp_path).code == "unwritable"


def test_a_read_only_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".etlgen").mkdir()
    (tmp_path / ".etlgen").chmod(0o555)

    def attempt() -> None:
        os.chdir(tmp_path)
        if os.geteuid() == 0:  # who may write anywhere
            os.setuid(65534)
        finding = refusal(Path())
        assert (finding.file, finding.code) == (".etlgen/lock", "unwritable")
        assert finding.message == "cannot be written: Permission denied"

    assert in_child(attempt) == 0
