"""Two branches of a project, merged by git."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import etlgen.kinds
from tests.grow.conftest import CRM, ORDERS, Project
from tests.own_tests import require_green

TOY = Path(__file__).parents[1] / "kinds/toy/kind"
COUNTER = """\
kind: counter
start: 5
resources:
  blocks:
    count: 7
    columns: {number: {type: bigint, from: n}}
"""


@pytest.fixture
def toy_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(etlgen.kinds, "__path__", [*etlgen.kinds.__path__, str(TOY)])
    monkeypatch.delitem(sys.modules, "etlgen.kinds.counter", raising=False)


@pytest.fixture
def main(project: Project, tmp_path: Path) -> Project:
    (tmp_path / "box.yaml").write_text(COUNTER)
    (tmp_path / "clients.yaml").write_text(CRM)
    project.committed("new")
    return project


def branch(project: Project, name: str, *words: object) -> None:
    project.git("checkout", "-q", "-b", name, "main")
    project.does(*words)
    project.committed(name)


@pytest.mark.slow
def test_two_branches_that_add_a_source_each_merge_without_a_conflict(
    main: Project, toy_kind: None, tmp_path: Path
) -> None:
    branch(main, "crm", "add-source", "crm", "--spec", tmp_path / "crm.yaml")
    branch(main, "box", "add-source", "box", "--spec", tmp_path / "box.yaml")
    main.git("merge", "-q", "--no-edit", "crm")
    assert main.git("status", "--porcelain") == ""
    main.does("check")
    assert main.does("generate").out.endswith("Nothing to write.\n")
    require_green(main.root)


def test_two_branches_that_add_a_source_of_one_kind_merge_as_well(
    main: Project, tmp_path: Path
) -> None:
    branch(main, "crm", "add-source", "crm", "--spec", tmp_path / "crm.yaml")
    clients = (tmp_path / "clients.yaml").read_text().replace("clients", "leads")
    (tmp_path / "leads.yaml").write_text(clients)
    branch(main, "leads", "add-source", "leads", "--spec", tmp_path / "leads.yaml")
    main.git("merge", "-q", "--no-edit", "crm")
    main.does("check")


def test_the_same_table_in_two_branches_is_found(main: Project, tmp_path: Path) -> None:
    branch(main, "crm", "add-source", "crm", "--spec", tmp_path / "crm.yaml")
    branch(main, "buyers", "add-source", "buyers", "--spec", tmp_path / "crm.yaml")
    main.git("merge", "-q", "--no-edit", "crm")
    for command in ("check", "generate"):
        result = main(command)
        assert result.code == 3
        assert "buyers.clients already loads the table 'clients'" in result.err


def test_two_branches_that_edit_and_regenerate_the_same_file(main: Project) -> None:
    main.git("checkout", "-q", "-b", "a")
    main.edit("sources/shop.yaml", "numeric(12,2)", "numeric(14,2)")
    main.does("generate")
    main.committed("wider")
    main.git("checkout", "-q", "-b", "b", "main")
    main.edit(ORDERS, "def transform", "# ours\n\n\ndef transform")
    main.committed("edited")
    main.git("merge", "-q", "--no-edit", "a")
    main.does("check")
    assert "# ours" in main.text(ORDERS)
    assert "Numeric(14, 2)" in main.text(ORDERS)


@pytest.mark.parametrize("way", ["--ours", "--theirs"])
def test_branches_upgraded_to_different_versions_have_a_way_out(
    main: Project, newer: Callable[..., None], way: str
) -> None:
    main.edit("README.md", "make test", "make test # ours")
    main.committed("edited")
    main.git("checkout", "-q", "-b", "older")
    newer("8.0.0", **{"README.md": ("# shop-etl", "# Shop 8"), "AGENTS.md": ("# ", "# 8 ")})
    main.does("upgrade")
    main.committed("upgraded to 8")
    main.git("checkout", "-q", "-b", "newer", "main")
    newer(
        "9.0.0",
        **{"README.md": ("# shop-etl", "# Shop 9"), "compose.yaml": ("services:", "services: # 9")},
    )
    main.does("upgrade")
    main.committed("upgraded to 9")
    main.git("merge", "--no-edit", "older", ok=False)
    assert "README.md" in main.git("diff", "--name-only", "--diff-filter=U")
    main.git("checkout", way, "README.md")
    main.git("checkout", way, ".etlgen")
    main.git("add", "-A")
    result = main.does("generate", "--json")
    verbs = {change["path"]: change["verb"] for change in result.json["changes"]}
    assert "conflict" not in verbs.values()
    main.does("check")
    assert main.text("README.md").startswith("# Shop 9")
    assert "make test # ours" in main.text("README.md")
    assert "services: # 9" in main.text("compose.yaml")
    assert not main.text("AGENTS.md").startswith("# 8 ")


def test_the_base_of_one_branch_under_the_file_of_another_is_safe(
    main: Project, newer: Callable[..., None]
) -> None:
    """Each base stands in one file with all that is known of it, so sides may be mixed."""
    for name, version, start in (("older", "8.0.0", "main"), ("newer", "9.0.0", "older~1")):
        main.git("checkout", "-q", "-b", name, start)
        newer(version, **{"README.md": ("# shop-etl", f"# Shop {version}")})
        main.does("upgrade")
        main.committed(version)
    main.git("merge", "--no-edit", "older", ok=False)
    main.git("checkout", "--ours", ".")
    main.git("checkout", "--theirs", ".etlgen/base/etlgen/README.md.base")
    main.does("check")
    main.does("generate", "--all")
    assert main.text("README.md").startswith("# Shop 9.0.0")
    main.does("check")


def test_a_state_that_somebody_altered_says_the_way_out(
    main: Project, newer: Callable[..., None]
) -> None:
    base = ".etlgen/base/etlgen/README.md.base"
    main.write(base, main.text(base).replace("# shop-etl", "# other"))
    checked = main("check")
    assert checked.code == 6
    assert f"{base}: was altered" in checked.err
    newer()
    result = main("upgrade")
    assert result.code == 5
    way_out = result.err.partition("after a merge of branches: ")[2].splitlines()[0]
    first, _, second = way_out.partition(" && ")
    assert second == "etlgen generate"
    subprocess.run(first.split(), cwd=main.root, check=True, capture_output=True)
    main.does("generate")
    main.does("check")
