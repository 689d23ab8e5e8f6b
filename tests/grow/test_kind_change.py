"""A source is of another kind from now on: its files are the same files."""

import pytest

from tests.grow.conftest import ORDERS, Project
from tests.grow.test_branches import COUNTER, toy_kind

__all__ = ["toy_kind"]


@pytest.mark.usefixtures("toy_kind")
def test_what_nobody_edited_is_generated_anew(project: Project) -> None:
    project.write("sources/shop.yaml", COUNTER.replace("blocks", "orders"))
    dry = project("generate", "--dry-run", "--json").json
    project.does("generate")
    project.does("check")
    assert "from pathlib import Path" not in project.text(ORDERS)
    verbs = {change["path"]: change["verb"] for change in dry["changes"]}
    assert verbs[ORDERS] == "update"


@pytest.mark.usefixtures("toy_kind")
def test_an_edit_is_merged_or_in_conflict_and_never_lost(project: Project) -> None:
    project.edit(ORDERS, "def transform", "# ours\n\n\ndef transform")
    project.write("sources/shop.yaml", COUNTER.replace("blocks", "orders"))
    assert project("generate").code in (0, 4)
    assert "# ours" in project.text(ORDERS)
