"""Spelling of values: what is printed is the value, and nothing but the value."""

import ast
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etlgen.pycode import Code, Py, code, is_visible, literal, raw_literal, spelled

OFFSETS = st.integers(-14 * 3600, 14 * 3600).map(lambda s: timezone(timedelta(seconds=s)))
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(st.characters()),
    st.binary(),
    st.decimals(allow_nan=False),
    st.dates(),
    st.times(),
    st.datetimes(),
    st.datetimes(timezones=st.just(UTC)),
    st.datetimes(timezones=OFFSETS),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner),
        st.tuples(inner, inner),
        st.tuples(inner),
        st.dictionaries(st.text(), inner),
    ),
    max_leaves=8,
)
NAMES = {
    "Decimal": Decimal,
    "UTC": UTC,
    "date": date,
    "datetime": datetime,
    "time": time,
    "timedelta": timedelta,
    "timezone": timezone,
    "float": float,
}


@given(VALUES)
def test_a_literal_evaluates_to_its_value(value: object) -> None:
    text = literal(value)
    assert eval(text, {"__builtins__": {}, **NAMES}) == value
    assert all(map(is_visible, text))
    assert "\n" not in text


@given(st.text(st.characters()))
def test_a_text_is_a_single_constant(text: str) -> None:
    for spelling in (literal(text), raw_literal(text)):
        assert ast.literal_eval(spelling) == text
        assert isinstance(ast.parse(spelling, mode="eval").body, ast.Constant)


@given(VALUES)
def test_the_imports_of_a_literal_are_all_that_it_needs(value: object) -> None:
    made = spelled(value)
    namespace: dict[str, object] = {}
    exec("\n".join(sorted(made.imports)), namespace)
    assert eval(made.text, namespace) == value


@pytest.mark.parametrize(
    ("value", "spelling"),
    [
        ("it's", '"it\'s"'),
        ('say "hi"', "'say \"hi\"'"),
        ("a\nb", r'"a\nb"'),
        ("a\u202eb", r'"a\u202eb"'),
        ("\u3164\ufe0f\u200b", r'"\u3164\ufe0f\u200b"'),
        ("日本 🙂", '"日本 🙂"'),
        (Decimal("0.50"), 'Decimal("0.50")'),
        (float("inf"), 'float("inf")'),
        (("a",), '("a",)'),
        (datetime(2026, 1, 31, tzinfo=UTC), "datetime(2026, 1, 31, 0, 0, tzinfo=UTC)"),
        (b'\x00"a', "b'\\x00\"a'"),
    ],
)
def test_spellings(value: object, spelling: str) -> None:
    assert literal(value) == spelling


@pytest.mark.parametrize(
    ("pattern", "spelling"),
    [
        (r"[^@\s]+", r'r"[^@\s]+"'),
        ("[A-Z]{2}", '"[A-Z]{2}"'),
        (r"\"", "'\\\\\"'"),
        ("\\d\\", r'"\\d\\"'),
        ("\\d\n", r'"\\d\n"'),
    ],
)
def test_a_regex_is_raw_only_where_that_is_the_same(pattern: str, spelling: str) -> None:
    assert raw_literal(pattern) == spelling
    assert ast.literal_eval(spelling) == pattern


def test_code_spells_values_and_leaves_code_alone() -> None:
    x = code("rows[{name}]", name='a"b')
    made = code("{x} >= {low}", imports=["import pandas as pd"], x=x, low=Decimal("0.5"))
    assert made == Code(
        Py('rows[\'a"b\'] >= Decimal("0.5")'),
        frozenset({"import pandas as pd", "from decimal import Decimal"}),
    )


def test_braces_of_a_value_are_not_fields() -> None:
    assert code("f({x})", x="{x.__class__}").text == 'f("{x.__class__}")'


def test_what_has_no_spelling_is_refused() -> None:
    with pytest.raises(TypeError, match="no Python spelling for a object"):
        literal(object())
