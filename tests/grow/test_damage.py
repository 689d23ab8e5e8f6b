"""State that is damaged or lost: each command says so and how to go on, and loses nothing."""

import json
from typing import Any

import pytest

from tests.grow.conftest import ORDERS, Project

UNIT = ".etlgen/units/sources/shop.json"
BASES = ".etlgen/base/sources/shop"
BASE = f"{BASES}/src+shop_etl+sources+shop+orders.py.base"
COMMANDS = [
    ("generate",),
    ("generate", "--dry-run"),
    ("upgrade", "--all"),
    ("diff",),
    ("resolve", ORDERS, "--mine"),
    ("mv", "env", "settings"),
    ("rename-source", "shop", "store"),
    ("remove-source", "shop", "--force"),
]


def with_value(text: str, key: str, value: object) -> str:
    first, _, rest = text.partition("\n")
    if first == "{":
        first, rest = text, ""
    data: dict[str, Any] = json.loads(first)
    return json.dumps({**data, key: value}) + "\n" + rest


def refused(project: Project, words: tuple[str, ...], code: int = 5) -> list[dict[str, Any]]:
    before = project.files()
    result = project(words[0], *words[1:], "--json")
    assert result.code == code, (words, result.out)
    assert project.files() == before
    found: list[dict[str, Any]] = result.json["findings"]
    return found


@pytest.mark.parametrize(
    "damage",
    [
        ("claims", 5),
        ("claims", [None]),
        ("input_sha256", None),
        ("etlgen", {}),
        ("format", float("nan")),
        ("files_sha256", []),
    ],
    ids=repr,
)
def test_a_damaged_unit_is_refused_by_every_command(
    project: Project, damage: tuple[str, object]
) -> None:
    project.write(UNIT, with_value(project.text(UNIT), *damage))
    for words in [("check",), *COMMANDS]:
        (finding,) = refused(project, words)
        assert (finding["file"], finding["code"]) == (UNIT, "altered-base"), words
        assert f"cannot be read: its {damage[0]!r}" in finding["message"]
        assert "bring it back with git" in finding["hint"]


@pytest.mark.parametrize(
    "damage",
    [
        ("sha256", None),
        ("superseded", {"a": 1}),
        ("pending", {"x": 1}),
        ("deleted", 1),
        ("resource", []),
        ("path", "src/other.py"),
    ],
    ids=repr,
)
def test_a_damaged_base_is_refused_by_every_command(
    project: Project, damage: tuple[str, object]
) -> None:
    project.write(BASE, with_value(project.text(BASE), *damage))
    assert [one["file"] for one in refused(project, ("check",), 6)] == [BASE]
    for words in COMMANDS:
        (finding,) = refused(project, words)
        assert (finding["file"], finding["code"]) == (BASE, "altered-base"), words
        assert "bring it back with git" in finding["hint"]


@pytest.mark.parametrize("text", ["", "\n", "[]", "{" * 9, "[" * 100_000, "NaN"], ids=len)
def test_state_that_is_no_json_is_refused(project: Project, text: str) -> None:
    for path in (UNIT, BASE):
        before = project.text(path)
        project.write(path, text)
        assert [one["file"] for one in refused(project, ("generate",))] == [path]
        project.write(path, before)
    project.does("check")


def lose(project: Project, folder: str) -> None:
    for file in project.path(folder).iterdir():
        file.unlink()
    project.path(folder).rmdir()  # as git does, which keeps no empty folder


def test_lost_bases_are_said_and_git_brings_them_back(project: Project) -> None:
    project.edit(ORDERS, "def transform", "# ours\n\n\ndef transform")
    project.committed()
    lose(project, BASES)
    checked = refused(project, ("check",), 6)
    assert [(one["file"], one["code"]) for one in checked] == [(BASES, "lost-base")]
    for words in COMMANDS:
        (finding,) = refused(project, words)
        assert (finding["file"], finding["code"]) == (BASES, "lost-base"), words
        assert finding["hint"].startswith(f"git checkout -- {BASES} brings it back; ")
    project.git("checkout", "--", BASES)
    project.does("check")
    assert project.does("generate").out.endswith("Nothing to write.\n")


def test_bases_that_are_lost_for_good_are_made_anew_and_no_edit_is_lost(project: Project) -> None:
    before = project.files()
    project.edit(ORDERS, "def transform", "# ours\n\n\ndef transform")
    lose(project, BASES)
    (finding,) = refused(project, ("generate",))
    assert finding["hint"].endswith(f"where git has none of it: rm {UNIT} && etlgen generate")
    project.path(UNIT).unlink()
    edited = project.text(ORDERS)
    (finding,) = refused(project, ("generate",))
    assert (finding["file"], finding["code"]) == (ORDERS, "occupied")
    assert "move it away, run this again, then copy over what you need" in finding["hint"]
    project.path(ORDERS).unlink()
    project.does("generate")
    assert project.files() == before
    project.write(ORDERS, edited)
    project.does("check")
    assert "+# ours" in project.does("diff").out


def test_one_lost_base_is_said_where_the_file_was_edited(project: Project) -> None:
    project.edit(ORDERS, "def transform", "# ours\n\n\ndef transform")
    project.committed()
    project.path(BASE).unlink()
    for words, code in ((("generate",), 5), (("check",), 6)):
        (finding,) = refused(project, words, code)
        assert finding["message"] == "is there already, and .etlgen does not know it"
        assert finding["hint"].startswith(f"if its base was lost: git checkout -- {BASE}; else ")
    project.git("checkout", "--", BASE)
    project.does("check")


def test_one_lost_base_of_what_nobody_edited_is_made_anew(project: Project) -> None:
    before = project.files()
    project.path(BASE).unlink()
    (finding,) = refused(project, ("check",), 6)
    assert (finding["file"], finding["code"]) == (ORDERS, "lost-base")
    project.does("generate")
    assert project.files() == before
