"""Safe spelling of values as Python source.

A template prints what this module spelled and never adds a quote of its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

_IMPORT_DECIMAL = "from decimal import Decimal"

# Printable to Python, yet nothing is seen: fillers, joiners, variation selectors, blank Braille.
_UNSEEN = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, range(0xFE00, 0xFE10)))
    + "".join(map(chr, range(0xE0100, 0xE01F0)))
)


class Py(str):
    """Text that is safe Python source."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Code:
    """An expression and the full import lines that it needs."""

    text: Py
    imports: frozenset[str] = frozenset()


def is_visible(character: str) -> bool:
    """False for control, bidirectional, invisible and surrogate characters (a space is visible)."""
    return character.isprintable() and character not in _UNSEEN


def escape(character: str) -> str:
    """A character as Python spells it where it cannot stand as it is."""
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def literal(value: object) -> Py:
    """The value as Python source on one line, with nothing invisible in it."""
    return spelled(value).text


def raw_literal(text: str) -> Py:
    """A string, as r"…" where that says the same (the usual look of a regex)."""
    ends_in_backslash = (len(text) - len(text.rstrip("\\"))) % 2 == 1
    if "\\" not in text or '"' in text or ends_in_backslash or not all(map(is_visible, text)):
        return literal(text)
    return Py(f'r"{text}"')


def block(text: str) -> Py:
    """A text of several lines between triple quotes, where that says the same."""
    plain = all(is_visible(character) or character == "\n" for character in text)
    if "\n" not in text or not plain or "\\" in text or '""' in text or text.endswith('"'):
        return literal(text)
    return Py(f'"""{text}"""')


def code(template: str, *, imports: Iterable[str] = (), **values: object) -> Code:
    """`str.format` for source: Code and Py go in as they are, everything else as a literal."""
    parts = {name: spelled(value) for name, value in values.items()}
    text = template.format(**{name: part.text for name, part in parts.items()})
    return Code(Py(text), frozenset(imports).union(*(part.imports for part in parts.values())))


def spelled(value: object) -> Code:
    """`literal` together with the imports of the spelling."""
    match value:
        case Code():
            return value
        case Py():
            return Code(value)
        case None | bool() | int():
            return Code(Py(repr(value)))
        case str():
            return Code(_string(value))
        case bytes():
            return Code(_bytes(value))
        case float():
            return Code(Py(repr(value) if math.isfinite(value) else f'float("{value}")'))
        case Decimal():
            return Code(Py(f'Decimal("{value}")'), frozenset({_IMPORT_DECIMAL}))
        case datetime():
            return _datetime(value)
        case date():
            return _call("date", (value.year, value.month, value.day))
        case time():
            return _time(value)
        case timedelta():
            return _timedelta(value)
        case tuple():
            comma = "," if len(value) == 1 else ""
            return _joined("(", [spelled(item) for item in value], f"{comma})")
        case list():
            return _joined("[", [spelled(item) for item in value], "]")
        case dict():
            pairs = [code("{k}: {v}", k=key, v=item) for key, item in value.items()]
            return _joined("{", pairs, "}")
    raise TypeError(f"no Python spelling for a {type(value).__name__}")


def _string(text: str) -> Py:
    quote = _quote_for(text)
    return Py(quote + "".join(_character(c, quote) for c in text) + quote)


def _bytes(value: bytes) -> Py:
    text = value.decode("latin-1")
    quote = _quote_for(text)
    spelled_out = (_character(c, quote) if c.isascii() else f"\\x{ord(c):02x}" for c in text)
    return Py(f"b{quote}{''.join(spelled_out)}{quote}")


def _quote_for(text: str) -> str:
    return "'" if text.count('"') > text.count("'") else '"'


def _character(character: str, quote: str) -> str:
    if character in (quote, "\\"):
        return "\\" + character
    if is_visible(character):
        return character
    return escape(character)


def _datetime(value: datetime) -> Code:
    parts: list[int] = [value.year, value.month, value.day, value.hour, value.minute]
    return _call("datetime", _trimmed(parts, value.second, value.microsecond), _zone(value))


def _time(value: time) -> Code:
    if value.tzinfo is not None:
        raise TypeError("no Python spelling for a time with a zone")
    return _call("time", _trimmed([value.hour, value.minute], value.second, value.microsecond))


_UNITS = (("days", 86_400), ("hours", 3_600), ("minutes", 60), ("seconds", 1))


def _timedelta(value: timedelta) -> Code:
    """`timedelta(minutes=5)`: in the largest unit that divides it."""
    if value.microseconds:
        raise TypeError("no Python spelling for a part of a second")
    seconds = value // timedelta(seconds=1)
    unit, size = next((unit, size) for unit, size in _UNITS if seconds % size == 0)
    line = "from datetime import timedelta"
    return code(f"timedelta({unit}={{n}})", imports=[line], n=seconds // size)


def _trimmed(parts: list[int], second: int, microsecond: int) -> Sequence[int]:
    if microsecond:
        return [*parts, second, microsecond]
    return [*parts, second] if second else parts


def _zone(value: datetime) -> Code | None:
    offset = value.utcoffset()
    if offset is None:
        return None
    if not offset:
        return Code(Py("UTC"), frozenset({"from datetime import UTC"}))
    seconds = offset // timedelta(seconds=1)
    lines = ["from datetime import timedelta", "from datetime import timezone"]
    return code("timezone(timedelta(seconds={seconds}))", imports=lines, seconds=seconds)


def _call(name: str, arguments: Sequence[int], zone: Code | None = None) -> Code:
    parts = [spelled(argument) for argument in arguments]
    if zone is not None:
        parts.append(code("tzinfo={zone}", zone=zone))
    called = _joined(f"{name}(", parts, ")")
    return Code(called.text, called.imports | {f"from datetime import {name}"})


def _joined(start: str, parts: Sequence[Code], end: str) -> Code:
    text = Py(start + ", ".join(part.text for part in parts) + end)
    return Code(text, frozenset[str]().union(*(part.imports for part in parts)))
