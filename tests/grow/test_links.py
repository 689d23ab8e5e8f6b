"""I25 and I26: links out of the project, and files that are somebody else's."""

import os
from pathlib import Path

import pytest

from tests.grow.conftest import ORDERS, Project, make, tree
from tests.grow.conftest import SHOP as SPEC


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    folder = tmp_path / "_victim"
    folder.mkdir()
    (folder / "orders.py").write_text("precious = 1\n")
    (folder / "etlgen.yaml").write_text("precious: 1\n")
    return folder


def refused(project: Project, victim: Path, *words: object) -> str:
    before, mine = tree(victim), project.files()
    result = project(*words)
    assert result.code == 5, result.out
    assert tree(victim) == before
    assert project.files() == mine
    return result.err


@pytest.mark.parametrize("command", ["generate", "rename-source", "remove-source"])
def test_a_folder_that_is_a_link_out_is_not_followed(
    project: Project, victim: Path, command: str
) -> None:
    folder = project.path("src/shop_etl/sources/shop")
    for file in folder.iterdir():
        (victim / file.name).write_bytes(file.read_bytes())
        file.unlink()
    folder.rmdir()
    folder.symlink_to(victim)
    if command == "generate":
        project.edit("sources/shop.yaml", "numeric(12,2)", "numeric(14,2)")
    words = {"rename-source": ("shop", "store"), "remove-source": ("shop",)}.get(command, ())
    assert "symbolic link" in refused(project, victim, command, *words)


@pytest.mark.parametrize("target", ["orders.py", "missing.py"])
def test_a_file_that_is_a_link_out_is_not_followed(
    project: Project, victim: Path, target: str
) -> None:
    generated = project.path(ORDERS).read_bytes()
    project.path(ORDERS).unlink()
    if target == "orders.py":
        (victim / target).write_bytes(generated)
    project.path(ORDERS).symlink_to(victim / target)
    project.edit("sources/shop.yaml", "numeric(12,2)", "numeric(14,2)")
    before = tree(victim)
    project("generate")
    assert tree(victim) == before


@pytest.mark.parametrize("place", ["src/shop_etl/sources/crm", "dags", "env", "tests/sources"])
def test_what_is_new_does_not_go_through_a_link(
    project: Project, victim: Path, tmp_path: Path, place: str
) -> None:
    if project.path(place).exists():
        project.path(place).rename(tmp_path / "elsewhere")
    project.path(place).symlink_to(victim)
    error = refused(project, victim, "add-source", "crm", "--spec", tmp_path / "crm.yaml")
    assert "symbolic link" in error


def test_the_state_is_not_a_link(project: Project, victim: Path, tmp_path: Path) -> None:
    project.path(".etlgen").rename(tmp_path / "state")
    project.path(".etlgen").symlink_to(tmp_path / "state")
    before = tree(tmp_path / "state")
    result = project("add-source", "crm", "--spec", tmp_path / "crm.yaml")
    assert result.code == 5
    assert {p: b for p, b in tree(tmp_path / "state").items() if p != "lock"} == before


def test_the_spec_is_not_read_through_a_link_out(project: Project, victim: Path) -> None:
    project.path("sources/evil.yaml").symlink_to(victim / "etlgen.yaml")
    for command in ("generate", "check"):
        assert "symbolic link" in refused(project, victim, command)


@pytest.mark.parametrize(
    "path", ["dags/shop_etl__crm.py", "env/crm.env.example", "src/shop_etl/sources/crm/clients.py"]
)
def test_a_file_of_the_team_is_never_overwritten(
    project: Project, victim: Path, tmp_path: Path, path: str
) -> None:
    project.write(path, "precious\n")
    error = refused(project, victim, "add-source", "crm", "--spec", tmp_path / "crm.yaml")
    assert f"{path}: is there already, and etlgen did not write it" in error


def test_files_of_the_team_in_a_removed_source_stay(project: Project) -> None:
    folder = "src/shop_etl/sources/shop"
    ours = [f"{folder}/more/rules.py", f"{folder}/ours.py", f"{folder}/ours.sql"]
    for path in ours:
        project.write(path, "precious = 1\n")
    project.write("src/shop_etl/ours.py", "precious = 1\n")
    project.write(f"{folder}/__pycache__/ours.pyc", "")
    told = project.does("remove-source", "shop", "--json", "--dry-run").json["findings"]
    assert [(one["file"], one["code"]) for one in told] == [(path, "yours") for path in ours]
    said = project.does("remove-source", "shop").err.splitlines()
    assert [line.partition(":")[0] for line in said] == ours
    assert "is your own and stays; it may import what is gone" in said[0]
    for path in ours:
        assert project.text(path) == "precious = 1\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_project_is_refused(project: Project, victim: Path, tmp_path: Path) -> None:
    for folder in (project.path("dags"), project.path(".etlgen")):
        folder.chmod(0o500)
        try:
            refused(project, victim, "add-source", "crm", "--spec", tmp_path / "crm.yaml")
        finally:
            folder.chmod(0o700)


@pytest.mark.parametrize("where", ["/", "~", "."])
def test_outside_of_a_project_nothing_is_done(
    project: Project, tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    at = project.at(Path(where).expanduser())
    result = at("generate")
    assert result.code == 2
    assert "is a project of etlgen" in result.err


def test_a_project_is_found_from_within(project: Project, tmp_path: Path) -> None:
    inner = project.at(project.path("src/shop_etl/sources"))
    inner.does("check")
    inner.does("add-source", "crm", "--spec", tmp_path / "crm.yaml")
    assert "+# ours" not in inner.does("diff").out
    project.edit(ORDERS, "def transform", "# ours\n\n\ndef transform")
    assert "+# ours" in inner.does("diff", "shop").out
    assert inner("diff", "nothing").code == 2
    assert inner("diff", "../../../..").code == 2


def test_nothing_is_written_outside(project: Project, tmp_path: Path) -> None:
    before = {path for path in tree(tmp_path) if not path.startswith("shop-etl/")}
    project.does("add-source", "crm", "--spec", tmp_path / "crm.yaml")
    project.does("rename-source", "crm", "buyers")
    project.does("remove-source", "buyers")
    assert {path for path in tree(tmp_path) if not path.startswith("shop-etl/")} == before


def test_two_projects_of_one_spec_are_alike(tmp_path: Path) -> None:
    assert tree(make(SPEC, tmp_path / "a")) == tree(make(SPEC, tmp_path / "b"))
