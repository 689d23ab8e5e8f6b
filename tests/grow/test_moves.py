"""`etlgen mv` as `mv` has it, and what it refuses since it would break the code."""

from pathlib import Path

import pytest

from tests.grow.conftest import ORDERS, Project

PACKAGE = "src/shop_etl"


def move(project: Project, old: str, new: str) -> None:
    project.does("mv", project.path(old), project.path(new))


def require_followed(project: Project) -> None:
    project.does("check")
    assert project.does("generate").out.endswith("Nothing to write.\n")


@pytest.mark.parametrize(
    ("old", "folder", "arrived"),
    [
        ("README.md", "docs", "docs/README.md"),
        ("README.md", "docs/", "docs/README.md"),
        ("dags", "docs", "docs/dags/shop_etl__shop.py"),
        ("dags/shop_etl__shop.py", "docs", "docs/shop_etl__shop.py"),
        (".github/workflows", "docs", "docs/workflows/ci.yml"),
        (".github/workflows/ci.yml", ".", "ci.yml"),
    ],
)
def test_what_goes_to_a_folder_goes_into_it(
    project: Project, old: str, folder: str, arrived: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("docs/ours.md", "ours\n")
    monkeypatch.chdir(project.root)
    project.does("mv", old, folder)
    assert project.path(arrived).is_file()
    assert not project.path(old).exists()
    assert project.text("docs/ours.md") == "ours\n"
    require_followed(project)


def test_a_folder_that_is_not_there_is_made_of_the_one_that_is(project: Project) -> None:
    move(project, "dags", "airflow")
    assert project.path("airflow/shop_etl__shop.py").is_file()
    require_followed(project)


@pytest.mark.parametrize(
    ("old", "by_hand", "said"),
    [
        ("README.md", "docs/README.md", "docs"),
        ("README.md", "docs/README.md", "docs/README.md"),
        ("dags", "airflow", "airflow"),
        ("dags", "docs/dags", "docs"),
        ("dags", "docs/dags", "docs/dags"),
    ],
)
def test_what_was_moved_by_hand_is_followed_to_where_it_is(
    project: Project, old: str, by_hand: str, said: str
) -> None:
    project.path("docs").mkdir()
    project.path(old).rename(project.path(by_hand))
    if old == "dags":  # as git leaves it behind
        project.write("dags/__pycache__/shop_etl__shop.pyc", "")
    move(project, old, said)
    require_followed(project)


def test_what_is_in_the_folder_already_is_not_written_over(project: Project) -> None:
    project.write("docs/README.md", "precious\n")
    before = project.files()
    result = project("mv", project.path("README.md"), project.path("docs"))
    assert result.code == 5
    assert "docs/README.md: is there already" in result.err
    assert project.files() == before


@pytest.mark.parametrize("into", [".", ".etlgen", ".git"])
def test_a_folder_may_be_no_place_either(project: Project, into: str) -> None:
    project.committed()
    before = project.files()
    assert project("mv", project.path("README.md"), project.path(into)).code == 2
    assert project.files() == before


def modules(root: Path) -> list[str]:
    found = (path.relative_to(root).as_posix() for path in root.rglob("src/**/*.py"))
    return sorted(path for path in found if not path.endswith("__main__.py"))


def test_no_module_moves_away_from_what_imports_it(project: Project) -> None:
    before = project.files()
    paths = modules(project.root)
    assert len(paths) > 20
    folders = [f"{PACKAGE}/runtime", f"{PACKAGE}/sources", f"{PACKAGE}/sources/shop", "src"]
    for path in (*paths, *folders):
        elsewhere = f"{Path(path).parent}/elsewhere{Path(path).suffix}"
        result = project("mv", project.path(path), project.path(elsewhere))
        assert result.code == 2, path
        assert f"{path}: is " in result.err
        assert "import" in result.err
    assert project.files() == before


def test_the_refusal_says_who_imports_it(project: Project) -> None:
    project.write("dags/ours.py", "from shop_etl import airflow_tasks\n")
    tasks = f"{PACKAGE}/airflow_tasks.py"
    result = project("mv", project.path(tasks), project.path(f"{PACKAGE}/tasks.py"))
    assert f"{tasks}: is imported by dags/ours.py and 1 more; only the package" in result.err


@pytest.mark.parametrize(
    "text",
    [
        "import shop_etl.settings",
        "from shop_etl.settings import environment",
        "from shop_etl import settings as ours",
        "from . import settings",
        "from .settings import environment",
        "def late():\n    from .settings import environment",
        "<<<<<<< yours\nfrom shop_etl.settings import environment",
    ],
)
def test_any_way_of_importing_counts(project: Project, text: str) -> None:
    take_out(project, "settings")
    ours = f"{PACKAGE}/ours.py"
    project.write(ours, f"{text}\n")
    settings = project.path(f"{PACKAGE}/settings.py")
    result = project("mv", settings, project.path(f"{PACKAGE}/config.py"))
    assert f"settings.py: is imported by {ours};" in result.err
    project.write(ours, "from elsewhere import settings  # shop_etl.settings\n")
    project.does("mv", settings, project.path(f"{PACKAGE}/config.py"))


def take_out(project: Project, module: str) -> None:
    """The team imports it from another place, everywhere."""
    for path in project.root.rglob("*.py"):
        text = path.read_text()
        path.write_text(text.replace(f"shop_etl.{module} import", "shop_etl.config import"))


def test_what_nothing_imports_any_more_may_move(project: Project) -> None:
    take_out(project, "settings")
    move(project, f"{PACKAGE}/settings.py", f"{PACKAGE}/config.py")
    require_followed(project)
    move(project, f"{PACKAGE}/__main__.py", f"{PACKAGE}/start.py")
    require_followed(project)


def test_a_source_that_goes_into_a_folder_is_refused_with_the_right_command(
    project: Project,
) -> None:
    project.path(f"{PACKAGE}/sources/old").mkdir()
    shop = Path(ORDERS).parent
    result = project("mv", project.path(str(shop)), project.path(f"{PACKAGE}/sources/old"))
    assert result.code == 2
    assert "etlgen rename-source shop NEW renames all of it" in result.err


def test_what_still_says_the_old_name_is_a_step(project: Project) -> None:
    moved = project.does("mv", project.path("dags"), project.path("airflow"))
    assert "git grep -nw dags" in moved.out
    renamed = project.does("rename-source", "shop", "store")
    assert "git grep -nw shop" in renamed.out


@pytest.mark.parametrize("place", ["etlgen.yaml", "sources", ".etlgen"])
def test_what_etlgen_looks_for_stays_there(project: Project, place: str) -> None:
    result = project("mv", project.path(place), project.path("elsewhere"))
    assert result.code == 2
    assert "is where etlgen looks for it" in result.err


def test_a_spec_is_renamed_with_its_source(project: Project) -> None:
    spec = project.path("sources/shop.yaml")
    result = project("mv", spec, project.path("sources/store.yaml"))
    assert result.code == 2
    assert "etlgen rename-source shop NEW" in result.err
