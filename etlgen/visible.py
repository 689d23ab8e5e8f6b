"""Text that a reader sees as it is: no terminal, comment or document obeys what it says."""

from etlgen.pycode import is_visible


def escaped(text: str, *, keep: str = "") -> str:
    """The text on one line, all that is invisible or would break the line spelled as escapes."""
    return "".join(char if is_visible(char) or char in keep else escape(char) for char in text)


def escape(char: str) -> str:
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")
