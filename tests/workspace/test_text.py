import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from etlgen.workspace.text import PLAIN, Style, canonical, in_style

PIECES = st.sampled_from(
    [b"a", b"\r", b" ", b"\x00", b"\xff", b"\xef\xbb\xbf", "é\u2028\x85".encode()]
)
LINES = st.lists(st.lists(PIECES, max_size=3).map(b"".join), max_size=5)


def crlf(extra_newlines: int = 0) -> Style:
    return Style(has_bom=False, newline="\r\n", extra_newlines=extra_newlines)


@given(LINES, st.sampled_from([b"\n", b"\r\n"]), st.sampled_from([b"", b"\xef\xbb\xbf"]))
def test_a_file_of_one_line_ending_comes_back_byte_for_byte(
    lines: list[bytes], newline: bytes, bom: bytes
) -> None:
    raw = bom + newline.join(lines)
    assume(newline == b"\r\n" or b"\r\n" not in raw)
    assert in_style(*canonical(raw)) == raw


@given(LINES.map(b"\n".join))
def test_canonical_text_ends_with_just_one_newline_and_is_its_own_style(raw: bytes) -> None:
    text, _ = canonical(raw)
    assert text == "" or (text.endswith("\n") and text != "\n" and not text.endswith("\n\n"))
    if "\r\n" not in text and not text.startswith("\ufeff"):
        assert canonical(in_style(text, PLAIN)) == (text, PLAIN)


@pytest.mark.parametrize(
    ("raw", "text", "style"),
    [
        (b"", "", PLAIN),
        (b"\n\n", "", Style(False, "\n", 2)),
        (b"a\nb\n", "a\nb\n", PLAIN),
        (b"a\nb", "a\nb\n", Style(False, "\n", -1)),
        (b"a\n\n\n", "a\n", Style(False, "\n", 2)),
        (b"a\r\nb\r\n", "a\nb\n", crlf()),
        (b"a\r\nb", "a\nb\n", crlf(-1)),
        (b"\xef\xbb\xbfa\n", "a\n", Style(True, "\n", 0)),
        (b"a\rb\n", "a\rb\n", PLAIN),
        (b"a\xffb\n", "a\udcffb\n", PLAIN),
    ],
)
def test_what_the_text_is_and_what_only_style(raw: bytes, text: str, style: Style) -> None:
    assert canonical(raw) == (text, style)


@pytest.mark.parametrize(
    ("raw", "again"),
    [
        (b"a\r\nb\r\nc\n", b"a\r\nb\r\nc\r\n"),
        (b"a\nb\r\nc\n", b"a\nb\nc\n"),
        (b"a\nb\r\n", b"a\nb\n"),
        (b"a\rb\nc\r\nd\n", b"a\rb\nc\nd\n"),
    ],
)
def test_mixed_line_endings_become_those_that_most_lines_have(raw: bytes, again: bytes) -> None:
    assert in_style(*canonical(raw)) == again


def test_a_file_of_utf_16_survives() -> None:
    raw = "Straße\r\nzwei\n".encode("utf-16")
    assert in_style(*canonical(raw)) == raw


def test_new_text_is_written_in_the_style_of_the_old() -> None:
    _, style = canonical(b"\xef\xbb\xbfa\r\nb")
    assert in_style("a\nnew\nb\n", style) == b"\xef\xbb\xbfa\r\nnew\r\nb"


def test_what_comes_into_an_empty_file_ends_with_a_newline() -> None:
    _, style = canonical(b"")
    assert in_style("new\n", style) == b"new\n"
    assert in_style("", style) == b""
