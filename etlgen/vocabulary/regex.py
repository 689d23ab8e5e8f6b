"""Regexes of the RE2 syntax, run by the engine that runs them in the generated project."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

from etlgen.vocabulary.column import BadValue

GROUP = "value"
_OPENS_A_GROUP = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|(\((?!\?))", re.DOTALL)
_Found = TypeVar("_Found")


def finds(pattern: str, text: str) -> bool:
    """Whether the pattern is found anywhere in the text."""
    return bool(_run(lambda pc, cell: pc.match_substring_regex(cell, pattern), text))


def fullmatches(pattern: str, text: str) -> bool:
    """Whether the pattern matches the whole text."""
    return finds(rf"\A(?:{pattern})\z", text)


def replaced(pattern: str, replacement: str, text: str) -> str:
    """The text with everything that the pattern finds replaced."""
    return str(_run(lambda pc, cell: pc.replace_substring_regex(cell, pattern, replacement), text))


def extracted(pattern: str, text: str) -> str | None:
    """What the pattern's one named group has of the text; None where nothing is found."""
    found = _run(lambda pc, cell: pc.extract_regex(cell, pattern), text)
    return None if found is None else str(next(iter(found.values())))


def with_named_group(pattern: str) -> str:
    """The pattern with a name for its one group, which is how Arrow extracts it."""
    named = _OPENS_A_GROUP.sub(lambda m: f"(?P<{GROUP}>" if m[1] else m[0], pattern)
    groups = re.findall(r"\(\?P<", named)
    if len(groups) != 1:
        raise BadValue(f"needs one group, such as 'No ([0-9]+)'; it has {len(groups)}")
    extracted(named, "")
    return named


def escaped(text: str) -> str:
    """The text as a regex that matches it, with no more backslashes than it takes."""
    return re.sub(r"[\\.+*?()|\[\]{}^$]", r"\\\g<0>", text)


def _run(function: Callable[[Any, Any], Any], text: str) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        return function(pc, pa.scalar(text)).as_py()
    except pa.ArrowInvalid as error:
        reason = str(error).partition("\n")[0].removeprefix("Invalid regular expression: ")
        raise BadValue(f"is not a regex of the RE2 syntax: {reason}") from None
