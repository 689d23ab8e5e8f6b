"""What always holds: growing is as starting anew, twice is once, a dry run says what happens."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from etlgen.usecases.schema import schema_of
from tests.grow.conftest import CRM, ORDERS, SHOP, Project, make, tree

BOTH = SHOP + "  crm:\n" + "".join(f"    {line}\n" for line in CRM.splitlines()[1:])


def test_adding_a_source_is_as_having_started_with_it(project: Project, tmp_path: Path) -> None:
    whole = make(BOTH, tmp_path / "whole")
    (tmp_path / "only.yaml").write_text(CRM.split("\n", 1)[1])
    project.does("add-source", "crm", "--spec", tmp_path / "only.yaml")
    assert project.files() == tree(whole)


def test_the_source_may_stand_in_a_file_of_several(project: Project, tmp_path: Path) -> None:
    (tmp_path / "both.yaml").write_text(BOTH)
    project.does("add-source", "crm", "--spec", tmp_path / "both.yaml")
    assert project.files() == tree(make(BOTH, tmp_path / "whole"))


def test_removing_a_source_is_as_never_having_had_it(project: Project, tmp_path: Path) -> None:
    before = project.files()
    project.does("add-source", "crm", "--spec", tmp_path / "crm.yaml")
    assert project.files() != before
    project.does("remove-source", "crm")
    assert project.files() == before
    assert not project.path("src/shop_etl/sources/crm").exists()


def test_renaming_back_is_as_never_having_renamed(project: Project) -> None:
    before = project.files()
    project.does("rename-source", "shop", "store")
    assert "src/shop_etl/sources/store/orders.py" in project.files()
    assert not [path for path in project.files() if re.search(r"\bshop\b", path)]
    project.does("check")
    project.does("rename-source", "store", "shop")
    after = project.files()
    assert {path: after[path] for path in after if "/base/" not in path} == {
        path: before[path] for path in before if "/base/" not in path
    }  # the bases remember what they were


@pytest.mark.parametrize("command", ["generate", "upgrade"])
def test_generating_twice_changes_nothing(project: Project, command: str) -> None:
    before = project.files()
    data = project.does(command, "--json", "--all").json
    assert {change["verb"] for change in data["changes"]} == {"unchanged"}
    assert not data["written"]
    assert project.files() == before
    project.does("check")


COMMANDS = [
    ("add-source", "crm", "--spec", "../crm.yaml"),
    ("add-source", "shop", "--spec", "../visits.yaml"),
    ("generate",),
    ("generate", "--runtime-only"),
    ("rename-source", "shop", "store"),
    ("remove-source", "shop", "--force"),
    ("mv", "src/shop_etl", "src/other"),
    ("mv", "README.md", "docs/README.md"),
    ("resolve", "AGENTS.md", "--mine"),
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_dry_run_says_what_happens(project: Project, words: tuple[str, ...]) -> None:
    project.edit(ORDERS, "def transform", "# ours\n\n\ndef transform")
    project.edit("README.md", "# shop-etl", "# The shop")
    project.path("AGENTS.md").unlink()
    project.edit("sources/shop.yaml", "numeric(12,2)", "numeric(14,2)")
    before = project.files()
    dry = project(words[0], *words[1:], "--dry-run", "--diff", "--json")
    assert project.files() == before
    real = project(words[0], *words[1:], "--diff", "--json")
    assert dry.code == real.code
    assert {**dry.json, "written": None} == {**real.json, "written": None}
    is_stale = "--runtime-only" not in words
    assert (dry.json["written"], real.json["written"]) == (False, is_stale)
    assert _written(before, project.files()) == {
        place
        for change in real.json["changes"]
        for place in (change["path"], change.get("origin"))
        if change["verb"] not in ("keep", "keep-deleted", "unchanged", "adopt") and place
    }
    for document in (dry.json, real.json):
        jsonschema.validate(document, schema_of("report"))


REFUSED: dict[str, tuple[tuple[str, ...], int]] = {
    "an edited file": (("remove-source", "shop"), 5),
    "a spec that is not generated": (("remove-source", "shop"), 5),
    "no such source": (("remove-source", "nobody"), 2),
    "no source to rename": (("rename-source", "nobody", "somebody"), 2),
    "a name that is taken": (("rename-source", "shop", "shop"), 2),
    "a name that is none": (("rename-source", "shop", "1"), 2),
    "a file at the new name": (("rename-source", "shop", "store"), 5),
    "a spec that is wrong": (("rename-source", "shop", "store"), 3),
    "a move to what is there": (("mv", "README.md", "notes.md"), 5),
    "a move to below a file": (("mv", "README.md", "notes.md/README.md"), 5),
    "a move of what is gone": (("mv", "gone.md", "docs/gone.md"), 2),
    "a move to a spec": (("mv", "README.md", "sources/readme.yaml"), 2),
    "a package that cannot be": (("mv", "src/shop_etl", "src/json"), 2),
    "a package that is there": (("mv", "src/shop_etl", "src/other"), 5),
    "a resolution of nothing": (("resolve", "README.md", "--mine"), 2),
    "a source that is wrong": (("add-source", "crm", "--spec", "../wrong.yaml"), 3),
    "a source without a file": (("add-source", "crm", "--spec", "../nothing.yaml"), 2),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_changes_nothing_and_a_dry_run_says_the_same(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    words, code = REFUSED[case]
    (tmp_path / "wrong.yaml").write_text(CRM.replace("bigint", "bigit"))
    project.write("notes.md", "ours\n")
    project.write("src/other/helpers.py", "OURS = 1\n")
    project.write("src/shop_etl/helpers.py", "OURS = 2\n")
    project.write("dags/shop_etl__store.py", "OURS = 3\n")
    if case == "an edited file":
        project.edit(ORDERS, "def transform", "# ours\n\n\ndef transform")
    if case == "a spec that is not generated":
        project.edit("sources/shop.yaml", "# our own", "# precious")
    if case == "a spec that is wrong":
        project.edit("sources/shop.yaml", "bigint", "bigit")
    monkeypatch.chdir(project.root)
    before = project.files()
    dry = project(*words, "--dry-run", "--json")
    real = project(*words, "--json")
    assert (dry.code, dry.json, dry.err) == (code, real.json, "")
    assert real.code == code
    assert real.json["findings"]
    assert project.files() == before
    assert not [path for path in project.root.rglob("*") if "tx-" in path.name]


@pytest.mark.parametrize(
    "words", [("generate",), ("rename-source", "shop", "store"), ("mv", "src/shop_etl", "src/s")]
)
def test_a_dry_run_says_which_conflicts_there_are(project: Project, words: tuple[str, ...]) -> None:
    line = 'Column("total", Numeric(12, 2))'
    project.edit(ORDERS, line, 'Column("total", Numeric(20, 2))')
    project.edit("sources/shop.yaml", "numeric(12,2)", "numeric(14,2)")
    before = project.files()
    reports = []
    for more in (("--dry-run",), ()):
        result = project(*words, *more, "--diff", "--json")
        assert (project.files() == before) == bool(more)
        (finding,) = result.json["findings"]
        # Only what to do next differs: without markers there is no line to go to.
        del finding["hint"], finding["line"]
        assert result.json.pop("written") != bool(more)
        reports.append((result.code, {**result.json, "findings": finding, "written": None}))
    assert reports[0] == reports[1]
    assert reports[0][0] == 4


def _written(before: dict[str, bytes], after: dict[str, bytes]) -> set[str]:
    paths = {path for path in {*before, *after} if before.get(path) != after.get(path)}
    return {path for path in paths if not path.startswith(".etlgen/")}


def test_every_document_is_as_published(project: Project, tmp_path: Path) -> None:
    documents = [
        project("check", "--json"),
        project("diff", "--json"),
        project("generate", "--json"),
        project("remove-source", "nobody", "--json"),
        project("resolve", "nowhere.py", "--json"),
        project("add-source", "crm", "--json"),
        project.at(tmp_path)("check", "--json"),
    ]
    project.path("README.md").unlink()
    documents.append(project("check", "--json"))
    assert {result.code for result in documents} == {0, 2, 3, 6}
    for result in documents:
        assert result.err == ""
        assert result.json["exit_code"] == result.code
        jsonschema.validate(json.loads(result.out), schema_of("report"))


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("crm", "clients:", "orders:", "crm.yaml: shop already has the table 'orders'"),
        ("shop-", "", "", "shop-"),
        ("json", "clients:", "connection:", "connection"),
    ],
)
def test_names_that_are_taken_are_refused(
    project: Project, tmp_path: Path, name: str, old: str, new: str, message: str
) -> None:
    (tmp_path / "taken.yaml").write_text(CRM.replace(old, new, 1))
    before = project.files()
    result = project("add-source", name, "--spec", tmp_path / "taken.yaml")
    assert result.code in (2, 3)
    assert message in result.err
    assert project.files() == before


def test_errors_name_the_spec_file_that_is_there(project: Project, tmp_path: Path) -> None:
    project.does("add-source", "crm", "--spec", tmp_path / "crm.yaml")
    crm = project.path("sources/crm.yaml").rename(project.path("sources/crm.yml"))
    project.does("check")
    for name, says in (
        ("orders", "sources/crm.yml: shop already has the table 'orders'"),
        ("connection", "sources/crm.yml: a resource can't be named 'connection'"),
    ):
        crm.write_text(CRM.replace("clients:", f"{name}:"))
        result = project("generate")
        assert result.code == 3
        assert says in result.err
    crm.write_text(CRM)
    hint = project("mv", project.path("sources/crm.yml"), project.path("docs/crm.yml")).err
    assert "etlgen rename-source crm NEW" in hint
    project.does("rename-source", "crm", "clients")
    assert project.path("sources/clients.yml").read_text() == CRM
    project.does("check")


def test_all_names_that_collide_are_said_with_the_file_that_was_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    two = BOTH.replace("orders:", "connection:")
    (tmp_path / "all.yaml").write_text(two.replace("clients:", "connection:\n        table: other"))
    result = Project(tmp_path, capsys)("new", "--spec", tmp_path / "all.yaml")
    assert result.code == 3, result.out + result.err
    assert result.err.count("all.yaml: a resource can't be named 'connection'") == 2


def test_options_say_what_is_missing(project: Project) -> None:
    result = project("add-source", "crm", "--kind", "file", "--resource", "clients")
    assert result.code == 3
    assert "missing 'columns'" in result.err
    assert ":1:" not in result.err
    assert "columns:" in result.out  # the skeleton
    both = project("add-source", "crm", "--kind", "file", "--spec", "../crm.yaml")
    assert (both.code, "take one of the two" in both.err) == (2, True)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("README.md", ".etlgen/README.md"),
        ("README.md", ".git/hooks/pre-commit"),
        ("README.md", "sources/readme.yaml"),
        ("README.md", "README.md"),
        ("nothing.md", "docs/nothing.md"),
        ("sources/shop.yaml", "sources/store.yaml"),
        ("src/shop_etl/sources/shop", "src/shop_etl/sources/store"),
        ("src/shop_etl", "src/json"),
        (ORDERS, "src/shop_etl/sources/shop/purchases.py"),
        ("README.md", "../README.md"),
    ],
)
def test_what_would_break_a_project_is_not_moved(project: Project, old: str, new: str) -> None:
    before = project.files()
    assert project("mv", project.path(old), project.path(new)).code == 2
    assert project.files() == before


def test_what_recovery_finished_is_said(project: Project) -> None:
    from tests.grow.test_traps import BIGGER, NEW, _crash_after_commit

    project.edit("sources/shop.yaml", *BIGGER)
    _crash_after_commit(project)
    assert "finished what an interrupted command had begun" in project.does("generate").err
    assert NEW in project.text(ORDERS)


def test_check_is_green_where_nothing_is_to_be_generated(
    project: Project, newer: Callable[..., None]
) -> None:
    assert "ok: " in project.does("check").out
    project.edit("etlgen.yaml", "name: shop-etl", "name: shop-etl # ours")
    project.does("check")  # a comment changes no code
    project.edit("sources/shop.yaml", "numeric(12,2)", "numeric(14,2)")
    assert project("check").code == 6
    project.does("generate")
    project.does("check")
    newer(**{"README.md": ("# shop-etl", "# Shop!")})
    checked = project.does("check")
    assert "generated by etlgen" in checked.out
    assert "only the state was checked" in checked.out
    project.does("upgrade")
    assert "only the state" not in project.does("check").out


def test_an_unchanged_unit_is_not_even_read(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from etlgen import generation

    project.does("add-source", "crm", "--spec", tmp_path / "crm.yaml")
    rendered: list[set[str]] = []
    real = generation.render_project

    def noting(plan: object, units: set[str]) -> object:
        rendered.append(set(units))
        return real(plan, units)  # type: ignore[arg-type]

    monkeypatch.setattr(generation, "render_project", noting)
    more = "name: {type: text}\n      age: {type: integer}"
    project.edit("sources/crm.yaml", "name: {type: text}", more)
    project.does("generate")
    assert rendered == [{"sources/crm"}]
