"""A year of a project, and one of an earlier etlgen: every edit is still there at the end."""

import re
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.grow.conftest import Project, Result, make, tree
from tests.own_tests import require_green

ROOT = Path(__file__).parents[2]
FROZEN = Path(__file__).parent / "frozen/shop-0.1.0.tar.gz"
SHOP = ROOT / "fixtures/shop/shop.yaml"
WEBSHOP = "src/shop_etl/sources/webshop"
EDITS = (
    (
        f"{WEBSHOP}/orders.py",
        "    rows = raw.rename(",
        "    raw = raw.drop_duplicates()  # ours: sent twice\n    rows = raw.rename(",
    ),
    (
        f"{WEBSHOP}/orders.py",
        "def check(",
        "def our_rule(rows):  # the team's business\n    return rows\n\n\ndef check(",
    ),
    ("dags/shop_etl__webshop.py", "max_active_runs=1", "max_active_runs=1,  # ours: one at a time"),
    ("pyproject.toml", '"msgspec>=0.20",', '"msgspec>=0.20",\n    "humanize>=4",  # ours'),
    ("README.md", "# shop-etl", "# The shop's pipelines\n\nOurs: ask Ada."),
)
MARKS = (
    (f"{WEBSHOP}/orders.py", "raw = raw.drop_duplicates()  # ours: sent twice\n"),
    (f"{WEBSHOP}/orders.py", "def our_rule(rows):  # the team's business\n    return rows\n"),
    ("dags/shop_etl__webshop.py", "# ours: one at a time"),
    ("pyproject.toml", '"humanize>=4",  # ours\n'),
    ("README.md", "Ours: ask Ada.\n"),
)

DAG = "dags/shop_etl__store.py"
# What a newer etlgen changes: each with one line in between to what the team edited.
BESIDE = {
    "src/shop_etl/sources/store/orders.py": (
        '"""What each row must satisfy;',
        '"""What every row must satisfy;',
    ),
    "pyproject.toml": ('"pgpq>=0.12"', '"pgpq>=0.12.0"'),
    "README.md": ("Orders, customers and products", "All orders, customers and products"),
}


def require_edits(project: Project, renamed: str = "webshop") -> None:
    for path, mark in MARKS:
        assert mark in project.text(path.replace("webshop", renamed)), path


def verbs_of(result: Result) -> dict[str, str]:
    return {change["path"]: change["verb"] for change in result.json["changes"]}


def settle_by_hand(project: Project, path: str, lines: str) -> None:
    """Instead of both sides and their markers, what the team makes of them."""
    text = project.text(path)
    settled = re.sub(r"<<<<<<< .*?\n>>>>>>> .*?\n", lines, text, flags=re.DOTALL)
    assert settled != text
    project.write(path, settled)


def add(project: Project, name: str) -> None:
    columns = ("--column", "id:bigint", "--column", "at:timestamptz", "--column", "what:text")
    of_resource = ("--resource", f"{name}_rows", "--set", f"path={name}.csv")
    of_source = ("--kind", "file", "--set", f"source.path=data/{name}")
    project.does("add-source", name, *of_source, *of_resource, *columns, "--primary-key", "id")


@pytest.mark.slow
def test_a_year_of_a_project(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], newer: Callable[..., None]
) -> None:
    project = Project(make(SHOP.read_text(), tmp_path), capsys)
    steps = []

    def done(step: str, renamed: str = "webshop") -> None:
        project.does("check")
        require_edits(project, renamed)
        require_green(project.root)
        project.committed(step)
        steps.append(step)

    project.committed("new")
    for path, old, new in EDITS:
        project.edit(path, old, new)
    done("edited by hand")
    for name in ("crm", "stock", "ads"):
        add(project, name)
    done("three sources more")
    project.does("rename-source", "webshop", "store")
    done("one is renamed", "store")
    project.edit("sources/store.yaml", "type: numeric(12,2)", "type: numeric(16,4)")
    more = "      channel: {type: text, from: Channel, default: web}\n      coupon:"
    project.edit("sources/store.yaml", "      coupon:", more)
    project.does("generate")
    orders = project.text("src/shop_etl/sources/store/orders.py")
    assert "Numeric(16, 4)" in orders
    assert '"channel"' in orders
    done("a type and a column in a spec", "store")
    project.does("remove-source", "ads")
    assert not project.path("sources/ads.yaml").exists()
    done("one is removed", "store")
    newer("9.0.0", **BESIDE)
    verbs = verbs_of(project.does("upgrade", "--json"))
    for path, (_, new) in BESIDE.items():
        assert verbs[path] == "merge"
        assert new in project.text(path)
    done("upgraded", "store")
    newer("9.1.0", **{**BESIDE, DAG: ("max_active_runs=1", "max_active_runs=2")})
    result = project("upgrade", "--json")
    assert result.code == 4
    assert [path for path, verb in verbs_of(result).items() if verb == "conflict"] == [DAG]
    assert project("check").code == 4
    settle_by_hand(project, DAG, "    max_active_runs=1,  # ours: one at a time, still\n")
    done("upgraded, and a conflict settled", "store")
    project.does("generate")  # what was settled is remembered
    assert project.does("generate").out.endswith("Nothing to write.\n")
    require_edits(project, "store")
    assert len(steps) == 7


@pytest.fixture
def frozen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Project:
    with tarfile.open(FROZEN) as archive:  # the first Pythons 3.11 know no filter
        safely: Any = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        archive.extractall(tmp_path, **safely)
    return Project(tmp_path / "shop-etl", capsys)


def test_a_project_of_the_first_version_upgrades_to_what_is_new_today(
    frozen: Project, tmp_path: Path
) -> None:
    checked = frozen.does("check")
    assert "generated by etlgen 0.1.0" in checked.out
    frozen.does("upgrade")
    frozen.does("check")
    today = tree(make(SHOP.read_text(), tmp_path / "today"))
    then = frozen.files()
    assert then.keys() == today.keys()
    assert {p for p in today if then[p] != today[p] and "/base/" not in p} == set()


def test_edits_of_a_project_of_the_first_version_stay(frozen: Project) -> None:
    for path, old, new in EDITS:
        frozen.edit(path, old, new)
    frozen.does("upgrade", "--runtime-only")
    frozen.does("check")
    frozen.does("upgrade")
    require_edits(frozen)
    assert "only the state" not in frozen.does("check").out
    add(frozen, "crm")
    frozen.does("check")


@pytest.mark.slow
def test_the_tests_of_an_upgraded_project_are_green(frozen: Project) -> None:
    for path, old, new in EDITS:
        frozen.edit(path, old, new)
    frozen.does("upgrade")
    require_green(frozen.root)
