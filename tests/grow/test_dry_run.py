"""What the real run refuses, a dry run refuses alike: the same finding, the same exit code."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.grow.conftest import ORDERS, Project
from tests.workspace.writing.crashing import in_child

STALE = ("numeric(12,2)", "numeric(14,2)")
UNIT = ".etlgen/units/sources/shop.json"


def refused_alike(project: Project, *words: object) -> list[tuple[str, str]]:
    """File and message of each finding; nothing is written, in whichever way it is said."""
    before = project.files()
    dry = project(*words, "--dry-run", "--json")
    assert project.files() == before
    real = project(*words, "--json")
    assert project.files() == before
    assert (dry.code, dry.json) == (real.code, real.json)
    assert dry.code == 5
    said = [project(*words, *more) for more in ((), ("--dry-run",))]
    assert said[0].err == said[1].err != ""
    return [(finding["file"], finding["message"]) for finding in dry.json["findings"]]


def test_a_move_to_below_a_file(project: Project) -> None:
    found = refused_alike(
        project, "mv", project.path("README.md"), project.path("Makefile/README.md")
    )
    assert found == [("Makefile/README.md", "is below what is not a folder")]


def test_two_generated_files_that_are_one(project: Project, newer: Callable[..., None]) -> None:
    project.path("AGENTS.md").unlink()
    project.path("AGENTS.md").symlink_to("README.md")
    newer(**{"README.md": ("# shop-etl", "# Shop!"), "AGENTS.md": ("# ", "# Newer ")})
    message = "is the same file as AGENTS.md, by a symbolic link, and both are written"
    assert refused_alike(project, "upgrade") == [("README.md", message)]


def test_a_folder_in_place_of_a_file(project: Project, tmp_path: Path) -> None:
    place = "src/shop_etl/sources/crm/clients.py"
    project.path(place).mkdir(parents=True)
    found = refused_alike(project, "add-source", "crm", "--spec", tmp_path / "crm.yaml")
    assert found == [(place, "cannot be read: Is a directory")]


def test_a_file_in_place_of_a_folder(project: Project, tmp_path: Path) -> None:
    project.write("src/shop_etl/sources/crm", "ours\n")
    found = refused_alike(project, "add-source", "crm", "--spec", tmp_path / "crm.yaml")
    assert ("src/shop_etl/sources/crm/clients.py", "is below what is not a folder") in found


@pytest.mark.parametrize("what", ["folder", "link"])
def test_state_that_is_no_file(project: Project, tmp_path: Path, what: str) -> None:
    place = ".etlgen/units/sources/crm.json"
    if what == "folder":
        project.path(place).mkdir()
    else:
        (tmp_path / "elsewhere.json").write_text("{}")
        project.path(place).symlink_to(tmp_path / "elsewhere.json")
    found = refused_alike(project, "add-source", "crm", "--spec", tmp_path / "crm.yaml")
    assert [file for file, _ in found] == [place]


@pytest.mark.parametrize(
    ("place", "path", "message"),
    [
        (ORDERS, ORDERS, "is write-protected"),
        (os.path.dirname(ORDERS), ORDERS, "is write-protected"),
        (UNIT, UNIT, "is write-protected"),
        (".etlgen", ".etlgen", "cannot be written: Permission denied"),
        (".etlgen/lock", ".etlgen/lock", "cannot be written: Permission denied"),
    ],
)
def test_what_is_write_protected(project: Project, place: str, path: str, message: str) -> None:
    project.edit("sources/shop.yaml", *STALE)
    project.does("mv", project.path("README.md"), project.path("docs/README.md"))  # makes the lock

    def attempt() -> None:
        project.path(place).chmod(project.path(place).stat().st_mode & ~0o222)
        found = refused_alike(project, "generate")
        assert any(file == path and said.endswith(message) for file, said in found), found

    assert in_child(as_nobody(project.root, attempt)) == 0


def test_a_lock_that_cannot_be_made(project: Project) -> None:
    project.edit("sources/shop.yaml", *STALE)

    def attempt() -> None:
        project.path(".etlgen").chmod(0o555)
        found = refused_alike(project, "generate")
        assert found == [(".etlgen/lock", "cannot be written: Permission denied")]

    assert in_child(as_nobody(project.root, attempt)) == 0


def as_nobody(root: Path, attempt: Callable[[], None]) -> Callable[[], None]:
    """The attempt by a user who, unlike root, may not write anywhere."""

    def run() -> None:
        if os.geteuid() == 0:
            for folder in root.parents:
                if folder.stat().st_uid == 0 and not folder.stat().st_mode & 0o001:
                    folder.chmod(folder.stat().st_mode | 0o011)
            for file in (root, *root.rglob("*")):
                shutil.chown(file, 65534, 65534)
            os.setuid(65534)
        attempt()

    return run


def test_a_dry_run_needs_no_lock_and_leaves_none(project: Project) -> None:
    project.edit("sources/shop.yaml", *STALE)
    project.path(".etlgen/lock").unlink(missing_ok=True)
    assert project("generate", "--dry-run").code == 0
    assert not project.path(".etlgen/lock").exists()
