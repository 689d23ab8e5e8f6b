"""A file goes back to an earlier text, or goes, while etlgen remembers a later one."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.grow.conftest import ORDERS, Project
from tests.grow.test_traps import BIGGER, NEW, OLD, OURS

EDIT = ("def transform", "# ours\n\n\ndef transform")


@pytest.fixture
def merged(project: Project) -> Project:
    """The team's edit is committed; the spec's change is merged into it, and is not."""
    project.edit(ORDERS, *EDIT)
    project.committed("edited")
    project.edit("sources/shop.yaml", *BIGGER)
    project.does("generate")
    assert NEW in project.text(ORDERS)
    return project


def test_an_edited_file_from_before_a_merge_is_red(merged: Project) -> None:
    merged.git("checkout", "--", ORDERS)
    checked = merged("check", "--json")
    assert checked.code == 6
    assert [(one["file"], one["code"]) for one in checked.json["findings"]] == [
        (ORDERS, "outdated")
    ]


@pytest.mark.parametrize(
    "words", [("generate",), ("generate", "--all"), ("resolve", ORDERS, "--new")]
)
def test_nothing_is_made_of_it_by_itself(merged: Project, words: tuple[str, ...]) -> None:
    merged.git("checkout", "--", ORDERS)
    before = merged.files()
    paths = [merged.path(one) if one == ORDERS else one for one in words]
    result = merged(*paths)
    assert result.code == 5
    assert f"git checkout -- {ORDERS} .etlgen" in result.err
    assert merged.files() == before


def test_the_printed_way_out_merges_again(merged: Project) -> None:
    merged.git("checkout", "--", ORDERS)
    hint = merged("generate", "--json").json["findings"][0]["hint"]
    command = hint.partition("git checkout -- ")[2].partition(",")[0].split()
    assert command == [ORDERS, ".etlgen"]
    merged.git("checkout", "--", *command)
    merged.does("generate")
    assert NEW in merged.text(ORDERS)
    assert EDIT[1] in merged.text(ORDERS)
    merged.does("check")


def test_it_may_be_meant_to_be_so(merged: Project) -> None:
    merged.git("checkout", "--", ORDERS)
    before = merged.text(ORDERS)
    merged.does("resolve", merged.path(ORDERS), "--mine")
    merged.does("check")
    merged.does("generate")
    assert merged.text(ORDERS) == before


def test_a_file_that_nobody_edited_is_generated_again(project: Project) -> None:
    project.committed("generated")
    project.edit("sources/shop.yaml", *BIGGER)
    project.does("generate")
    project.git("checkout", "--", ORDERS)
    assert project("check").code == 6
    project.edit("sources/shop.yaml", "numeric(14,2)", "numeric(16,2)")
    project.does("generate")
    assert "Numeric(16, 2)" in project.text(ORDERS)
    project.does("check")


def test_a_missing_file_that_comes_back_gets_what_it_missed(project: Project) -> None:
    project.edit(ORDERS, *EDIT)
    project.committed("edited")
    project.path(ORDERS).unlink()
    project.edit("sources/shop.yaml", *BIGGER)
    project.does("generate")
    assert project("check").code == 6
    project.git("checkout", "--", ORDERS)
    assert project("check").code == 6
    project.does("generate")
    assert NEW in project.text(ORDERS)
    assert EDIT[1] in project.text(ORDERS)
    project.does("check")


def test_a_conflict_outlives_its_file(project: Project) -> None:
    project.edit(ORDERS, OLD, OURS)
    project.committed("edited")
    project.edit("sources/shop.yaml", *BIGGER)
    assert project("generate").code == 4
    project.path(ORDERS).unlink()
    project("generate")
    assert project("check").code != 0
    project.git("checkout", "--", ORDERS)
    assert project("check").code == 4
    assert project("generate").code == 4
    assert "<<<<<<< yours" in project.text(ORDERS)


def test_a_text_from_before_a_conflict_is_red_after_it_was_settled(project: Project) -> None:
    project.edit(ORDERS, OLD, OURS)
    project.committed("edited")
    project.edit("sources/shop.yaml", *BIGGER)
    assert project("generate").code == 4
    project.does("resolve", project.path(ORDERS), "--new")
    project.does("check")
    project.git("checkout", "--", ORDERS)
    assert project("check").code == 6


def test_ones_own_side_is_no_earlier_text(project: Project) -> None:
    project.edit(ORDERS, OLD, OURS)
    project.committed("edited")
    project.edit("sources/shop.yaml", *BIGGER)
    assert project("generate").code == 4
    project.does("resolve", project.path(ORDERS), "--mine")
    project.does("check")
    project.does("generate")


def test_a_side_that_makes_no_sense_is_not_taken(project: Project) -> None:
    """The team has the column that the spec now has: the new side would have it twice."""
    column = '    Column("colour", Text),\n    Column("total"'
    project.edit(ORDERS, '    Column("total"', column)
    spec = project.text("sources/shop.yaml")
    line = next(one for one in spec.split("\n") if "total:" in one)
    indent = line[: len(line) - len(line.lstrip())]
    project.write(
        "sources/shop.yaml", spec.replace(line, f"{line}\n{indent}colour: {{type: text}}")
    )
    assert project("generate").code == 4
    before = project.files()
    result = project("resolve", project.path(ORDERS), "--new")
    assert result.code == 5
    assert "stands twice" in result.err
    assert project.files() == before
    project.does("resolve", project.path(ORDERS), "--mine")
    project.does("check")
    compile(project.text(ORDERS), ORDERS, "exec")
    assert project.text(ORDERS).count('Column("colour"') == 1


def test_a_conflict_outlives_its_template(
    project: Project, newer: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file in conflict that a newer etlgen makes no longer is settled first."""
    from etlgen.render import project as rendering

    project.edit("Makefile", "test:", "test: # ours\n# team\nfoo:")
    newer("8.0.0", Makefile=("test:", "test: # new"))
    assert project("upgrade").code == 4
    newer("9.0.0")
    rendered = rendering._rendered

    def without(*arguments: Any, **options: Any) -> Iterator[Any]:
        return (file for file in rendered(*arguments, **options) if file.path != "Makefile")

    monkeypatch.setattr(rendering, "_rendered", without)
    before = project.files()
    result = project("upgrade")
    assert result.code == 5
    assert "has an unresolved conflict, and is generated no longer" in result.err
    assert project.files() == before
    project.does("resolve", project.path("Makefile"), "--mine")
    project.does("upgrade")
    assert "# team" in project.text("Makefile")
