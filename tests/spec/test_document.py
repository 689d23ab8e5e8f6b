"""Hardened reading of YAML (I21-I23), with the pure parser and with libyaml's."""

import time
import tracemalloc
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from etlgen.errors import Finding, SpecError
from etlgen.spec import document
from etlgen.spec.document import Span, parse_document
from etlgen.spec.text import MAX_BYTES, decode


@pytest.fixture(autouse=True, params=["CSafeLoader", "SafeLoader"])
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if not hasattr(yaml, request.param):
        pytest.skip("PyYAML without libyaml")
    monkeypatch.setattr(document, "_LOADER", getattr(yaml, request.param))


def refused(text: str) -> Finding:
    with pytest.raises(SpecError) as caught:
        parse_document(text, "spec.yaml")
    (finding,) = caught.value.findings
    assert finding.file == "spec.yaml"
    return finding


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{key}: &{key} [{','.join([f'*{before}'] * 9)}]\n"
    for before, key in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("a: 1\nb: !!python/object/apply:os.system ['touch canary_I21']", 2, 4, "tags ("),
        ("a: !local x", 1, 4, "tags ('!local') are not read"),
        ("a: !!str 1", 1, 4, "tags ("),
        (BOMB, 1, 4, "anchors (&) are not read"),
        ("a: *b", 1, 4, "aliases (*) are not read"),
        ("a: 1\nb: 2\na: 3", 3, 1, "duplicate key 'a', first in line 1"),
        ("a: {x: 1, x: 2}", 1, 11, "duplicate key 'x', first in line 1"),
        ("a: 1\n<<: {b: 2}", 2, 1, "merge keys (<<) are not read"),
        ("a: 1\n---\nb: 2", 2, 1, "a second document"),
        ("%YAML 1.1\n---\na: 1", 1, 1, "YAML directives"),
        ("? [a]\n: 1", 1, 3, "a key must be text"),
        ("? {a: 1}\n: 1", 1, 3, "a key must be text"),
        ("a:\n\t- 1", 2, 1, "cannot start any token"),
        ("a: [1, 2", 1, 9, "expected ',' or ']'"),
        ("a: b: c", 1, 5, "mapping values are not allowed"),
        ("a: @daily", 1, 4, "cannot start any token"),
        ("a: */5 * * * *", 1, 4, "while scanning an alias"),
        ("a: b\nc: \x07", 2, 4, "U+0007 cannot stand in YAML"),
    ],
)
def test_i21_i22_i23_what_is_refused_is_placed(
    text: str, line: int, column: int, message: str
) -> None:
    finding = refused(text)
    assert message in finding.message
    assert (finding.line, finding.column) == (line, column)
    assert finding.code == "yaml"


@pytest.mark.parametrize(("text", "message"), [(BOMB, "anchors"), ("[" * 100_000, "64 levels")])
def test_i22_a_bomb_costs_neither_time_nor_memory(text: str, message: str) -> None:
    start = time.perf_counter()
    assert message in refused(text).message
    assert time.perf_counter() - start < (2 if text == BOMB else 10)
    tracemalloc.start()
    refused(text)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50_000_000


def test_depth_is_limited_in_blocks_too() -> None:
    nested = "".join(f"{' ' * level}a:\n" for level in range(70))
    assert "64 levels" in refused(nested).message


def test_size_is_limited() -> None:
    finding = refused("a: " + "x" * MAX_BYTES)
    assert finding.message == "5,000,003 bytes; a spec file has at most 5,000,000"
    with pytest.raises(SpecError, match="5,000,001 bytes"):
        decode(b"x" * (MAX_BYTES + 1), "spec.yaml")


def test_bytes_that_are_not_utf_8_are_placed() -> None:
    with pytest.raises(SpecError, match=r"spec.yaml:2: byte 0xff is not UTF-8"):
        decode(b"a: 1\nb: \xff", "spec.yaml")
    assert decode(b"\xef\xbb\xbfa: 1", "spec.yaml") == "a: 1"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((text, text) for text in ("NO", "no", "yes", "on", "y", "007", "00501", "12:30:00")),
        *((text, text) for text in ("1_000", "0o7", "0x1f", "0b1", "2026-01-31", ".inf", ".nan")),
        *((text, text) for text in ("1.2.3", "1e", "+", ".", "=", "01.5", "tRue", "1__0", "٣")),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-3", -3),
        ("+4", 4),
        ("0", 0),
        ("1.50", Decimal("1.50")),
        ("1e3", Decimal("1e3")),
        ("-.5", Decimal("-0.5")),
        ("'12'", "12"),
        ('"true"', "true"),
        ("|\n  12", "12"),
    ],
)
def test_i23_scalars_of_yaml_1_2(text: str, value: Any) -> None:
    read = parse_document(f"a: {text}", "spec.yaml").tree["a"]
    assert read == value
    assert type(read) is type(value)


def test_keys_are_the_text_that_stands_there() -> None:
    assert parse_document("{1: a, null: b, true: c, 1.0: d}", "s").tree == {
        "1": "a",
        "null": "b",
        "true": "c",
        "1.0": "d",
    }


def test_every_value_knows_its_place() -> None:
    spans = parse_document("é: 1\nlist:\n  - {x: 'y z'}\n", "spec.yaml").spans
    places = {path: (span.key, span.start, span.end) for path, span in spans.items()}
    at = document.Mark
    assert places[("é",)] == (at(0, 0), at(0, 3), at(0, 4))
    assert places[("list", 0, "x")] == (at(2, 5), at(2, 8), at(2, 13))
    assert spans[("list", 0)] == Span(at(2, 4), at(2, 14), at(2, 4), is_flow=True)


@pytest.mark.parametrize("text", ["{type: numeric(12,2), x: 1}", "{type: numeric(12, 2), x: 1}"])
def test_a_comma_in_parentheses_does_not_end_a_value(text: str) -> None:
    assert parse_document(text, "spec.yaml").tree == {"type": "numeric(12,2)", "x": 1}
    assert parse_document("{a: f(1, 2): 3}", "spec.yaml").tree == {"a": "f(1", "2)": 3}


def test_hints_for_common_mistakes() -> None:
    assert refused("a: */5 * * * *").hint == "a text that starts with '*' needs quotes"
    assert refused("a: b: c").hint == "a text with ': ' in it needs quotes"
    assert refused("a:\n\t- 1").hint == "indent with spaces, not tabs"
    assert refused("{a: ${X}}").hint == "inside { } a ${NAME} needs quotes"


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(SpecError):
        parse_document(text, "spec.yaml")
