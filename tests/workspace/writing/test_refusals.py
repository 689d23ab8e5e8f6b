"""What is refused before the first path of a project is touched."""

import os
from pathlib import Path

import pytest

from tests.workspace.writing.crashing import in_child
from tests.workspace.writing.sample import TEAM, WRITES, codes, project, refused, tree, write


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
