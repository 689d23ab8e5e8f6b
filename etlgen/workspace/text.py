"""Text in the one form that is compared and merged, and the form that a file on disk has.

Canonical text has LF, one final newline and no byte order mark. An editor or a system that writes
a file otherwise has not edited it, and gets it back in its own style.

Bytes that are not UTF-8 survive both ways, in a UTF-16 file too. A lone CR is a character of its
line. Where line endings are mixed, the one that most lines have is the file's own: a file that is
written anew gets it throughout, one that is not written keeps its mixture.
"""

from dataclasses import dataclass
from typing import Literal

_BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Style:
    """How a file on disk writes its text."""

    has_bom: bool
    newline: Literal["\n", "\r\n"]
    extra_newlines: int
    """At the end, beyond those of the canonical text; -1 if the last line has none."""


PLAIN = Style(has_bom=False, newline="\n", extra_newlines=0)


def canonical(raw: bytes) -> tuple[str, Style]:
    """The text to compare and merge, and what `in_style` needs for the way back."""
    decoded = raw.decode("utf-8", "surrogateescape")
    text = decoded.removeprefix(_BOM)
    newline: Literal["\n", "\r\n"] = "\r\n" if _is_mostly_crlf(text) else "\n"
    text = text.replace("\r\n", "\n")
    extra_newlines = len(text) - len(ended(text))
    return ended(text), Style(decoded.startswith(_BOM), newline, extra_newlines)


def in_style(text: str, style: Style) -> bytes:
    """Canonical text as the file writes it."""
    if style.extra_newlines < 0:
        text = text.removesuffix("\n")
    text += "\n" * style.extra_newlines
    bom = _BOM if style.has_bom else ""
    return (bom + text.replace("\n", style.newline)).encode("utf-8", "surrogateescape")


def ended(text: str) -> str:
    """The text with one final newline; an empty one stays empty."""
    body = text.rstrip("\n")
    return f"{body}\n" if body else ""


def _is_mostly_crlf(text: str) -> bool:
    return "\r" in text and 2 * text.count("\r\n") > text.count("\n")
