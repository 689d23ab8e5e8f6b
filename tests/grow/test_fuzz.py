"""Random edits of a whole project, by its team and by a newer etlgen, through the command line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pytest

from etlgen import generation
from etlgen.rendered import RenderedFile
from tests.grow.conftest import Project
from tests.grow.overlaps import overlaps
from tests.workspace.merging.test_merge_fuzz import BY_BOTH, BY_THE_TEAM, Edit, tokens

ROUNDS = 100  # of more than 20 files each


@dataclass(frozen=True)
class Sides:
    """A file as it was generated, as the team has it, and as the newer etlgen generates it."""

    base: str
    mine: str
    theirs: str

    @property
    def overlap(self) -> bool:
        return overlaps(self.base, self.mine, self.theirs)


@dataclass(frozen=True)
class Round:
    """How many files both sides edited, and how many of these came out in which way."""

    files: int
    overlapping: int
    senseless: int
    """Merged line by line, and a conflict since together the lines make no sense."""


def edited(text: str, side: str, kinds: Sequence[str], random: Random) -> str:
    edit = Edit(text, side, random)
    for _ in range(random.randint(1, 3)):
        getattr(edit, random.choice(kinds))()
    return edit.text


def upgraded(
    project: Project, random: Random, monkeypatch: pytest.MonkeyPatch, newer: Any
) -> tuple[Any, Mapping[str, Sides]]:
    """Both sides edit, and the command line brings them together: what it said, and the sides."""
    real = generation.styled
    theirs: dict[str, str] = {}

    def regenerated(files: Sequence[RenderedFile], **options: Any) -> list[RenderedFile]:
        done = [
            replace(file, text=edited(file.text, "gen", BY_BOTH, random)) if file.text else file
            for file in real(files, **options)
        ]
        theirs.update((file.path, file.text) for file in done)
        return done

    entries = [path for path in project.files() if not path.startswith((".etlgen/", "sources/"))]
    paths = [path for path in entries if path != "etlgen.yaml" and "/runtime/" not in path]
    base = {path: project.text(path) for path in paths}
    for path in paths:
        if base[path]:
            project.write(path, edited(base[path], "team", BY_THE_TEAM, random))
    mine = {path: project.text(path) for path in paths}
    monkeypatch.setattr(generation, "styled", regenerated)
    newer("9.0.0")
    result = project("upgrade", "--json")
    monkeypatch.setattr(generation, "styled", real)
    return result, {path: Sides(base[path], mine[path], theirs[path]) for path in paths}


def require_conflicts_where_edits_overlap(result: Any, sides: Mapping[str, Sides]) -> Round:
    """Exit 4 and a conflict for each overlap, and else only for a reason that is said."""
    changes = {change["path"]: change for change in result.json["changes"]}
    said = {one["file"]: one["message"] for one in result.json["findings"]}
    conflicts = {path for path, change in changes.items() if change["verb"] == "conflict"}
    overlapping = {path for path in sides if sides[path].overlap}
    assert result.code == (4 if conflicts else 0)
    assert said.keys() == conflicts
    assert {path for path in conflicts if "overlapping edit" in said[path]} == overlapping
    for path in conflicts:
        assert said[path] == f"conflict: {changes[path]['note']}"
        assert said[path] != "conflict: "
    return Round(len(sides), len(overlapping), len(conflicts - overlapping))


def require_nothing_lost(project: Project, sides: Mapping[str, Sides]) -> None:
    mine = {path: tokens("team", side.mine) for path, side in sides.items()}
    for path in sides:
        assert not mine[path] - tokens("team", project.text(path)), path
    conflicts = [path for path in sides if "<<<<<<< yours" in project.text(path)]
    for path in conflicts:
        assert project("check").code == 4
        project.does("resolve", project.path(path), "--mine")
        assert not mine[path] - tokens("team", project.text(path)), path
    assert project("check").code == 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(ROUNDS))
def test_nothing_is_lost_and_every_overlap_is_a_conflict(
    project: Project,
    seed: int,
    monkeypatch: pytest.MonkeyPatch,
    newer: Any,
    record_property: Any,
) -> None:
    result, sides = upgraded(project, Random(seed), monkeypatch, newer)
    done = require_conflicts_where_edits_overlap(result, sides)
    record_property("senseless", done.senseless)
    assert 0 < done.overlapping < done.files
    require_nothing_lost(project, sides)


BASE = "".join(f"{n}\n" for n in range(10))


@pytest.mark.parametrize(
    ("mine", "theirs", "is_overlap"),
    [
        (("4\n", "mine\n"), ("4\n", "theirs\n"), True),
        (("4\n", "mine\n"), ("4\n", "mine\n"), False),  # both the same
        (("4\n", "mine\n"), ("5\n", "theirs\n"), True),  # one beside the other
        (("4\n", "mine\n"), ("6\n", "theirs\n"), False),
        (("4\n", "4\nmine\n"), ("5\n", "theirs\n5\n"), True),  # at one place
        (("4\n", "4\nmine\n"), ("4\n", "theirs\n4\n"), False),  # before and after a line
        (("4\n", "4\nmine\n"), ("5\n", ""), True),
        (("4\n", "4\nmine\n"), ("6\n", ""), False),
        (("3\n4\n5\n", ""), ("4\n", "theirs\n"), True),
        (("3\n4\n", ""), ("4\n5\n", ""), True),
        (("9\n", "9\nmine\n"), ("0\n", "theirs\n0\n"), False),
        (("0\n", "mine\n0\n"), ("0\n", "theirs\n0\n"), True),
        (("4\n", "4\n"), ("4\n", "theirs\n"), False),  # no edit
    ],
)
def test_what_an_overlap_is(
    mine: tuple[str, str], theirs: tuple[str, str], is_overlap: bool
) -> None:
    sides = [BASE.replace(*edit) for edit in (mine, theirs)]
    assert overlaps(BASE, *sides) == is_overlap
    assert overlaps(BASE, *reversed(sides)) == is_overlap
