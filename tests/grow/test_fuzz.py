"""Random edits of a whole project, by its team and by a newer etlgen, through the command line."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from etlgen import generation
from etlgen.rendered import RenderedFile
from tests.grow.conftest import Project
from tests.workspace.merging.test_merge_fuzz import BY_BOTH, BY_THE_TEAM, Edit, tokens

ROUNDS = 100  # of more than 20 files each


def edited(text: str, side: str, kinds: Sequence[str], random: Random) -> str:
    edit = Edit(text, side, random)
    for _ in range(random.randint(1, 3)):
        getattr(edit, random.choice(kinds))()
    return edit.text


def require_nothing_lost(
    project: Project, random: Random, monkeypatch: pytest.MonkeyPatch, newer: Any
) -> int:
    real = generation.styled

    def regenerated(files: Sequence[RenderedFile], **options: Any) -> list[RenderedFile]:
        return [
            replace(file, text=edited(file.text, "gen", BY_BOTH, random)) if file.text else file
            for file in real(files, **options)
        ]

    entries = [path for path in project.files() if not path.startswith((".etlgen/", "sources/"))]
    paths = [path for path in entries if path != "etlgen.yaml" and "/runtime/" not in path]
    for path in paths:
        if project.text(path):
            project.write(path, edited(project.text(path), "team", BY_THE_TEAM, random))
    mine = {path: tokens("team", project.text(path)) for path in paths}
    monkeypatch.setattr(generation, "styled", regenerated)
    newer("9.0.0")
    result = project("upgrade", "--json")
    monkeypatch.setattr(generation, "styled", real)
    verbs = {change["path"]: change["verb"] for change in result.json["changes"]}
    conflicts = [path for path, verb in verbs.items() if verb == "conflict"]
    for path in paths:
        assert not mine[path] - tokens("team", project.text(path)), path
    assert result.code == (4 if conflicts else 0)
    for path in conflicts:
        assert project("check").code == 4
        project.does("resolve", project.path(path), "--mine")
        assert not mine[path] - tokens("team", project.text(path)), path
    assert project("check").code == 0
    return len(conflicts)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(ROUNDS))
def test_nothing_of_the_team_is_lost(
    project: Project, seed: int, monkeypatch: pytest.MonkeyPatch, newer: Any
) -> None:
    assert require_nothing_lost(project, Random(seed), monkeypatch, newer) > 0
