"""State that someone damaged: what is not as etlgen writes it is refused, and it says why."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etlgen.workspace.entries import (
    Damaged,
    Entry,
    NewerFormat,
    Pending,
    Unit,
    entry_of,
    fields,
    files_of_format_1,
    header,
    unit_of,
    unit_text,
)

UNIT = Unit("sources/crm", "0.2.0", "26.1", "input", ("table orders",), ("etlgen",), "files")
ENTRY = Entry(
    "r.py.jinja",
    "orders",
    "src/a/orders.py",
    "sha",
    "before-black",
    moved_to="src/b.py",
    is_deleted=True,
    superseded=("1", "2"),
    pending=Pending("id", "3", "4", 9),
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def keys(text: str) -> list[tuple[str, ...]]:
    """The places of all values of a JSON object."""
    data = json.loads(text)
    inner = [(key, one) for key, value in data.items() if isinstance(value, dict) for one in value]
    return [*((key,) for key in data), *inner]


def altered(text: str, place: tuple[str, ...], value: object) -> str:
    data: Any = json.loads(text)
    at = data
    for key in place[:-1]:
        at = at[key]
    at[place[-1]] = value
    return json.dumps(data)


@given(st.sampled_from(keys(unit_text(UNIT))), ANYTHING)
def test_a_unit_with_any_value_is_refused_or_written_again(
    place: tuple[str, ...], value: object
) -> None:
    try:
        unit = unit_of(fields(altered(unit_text(UNIT), place, value)))
    except (Damaged, NewerFormat):
        return
    assert unit_of(fields(unit_text(unit).encode())) == unit


@given(st.sampled_from(keys(header(ENTRY))), ANYTHING)
def test_an_entry_with_any_value_is_refused_or_written_again(
    place: tuple[str, ...], value: object
) -> None:
    try:
        entry = entry_of(fields(altered(header(ENTRY), place, value)))
    except Damaged:
        return
    assert entry_of(fields(header(entry).encode())) == entry


@given(st.binary() | ANYTHING.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_an_object_or_refused(raw: bytes) -> None:
    try:
        assert isinstance(fields(raw), Mapping)
    except Damaged:
        return


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is not JSON"),
        ("<<<<<<< HEAD\n{}", "is not JSON"),
        ('{"format": 2', "is not JSON"),
        ("[" * 100_000, "is nested too deeply"),
        ("9" * 5_000, "is not JSON"),
        ("NaN", "is not an object of JSON"),
        ("[]", "is not an object of JSON"),
        ("{}", "its 'format' is not a number of one"),
    ],
    ids=lambda text: text[:15],
)
def test_what_is_not_an_object_is_damaged(text: str, why: str) -> None:
    with pytest.raises(Damaged, match=why):
        unit_of(fields(text))


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("format", True, "its 'format' is not a number of one"),
        ("format", 0, "its 'format' is not a number of one"),
        ("format", float("nan"), "its 'format' is not a number of one"),
        ("format", "2", "its 'format' is not a number of one"),
        ("etlgen", None, "its 'etlgen' is not text"),
        ("black", 26.1, "its 'black' is not text"),
        ("input_sha256", ["x"], "its 'input_sha256' is not text"),
        ("claims", 5, "its 'claims' is not a list"),
        ("claims", None, "its 'claims' is not a list"),
        ("claims", "table a", "its 'claims' is not a list"),
        ("claims", [5], "its 'claims' is not text"),
        ("needs", {"a": 1}, "its 'needs' is not a list"),
        ("files_sha256", None, "its 'files_sha256' is not text"),
        ("unit", "\ud800", "its 'unit' holds half a character"),
    ],
)
def test_a_unit_says_which_value_is_damaged(key: str, value: object, why: str) -> None:
    with pytest.raises(Damaged, match=why):
        unit_of(fields(altered(unit_text(UNIT), (key,), value)))


@pytest.mark.parametrize(
    ("place", "value", "why"),
    [
        (("template",), 1, "its 'template' is not text"),
        (("resource",), ["orders"], "its 'resource' is not text"),
        (("path",), None, "its 'path' is not text"),
        (("path",), "../evil", "its 'path' is not a plain path"),
        (("moved_to",), "/etc/passwd", "its 'moved_to' is not a plain path"),
        (("moved_to",), False, "its 'moved_to' is not text"),
        (("sha256",), None, "its 'sha256' is not text"),
        (("unstyled_sha256",), float("nan"), "its 'unstyled_sha256' is not text"),
        (("deleted",), "yes", "its 'deleted' is neither true nor false"),
        (("superseded",), {"a": 1}, "its 'superseded' is not a list"),
        (("superseded",), [None], "its 'superseded' is not text"),
        (("pending",), {"x": 1}, "its 'id' is not text"),
        (("pending",), None, "is not an object of JSON"),
        (("pending",), ["id"], "is not an object of JSON"),
        (("pending", "marker_size"), 6, "its 'marker_size' is not the length"),
        (("pending", "marker_size"), True, "its 'marker_size' is not the length"),
        (("pending", "marker_size"), 1 << 40, "its 'marker_size' is not the length"),
        (("pending", "theirs_sha256"), 0, "its 'theirs_sha256' is not text"),
    ],
)
def test_an_entry_says_which_value_is_damaged(
    place: tuple[str, ...], value: object, why: str
) -> None:
    with pytest.raises(Damaged, match=why):
        entry_of(fields(altered(header(ENTRY), place, value)))


@pytest.mark.parametrize("files", [None, {}, 5, [5], [[]]])
def test_the_files_of_format_1_are_a_list_of_objects(files: object) -> None:
    with pytest.raises(Damaged):
        files_of_format_1({"files": files})


def test_a_newer_format_says_whose_it_is() -> None:
    text = altered(altered(unit_text(UNIT), ("format",), 3), ("etlgen",), "9.1")
    with pytest.raises(NewerFormat, match=r"^9\.1$"):
        unit_of(fields(text))


def test_only_what_is_out_of_the_ordinary_is_written() -> None:
    plain = replace(ENTRY, moved_to=None, is_deleted=False, superseded=(), pending=None)
    assert [*json.loads(header(plain))] == [
        "template",
        "resource",
        "path",
        "sha256",
        "unstyled_sha256",
    ]
