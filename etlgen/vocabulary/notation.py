"""Values as text: reading with the runtime's reasons, and spelling in a source's notation."""

from __future__ import annotations

import base64
import json
import math
import re
import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, date, datetime, time
from decimal import Context, Decimal, InvalidOperation
from typing import TypeVar
from zoneinfo import ZoneInfo

from etlgen.vocabulary.column import BadValue, ColumnType, Notation

BITS = {"smallint": 16, "integer": 32, "bigint": 64}
TRUE = ("true", "t", "yes", "y", "on", "1")
FALSE = ("false", "f", "no", "n", "off", "0")

_ISO_DATE = r"\d{4}-\d\d-\d\d"
_ISO_TIME = r"\d\d:\d\d(:\d\d(\.\d{1,6})?)?"
_ISO_TIMESTAMP = rf"{_ISO_DATE}([T ]{_ISO_TIME})?"
_OFFSET = r"(Z|[+-]\d\d(:?\d\d)?)"

_Moment = TypeVar("_Moment", date, time, datetime)


def read_text(text: str, type: ColumnType, notation: Notation) -> str:
    return text


def spell_text(value: str, notation: Notation) -> str:
    return value


def read_boolean(text: str, type: ColumnType, notation: Notation) -> bool:
    true, false = boolean_words(notation.formats) if notation.format else (TRUE, FALSE)
    if text.lower() in map(str.lower, true):
        return True
    if text.lower() in map(str.lower, false):
        return False
    raise BadValue("is not a boolean")


def boolean_words(patterns: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """`J/N` and `ja/nein` -> ("J", "ja"), ("N", "nein")."""
    true, false = zip(*map(_word_pair, patterns), strict=True)
    twice = {word.lower() for word in true} & {word.lower() for word in false}
    if twice:
        raise BadValue(f"says of {min(twice)!r} that it is both true and false")
    return tuple(dict.fromkeys(true)), tuple(dict.fromkeys(false))


def _word_pair(pattern: str) -> tuple[str, str]:
    true, slash, false = pattern.partition("/")
    words = true.strip(), false.strip()
    if not slash or not all(words) or words[0].lower() == words[1].lower() or "/" in false:
        raise BadValue("is not a pair of words for true and false, such as 'J/N'")
    return words


def spell_boolean(value: bool, notation: Notation) -> str:
    true, false = boolean_words(notation.formats) if notation.format else (TRUE, FALSE)
    return true[0] if value else false[0]


def _plain_number(text: str, notation: Notation, reason: str, *, whole: bool = False) -> str:
    """The number with a point and no thousands mark; BadValue where it does not look like one."""
    digits = r"\d+"
    if notation.thousands_mark:
        digits = rf"(?:\d{{1,3}}(?:{re.escape(notation.thousands_mark)}\d{{3}})+|\d+)"
    mark = re.escape(notation.decimal_mark)
    pattern = rf"[+-]?(?:{digits}(?:{mark}\d*)?|{mark}\d+)(?:[eE][+-]?\d+)?"
    if not re.fullmatch(rf"[+-]?{digits}" if whole else pattern, text, re.ASCII):
        raise BadValue(reason)
    if notation.thousands_mark:
        text = text.replace(notation.thousands_mark, "")
    return text.replace(notation.decimal_mark, ".")


def read_integer(text: str, type: ColumnType, notation: Notation) -> int:
    plain = _plain_number(text, notation, "is not a whole number", whole=True)
    bits = BITS[type.name]
    if len(plain) > 40 or not -(2 ** (bits - 1)) <= int(plain) < 2 ** (bits - 1):
        raise BadValue(f"is out of range for {type}")
    return int(plain)


def read_numeric(text: str, type: ColumnType, notation: Notation) -> Decimal:
    value = Decimal(_plain_number(text, notation, "is not a number"))
    before = type.precision - type.scale
    if value and value.adjusted() >= before:
        raise BadValue(f"has more than {before} digits before the decimal point")
    exact = Context(prec=len(text) + 80)  # which rounds to even, as pandas does
    try:
        if notation.round_to is not None:
            value = value.quantize(Decimal(1).scaleb(-notation.round_to), context=exact)
        rounded = value.quantize(unit(type), context=exact)
    except InvalidOperation:
        rounded = Decimal(0)
    if rounded and rounded.adjusted() >= before:
        raise BadValue(f"has more than {before} digits before the decimal point")
    if rounded != value:
        raise BadValue(f"has more than {type.scale} decimals")
    return rounded


def unit(type: ColumnType) -> Decimal:
    return Decimal(1).scaleb(-type.scale)


def read_double(text: str, type: ColumnType, notation: Notation) -> float:
    value = float(_plain_number(text, notation, "is not a number"))
    if not math.isfinite(value):
        raise BadValue("is not a number")
    return value


def spell_number(value: int | Decimal | float, notation: Notation) -> str:
    if isinstance(value, float):
        text = repr(value) if "e" in repr(value) else f"{value:f}".rstrip("0").rstrip(".")
        text = repr(value) if float(text) != value else text
    else:
        text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    whole, point, decimals = text.partition(".")
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    if notation.thousands_mark and digits.isdigit():
        whole = sign + f"{int(digits):,}".replace(",", notation.thousands_mark)
    return whole + (notation.decimal_mark if point else "") + decimals


def _strptime(text: str, patterns: Iterable[str], what: str) -> datetime:
    for pattern in patterns:
        with suppress(ValueError):
            return datetime.strptime(text, pattern)
    raise BadValue(f"is not a {what} in the format {' or '.join(patterns)}")


def _iso(read: Callable[[str], _Moment], look: str, text: str, reason: str) -> _Moment:
    try:
        if re.fullmatch(look, text, re.ASCII):
            return read(text)
    except ValueError:
        pass
    raise BadValue(reason)


def read_date(text: str, type: ColumnType, notation: Notation) -> date:
    if notation.format:
        return _strptime(text, notation.formats, "date").date()
    return _iso(date.fromisoformat, _ISO_DATE, text, "is not a date like 2026-01-31")


def spell_date(value: date, notation: Notation) -> str:
    return value.strftime(notation.format) if notation.format else value.isoformat()


def read_time(text: str, type: ColumnType, notation: Notation) -> time:
    if notation.format:
        return _strptime(text, notation.formats, "time").time()
    return _iso(time.fromisoformat, _ISO_TIME, text, "is not a time like 23:59:59")


def spell_time(value: time, notation: Notation) -> str:
    return value.strftime(notation.format) if notation.format else value.isoformat()


def read_timestamp(text: str, type: ColumnType, notation: Notation) -> datetime:
    if notation.format:
        return _strptime(text, notation.formats, "timestamp")
    reason = "is not a timestamp like 2026-01-31T23:59:59"
    return _iso(datetime.fromisoformat, _ISO_TIMESTAMP, text, reason)


def read_instant(text: str, type: ColumnType, notation: Notation) -> datetime:
    if notation.format:
        moment = _strptime(text, notation.formats, "timestamp")
    else:
        reason = "is not a timestamp like 2026-01-31T23:59:59"
        look = rf"{_ISO_DATE}([T ]{_ISO_TIME}{_OFFSET}?)?"
        moment = _iso(datetime.fromisoformat, look, text, reason)
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    zone = ZoneInfo(notation.timezone or "UTC")
    instants = {moment.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
    if len(instants) > 1:
        raise BadValue(f"is skipped or repeated by the clocks of {notation.timezone}")
    return instants.pop()


def spell_timestamp(value: datetime, notation: Notation) -> str:
    return value.strftime(notation.format) if notation.format else value.isoformat()


def spell_instant(value: datetime, notation: Notation) -> str:
    local = value.astimezone(ZoneInfo(notation.timezone or "UTC"))
    if notation.format:
        return local.strftime(notation.format)
    if notation.timezone:
        return local.replace(tzinfo=None).isoformat()
    return local.isoformat().replace("+00:00", "Z")


def read_uuid(text: str, type: ColumnType, notation: Notation) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise BadValue("is not a UUID") from None


def read_json(text: str, type: ColumnType, notation: Notation) -> str:
    def refuse(word: str) -> None:
        raise ValueError(word)

    try:
        json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError):
        raise BadValue("is not JSON") from None
    if "\\u0000" in text:
        raise BadValue("is not JSON")
    return text


def read_bytes(text: str, type: ColumnType, notation: Notation) -> bytes:
    encoding = notation.format or "hex"
    try:
        if encoding == "hex":
            return bytes.fromhex(text.removeprefix("\\x"))
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise BadValue(f"is not {encoding}") from None


def spell_bytes(value: bytes, notation: Notation) -> str:
    return base64.b64encode(value).decode() if notation.format == "base64" else value.hex()
