"""Every spelling keeps its value, or its place, whatever the text is."""

import ast
import inspect
import io
import json
import re
import shlex
import tokenize
import tomllib

import pytest
import yaml
from dotenv import dotenv_values
from hypothesis import assume, example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from etlgen.render import spelling
from etlgen.render.spelling import SpellingError

NASTY = [
    'x"""\n__import__("os").system("touch canary")\n"""',
    "ok\n__import__('os').system('touch canary')\n#",
    "ends\\",
    'ends"',
    '""""""',
    "a\rb\x0bc\x0cd\x1ce\x85f\u2028g\u2029h",
    "bidi \u202e and zero\u200bwidth",
    "{{ jinja }} {% block %}",
    "{__import__('os')}",
    "${{ secrets.X }} $HOME `id` $(id)",
    "'); --",
    "# comment",
    "é 日本語 🙂",
    " leading and trailing ",
    "a \n b",
    "tab\there",
    "coding: utf-7",
]

any_text = st.one_of(
    st.sampled_from(NASTY),
    st.text(),
    st.text(alphabet=st.sampled_from("\"'\\\n\r#{}$`|<>&*_[]()\u2028\x85\u202e ab"), max_size=20),
)
encodable = any_text.filter(lambda text: not re.search(r"[\ud800-\udfff]", text))


@given(any_text)
def test_a_comment_is_one_comment(text: str) -> None:
    source = f"x = 1\ny = 2  # {spelling.comment(text)}\nz = 3\n"
    comments = [
        token.string
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    ]
    assert len(comments) == 1
    assert source.splitlines() == source.split("\n")[:-1]
    assert ast.dump(ast.parse(source)) == ast.dump(ast.parse("x = 1\ny = 2\nz = 3\n"))
    assert source.isprintable() or all(c == "\n" or c.isprintable() for c in source)


def test_a_comment_does_not_change_the_encoding_or_continue() -> None:
    assert not re.search(r"coding[:=]", spelling.comment("-*- coding: utf-7 -*- coding=x"))
    assert not spelling.comment("ends\\").endswith("\\")


@given(any_text)
def test_a_docstring_says_its_text(text: str) -> None:
    value = ast.parse(f'"""{spelling.docstring(text)}"""').body[0].value.value
    assert value == text


@given(any_text, st.sampled_from([0, 4]))
def test_an_indented_docstring_says_its_text_to_help(text: str, indent: int) -> None:
    source = f'def f():\n    """{spelling.docstring(text, indent)}"""\n'
    value = ast.parse(source).body[0].body[0].value.value
    # Where lines stay lines, the indentation is what `inspect.getdoc` takes away; it also takes
    # lines for empty that hold no more than, say, a next-line character.
    dedented = value.replace(f"\n{' ' * indent}", "\n")
    assert text in (value, inspect.cleandoc(value), dedented)


def test_an_ordinary_description_stays_readable() -> None:
    text = 'Orders of the "shop".\n\nOne row per order; see C:\\docs.'
    assert spelling.docstring(text) == text.replace("\\", "\\\\")


@given(any_text)
def test_regex_and_literal_keep_the_value(text: str) -> None:
    assert ast.literal_eval(spelling.regex(text)) == text
    assert ast.literal_eval(spelling.py(text)) == text


def test_a_regex_is_raw_where_it_can_be() -> None:
    assert spelling.regex(r"[^@\s]+@[^@\s]+") == r'r"[^@\s]+@[^@\s]+"'


@given(encodable)
def test_data_files_keep_the_value(text: str) -> None:
    assert tomllib.loads(f"a = {spelling.toml(text)}\nb = 1\n") == {"a": text, "b": 1}
    assert yaml.safe_load(f"a: {spelling.yaml(text)}\nb: 1\n") == {"a": text, "b": 1}
    assert json.loads(f'{{"a": {spelling.json(text)}, "b": 1}}') == {"a": text, "b": 1}


@given(st.lists(st.one_of(st.booleans(), st.integers(-(2**62), 2**62), encodable), max_size=4))
def test_lists_keep_their_values(values: list[object]) -> None:
    assert tomllib.loads(f"a = {spelling.toml(values)}")["a"] == values
    assert yaml.safe_load(f"a: {spelling.yaml(values)}")["a"] == values


@given(encodable)
def test_an_env_value_is_kept_or_refused(text: str) -> None:
    try:
        line = f"NAME={spelling.env(text)}"
    except SpellingError:
        assume(False)
    assert "\n" not in line
    assert dotenv_values(stream=io.StringIO(f"{line}\nOTHER=1\n")) == {"NAME": text, "OTHER": "1"}


@given(encodable)
def test_a_shell_argument_is_one_argument(text: str) -> None:
    try:
        word = spelling.sh(text)
    except SpellingError:
        assume(False)
    assert shlex.split(f"run {word} end") == ["run", text, "end"]


@given(encodable.map(lambda text: " ".join(text.split())))
@example("1. a")
@example("12) a")
@example("- a | b")
@example("<script>alert(1)</script> [x](javascript:1) ![y](z) &amp; `c` *e* _f_ ~~g~~")
def test_markdown_is_running_text(text: str) -> None:
    assume(all(map(spelling.is_visible, text)))
    for before in ("", "Rows: "):
        tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(before + spelling.md(text))
        assert {token.type for token in tokens} <= {"paragraph_open", "inline", "paragraph_close"}
        children = [child for token in tokens for child in token.children or []]
        assert {child.type for child in children} <= {"text", "text_special"}
        assert "".join(child.content for child in children) == (before + text).strip()


@given(encodable)
def test_a_code_span_is_one_code_span(text: str) -> None:
    _, inline, _ = MarkdownIt().parse(f"a {spelling.code(text)} b")
    spans = [child for child in inline.children or [] if child.type == "code_inline"]
    assert len(spans) == 1
    assert [child.type for child in inline.children or []] == ["text", "code_inline", "text"]


def test_a_table_keeps_its_cells() -> None:
    row = f"| {spelling.md('a|b')} | {spelling.code('c|d')} |"
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(f"| x | y |\n|---|---|\n{row}\n")
    assert sum(token.type == "td_open" for token in tokens) == 2


@given(any_text)
def test_a_mermaid_label_ends_where_the_template_says(text: str) -> None:
    assert re.fullmatch(r"(\w|[ ._#;-])*", spelling.mermaid(text))


@pytest.mark.parametrize(
    "text", ["class", "a b", "1a", "", "é", "\ufb01eld", "a.b", "x\n", "a\u200b"]
)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(SpellingError):
        spelling.ident(text)


@pytest.mark.parametrize("text", ["-rf", "a b", "", ".hidden", "$x", "a\n", "a/b"])
def test_what_is_no_word_is_refused(text: str) -> None:
    with pytest.raises(SpellingError):
        spelling.word(text)


@pytest.mark.parametrize("value", [None, 1.5, object(), b"x"])
def test_text_is_text(value: object) -> None:
    for spell in (spelling.comment, spelling.docstring, spelling.md, spelling.ident, spelling.toml):
        with pytest.raises(SpellingError):
            spell(value)
