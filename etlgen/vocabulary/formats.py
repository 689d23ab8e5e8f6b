"""strptime patterns: which ones a type takes, and why not."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from etlgen.vocabulary.column import BadValue

_DATE = frozenset("aAbBdjmyY")
_TIME = frozenset("fHIMpS")
_KNOWN = _DATE | _TIME | frozenset("z%")
_PROBE = datetime(2031, 11, 23, 14, 35, 46, 123456, tzinfo=UTC)


def check_format(pattern: str, type_name: str) -> None:
    """Raise BadValue unless values of the type can be read by the pattern."""
    directives = re.findall(r"%(.?)", pattern, re.DOTALL)
    unknown = next((d for d in directives if d not in _KNOWN or not d), None)
    if not set(directives) - {"%"} or unknown is not None:
        stray = f" (%{unknown} is none)" if unknown is not None else ""
        raise BadValue(f"is not a strptime pattern such as {_example(type_name)}{stray}")
    have = set(directives)
    if type_name == "time" and have & _DATE:
        raise BadValue("has a part of a date in it, but the type is time")
    if type_name != "timestamptz" and "z" in have:
        raise BadValue(f"has %z in it, but the type is {type_name}; only timestamptz has a zone")
    if type_name != "time" and not _has_date(have):
        raise BadValue("needs a year, a month and a day")
    if type_name == "time" and not _has_hour(have):
        raise BadValue("needs an hour (%H, or %I with %p)")
    if "I" in have and "p" not in have:
        raise BadValue("has %I without %p: 2 or 14 o'clock?")
    try:
        datetime.strptime(_PROBE.strftime(pattern), pattern)
    except (ValueError, re.error):
        raise BadValue("is not a strptime pattern that can be read back") from None


def has_offset(pattern: str) -> bool:
    """Whether a value in this format says its own offset from UTC."""
    return "z" in re.findall(r"%(.)", pattern)


def _has_date(have: set[str]) -> bool:
    return bool(have & {"y", "Y"}) and (
        "j" in have or ("d" in have and bool(have & {"b", "B", "m"}))
    )


def _has_hour(have: set[str]) -> bool:
    return "H" in have or {"I", "p"} <= have


def _example(type_name: str) -> str:
    examples = {"date": "%d.%m.%Y", "time": "%H:%M"}
    return repr(examples.get(type_name, "%d.%m.%Y %H:%M"))
