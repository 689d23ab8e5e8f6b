"""A new project: all of it or nothing, and nothing beside it."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from etlgen.errors import EtlgenError, Refused, UsageError
from etlgen.rendered import RenderedFile
from etlgen.workspace.changes import Change, ChangeSet, Verb
from etlgen.workspace.writing import create
from etlgen.workspace.writing.create import apply_new, require_vacant
from tests.workspace.writing.crashing import in_child

FILES = [
    RenderedFile("README.md", "# é\n", "etlgen", "a"),
    RenderedFile("src/shop/__init__.py", "", "etlgen", "b"),
    RenderedFile("src/shop/a.py", "x = 1\n", "etlgen", "c"),
]
STATE = {".etlgen/units/etlgen.json": "{}\n"}
EXPECTED = {file.path: file.text for file in FILES} | STATE


def changes() -> ChangeSet:
    created = (Change(file.path, Verb.CREATE, None, file.text, file.unit) for file in FILES)
    return ChangeSet(tuple(created), STATE)


def tree(folder: Path) -> dict[str, bytes | str]:
    """Every path below a folder with its content, a link with its target."""
    found: dict[str, bytes | str] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        else:
            found[name] = "folder" if path.is_dir() else path.read_bytes()
    return found


def contents(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes().decode()
        for path in folder.rglob("*")
        if path.is_file()
    }


def refused(folder: Path, root: Path, kind: type[EtlgenError] = Refused) -> EtlgenError:
    """Applying is refused and leaves all as it was."""
    before = tree(folder)
    for attempt in (lambda: require_vacant(root), lambda: apply_new(ChangeSet((), STATE), root)):
        with pytest.raises(kind) as caught:
            attempt()
        assert tree(folder) == before
    return caught.value


def test_a_new_folder_holds_the_files_and_the_state(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    apply_new(changes(), root)
    assert contents(root) == EXPECTED
    assert list(tmp_path.iterdir()) == [root]


def test_a_folder_that_nobody_may_write_into_is_refused(tmp_path: Path) -> None:
    def attempt() -> None:
        os.chdir(tmp_path)
        if os.geteuid() == 0:  # who may write anywhere
            os.chown(tmp_path, 65534, 65534)
            os.setuid(65534)
        Path().chmod(0o555)
        assert "is write-protected; give yourself the right" in str(refused(Path(), Path("shop")))

    assert in_child(attempt) == 0


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    root.mkdir(mode=0o700)
    apply_new(changes(), root)
    assert contents(root) == EXPECTED
    assert root.stat().st_mode & 0o777 == 0o700


def test_the_current_folder_can_be_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "shop"
    root.mkdir()
    monkeypatch.chdir(root)
    apply_new(changes(), root)
    assert contents(root) == EXPECTED
    os.chdir(tmp_path)


def test_modes_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        apply_new(changes(), tmp_path / "shop")
    finally:
        os.umask(before)
    assert (tmp_path / "shop").stat().st_mode & 0o777 == 0o750
    assert (tmp_path / "shop/README.md").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("content", ["file", ".hidden", "folder", "link"])
def test_a_folder_with_anything_in_it_is_refused(tmp_path: Path, content: str) -> None:
    root = tmp_path / "shop"
    root.mkdir()
    match content:
        case "folder":
            (root / "folder").mkdir()
        case "link":
            (root / "link").symlink_to("nowhere")
        case name:
            (root / name).write_text("precious")
    error = refused(tmp_path, root)
    assert error.exit_code == 5
    assert "not empty" in str(error)


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "shop").write_text("precious")
    refused(tmp_path, tmp_path / "shop")


@pytest.mark.parametrize("there", [True, False])
def test_a_symbolic_link_is_refused(tmp_path: Path, there: bool) -> None:
    if there:
        (tmp_path / "victim").mkdir()
    (tmp_path / "shop").symlink_to("victim")
    assert "symbolic link" in str(refused(tmp_path, tmp_path / "shop"))


def test_a_parent_that_is_not_there_is_a_mistake_in_typing(tmp_path: Path) -> None:
    refused(tmp_path, tmp_path / "no" / "shop", UsageError)


def test_what_came_in_meanwhile_is_safe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "shop"
    real = create._write

    def racing(path: Path, text: str) -> None:
        real(path, text)
        root.mkdir(exist_ok=True)
        (root / "mine.txt").write_text("precious")

    monkeypatch.setattr(create, "_write", racing)
    with pytest.raises(Refused, match="nothing was changed"):
        apply_new(changes(), root)
    assert tree(tmp_path) == {"shop": "folder", "shop/mine.txt": b"precious"}


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("existing", [True, False])
@pytest.mark.parametrize("written", range(len(EXPECTED)))
def test_a_failure_at_any_file_leaves_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    existing: bool,
    written: int,
) -> None:
    root = tmp_path / "shop"
    if existing:
        root.mkdir()
    before = tree(tmp_path)
    real, done = create._write, []

    def failing(path: Path, text: str) -> None:
        if len(done) == written:
            raise error
        done.append(path)
        real(path, text)

    monkeypatch.setattr(create, "_write", failing)
    with pytest.raises(Refused if isinstance(error, OSError) else KeyboardInterrupt):
        apply_new(changes(), root)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("error", [OSError(16, "Device or resource busy"), KeyboardInterrupt()])
def test_a_failure_at_the_rename_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def failing(self: Path, target: Path) -> Path:
        raise error

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises((Refused, KeyboardInterrupt)):
        apply_new(changes(), tmp_path / "shop")
    assert tree(tmp_path) == {}


def test_a_killed_process_does_not_touch_the_destination(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    script = f"""
        import os, signal
        from pathlib import Path
        from etlgen.workspace.writing import create
        from etlgen.workspace.changes import ChangeSet
        real = create._write
        def dying(path, text):
            real(path, text)
            os.kill(os.getpid(), signal.SIGKILL)
        create._write = dying
        create.apply_new(ChangeSet((), {STATE!r}), Path({str(root)!r}))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not root.exists()
    apply_new(changes(), root)
    assert contents(root) == EXPECTED


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_write_permission_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        refused(tmp_path, tmp_path / "shop")
    finally:
        tmp_path.chmod(0o700)
