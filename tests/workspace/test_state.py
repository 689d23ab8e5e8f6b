"""What is remembered: one state file for each generated file, so that git merges it alike."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from etlgen.errors import Refused
from etlgen.rendered import sha256
from etlgen.workspace.entries import REMEMBERED, Entry, Pending, Unit, unit_text
from etlgen.workspace.state import (
    base_path,
    base_text,
    housekeeping,
    pending_path,
    read_state,
    unit_path,
    without,
)

UNIT = Unit("sources/crm", "0.2.0", "26.1", "input", ("table orders",), ("etlgen",))
ENTRY = Entry("r.py.jinja", "orders", "src/a/orders.py", sha256("x\n"), "before-black")


def write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(text.encode())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path, unit_path(UNIT.name), unit_text(UNIT))
    write(tmp_path, base_path(UNIT.name, ENTRY), base_text(ENTRY, "x\n"))
    return tmp_path


@pytest.mark.parametrize(
    "entry",
    [
        ENTRY,
        replace(ENTRY, moved_to="b/c", is_deleted=True, superseded=("1", "2")),
        replace(ENTRY, unstyled_sha256=None, pending=Pending("id", "1", "2")),
    ],
)
def test_what_is_written_is_read_again(tmp_path: Path, entry: Entry) -> None:
    write(tmp_path, unit_path(UNIT.name), unit_text(UNIT))
    write(tmp_path, base_path(UNIT.name, entry), base_text(entry, "x\n"))
    state = read_state(tmp_path)
    assert state.units == {UNIT.name: UNIT}
    assert state.memory(UNIT.name).entries == {entry.key: entry}
    assert not state.is_outdated


def test_a_base_is_given_as_it_was_generated(root: Path) -> None:
    memory = read_state(root).memory(UNIT.name)
    assert memory.base(ENTRY) == "x\n"
    for text in ("y\n", "x\r\n", "x"):
        write(root, base_path(UNIT.name, ENTRY), base_text(ENTRY, text))
        with pytest.raises(Refused, match="git checkout --ours"):
            memory.base(ENTRY)


@pytest.mark.parametrize("text", ["", "{", '{"format": 2}', "<<<<<<< HEAD\n{}", "[]", "1"])
def test_state_that_cannot_be_read_is_refused_with_a_way_out(root: Path, text: str) -> None:
    write(root, unit_path(UNIT.name), text)
    with pytest.raises(Refused, match="after a merge of branches"):
        read_state(root)
    write(root, unit_path(UNIT.name), unit_text(UNIT))
    write(root, base_path(UNIT.name, ENTRY), text)
    with pytest.raises(Refused, match="after a merge of branches"):
        _ = read_state(root).memory(UNIT.name).entries


def test_the_state_of_a_newer_format_is_refused(root: Path) -> None:
    data = {**json.loads(unit_text(UNIT)), "format": 3, "etlgen": "9.1"}
    write(root, unit_path(UNIT.name), json.dumps(data))
    with pytest.raises(Refused, match=r"is of a newer etlgen, 9\.1; upgrade etlgen"):
        read_state(root)


@pytest.mark.parametrize("path", ["../evil", "/etc/passwd", "a/../../b", "C:\\x", "con/x", "a\0b"])
def test_a_path_out_of_the_project_is_refused(root: Path, path: str) -> None:
    for entry in (Entry("t", None, path, "0"), Entry("t", None, "a", "0", moved_to=path)):
        write(root, f".etlgen/base/{UNIT.name}/x.base", base_text(entry, ""))
        with pytest.raises(Refused):
            _ = read_state(root).memory(UNIT.name).entries


def test_paths_are_kept_apart_in_one_folder() -> None:
    paths = ["a/b", "a+b", "a%2Bb", "a%2fb", "a%b"]
    files = {base_path("u", Entry("t", None, path, "0")) for path in paths}
    assert len(files) == len(paths)
    assert {file.rpartition("/")[0] for file in files} == {".etlgen/base/u"}


def test_earlier_generations_are_remembered_until_they_come_again() -> None:
    entry = Entry("t", None, "a", "0")
    for number in range(1, REMEMBERED + 5):
        entry = entry.advanced(str(number), None)
    assert entry.superseded == tuple(str(n) for n in range(REMEMBERED + 3, 3, -1))
    assert entry.advanced("8", None).superseded[:2] == ("14", "13")
    assert "8" not in entry.advanced("8", None).superseded


def test_git_leaves_the_state_alone() -> None:
    files = housekeeping()
    assert files[".etlgen/.gitattributes"] == "** -text -merge linguist-generated\n"
    assert {"tx-*", "lock"} <= set(files[".etlgen/.gitignore"].split())


def test_the_state_of_a_path_that_was_left_alone_stays() -> None:
    left = frozenset({ENTRY.path})
    own = (base_path(UNIT.name, ENTRY), pending_path(UNIT.name, ENTRY))
    for path in own:
        assert without(path, b"new", b"old", left) == b"old"
        assert without(path, b"new", None, left) is None
        assert without(path, b"new", b"old", frozenset({"src/a/orders"})) == b"new"
    unit = without(unit_path(UNIT.name), unit_text(UNIT).encode(), None, left)
    assert unit is not None
    assert json.loads(unit)["input_sha256"] == ""  # so that it is generated again
    assert without(unit_path(UNIT.name), None, b"old", left) == b"old"
    for strange in (b"", b"[]", b'{"format": 9, "etlgen": "9"}'):
        assert without(unit_path(UNIT.name), strange, b"old", left) == b"old"
    assert without("no-state", b"new", b"old", left) == b"new"


def test_format_1_is_read(tmp_path: Path) -> None:
    def unit(name: str, *files: tuple[str, str | None, str]) -> None:
        entries = [
            {
                "template": template,
                "resource": resource,
                "path": path,
                "sha256": sha256(path),
                "unstyled_sha256": None,
            }
            for template, resource, path in files
        ]
        header = {"format": 1, "unit": name, "etlgen": "0.1.0", "black": "26", "input_sha256": "i"}
        write(tmp_path, unit_path(name), json.dumps({**header, "files": entries}))
        for _, _, path in files:
            write(tmp_path, f".etlgen/base/{name}/{path}.base", path)

    unit("etlgen", ("project/README.md", None, "README.md"), ("runtime/a.py", None, "src/a.py"))
    unit("sources/crm", ("r.py", "crm.orders", "src/orders.py"))
    state = read_state(tmp_path)
    assert state.is_outdated
    found = {(unit, entry.key): state.memory(unit).base(entry) for unit, entry in state.entries()}
    assert found == {
        ("etlgen", ("project/README.md", None)): "README.md",
        ("runtime", ("runtime/a.py", None)): "src/a.py",
        ("sources/crm", ("r.py", "orders")): "src/orders.py",
    }
