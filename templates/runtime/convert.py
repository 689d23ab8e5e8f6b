"""From text to exact types: a cell that can't be read is a problem of its row.

Every function takes a column of text and gives an Arrow-typed one. White space around a
value is ignored, and an empty text is NULL. Whole columns are cast at once.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from decimal import Context, Decimal, Inexact, InvalidOperation
from functools import partial

import msgspec
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from .columns import as_arrow, as_series, cast_or_null, is_text
from .errors import ContractError
from .problems import Problems

Parse = Callable[[pa.Array], pa.Array]

# Bits -> the type in PostgreSQL and in Arrow, and how many digits always fit.
INTEGERS = {
    16: ("smallint", pa.int16(), 4),
    32: ("integer", pa.int32(), 9),
    64: ("bigint", pa.int64(), 18),
}
TRUE = ("true", "t", "yes", "y", "on", "1")
FALSE = ("false", "f", "no", "n", "off", "0")
ISO = "ISO8601"
TIMESTAMP, INSTANT = pa.timestamp("us"), pa.timestamp("us", "UTC")
DAY = r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
CLOCK = r"(?:[01][0-9]|2[0-3])(?::[0-5][0-9](?::[0-5][0-9](?:\.[0-9]+)?)?)?"
OFFSET = r"(?:Z|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?)"
UUID = r"(?i)(?:urn:uuid:)?\{?[0-9a-f]{8}(?:-?[0-9a-f]{4}){4}[0-9a-f]{8}\}?"
NO_TEXT = pa.scalar(None, pa.string())
JSON_NUL = r"(?:^|[^\\])(?:\\\\)*\\u0000"
raw_json = msgspec.json.Decoder(msgspec.Raw).decode


def to_boolean(
    values: pd.Series,
    problems: Problems,
    *,
    true: str | tuple[str, ...] = TRUE,
    false: str | tuple[str, ...] = FALSE,
) -> pd.Series:
    """Words to booleans; upper and lower case are the same."""
    yes = [true] if isinstance(true, str) else true
    no = [false] if isinstance(false, str) else false
    words = pc.utf8_lower(pa.array([*yes, *no]))
    meanings = pa.array([True] * len(yes) + [False] * len(no))

    def parse(texts: pa.Array) -> pa.Array:
        return pc.take(meanings, pc.index_in(pc.utf8_lower(texts), words))

    return _read(values, problems, parse, "is not a boolean")


def to_integer(
    values: pd.Series, problems: Problems, *, bits: int = 64, thousands_mark: str = ""
) -> pd.Series:
    """Whole numbers that fit smallint (16), integer (32) or bigint (64 bits)."""
    number = _number_pattern(thousands_mark)
    name, kind, digits = INTEGERS[bits]

    def exactly(text: str) -> int | None:
        value = Decimal(text)
        return int(value) if -(2 ** (bits - 1)) <= value < 2 ** (bits - 1) else None

    def parse(texts: pa.Array) -> pa.Array:
        plain = _plain_number(texts, number, thousands_mark)
        return _cast_numbers(plain, rf"-?[0-9]{{1,{digits}}}", kind, exactly)

    def why(broken: pa.Array) -> pa.Array:
        too_big = f"is out of range for {name}"
        return pc.if_else(_matches(broken, number), too_big, "is not a whole number")

    return _read(values, problems, parse, why)


def to_decimal(
    values: pd.Series,
    problems: Problems,
    *,
    precision: int,
    scale: int,
    round_to: int | None = None,
    decimal_mark: str = ".",
    thousands_mark: str = "",
) -> pd.Series:
    """Exact decimals. One with more decimals than `scale` is refused, not rounded.

    With `round_to` they are rounded to that many decimals, a half to the even digit.
    """
    number = _number_pattern(thousands_mark, decimal_mark)
    kind = (pa.decimal128 if precision <= 38 else pa.decimal256)(precision, scale)
    before = precision - scale
    # Arrow's own parser must see no other text: it gives wrong numbers for more digits
    # than its type holds, and crashes on large exponents.
    decimals = scale if round_to is None else round_to
    surely_fits = rf"-?(?:0|[0-9]{{0,{before}}})(?:\.[0-9]{{0,{decimals}}})?"
    rounding = Context(prec=precision, traps=[InvalidOperation])
    exact = Context(prec=precision, traps=[Inexact, InvalidOperation])

    def exactly(text: str) -> Decimal:
        value = Decimal(text)
        if round_to is not None:
            value = value.quantize(Decimal(1).scaleb(-round_to), context=rounding)
        return value.quantize(Decimal(1).scaleb(-scale), context=exact)

    def parse(texts: pa.Array) -> pa.Array:
        plain = _plain_number(texts, number, thousands_mark, decimal_mark)
        return _cast_numbers(plain, surely_fits, kind, exactly)

    def too_long(text: str | None) -> str:
        if text is None:
            return "is not a number"
        if round_to is not None or Decimal(text).adjusted() >= before:
            return f"has more than {before} digits before the decimal point"
        return f"has more than {scale} decimals"

    def why(broken: pa.Array) -> pa.Array:
        plain = _plain_number(broken, number, thousands_mark, decimal_mark)
        return pa.array([too_long(text) for text in plain.to_pylist()], pa.string())

    return _read(values, problems, parse, why)


def to_double(
    values: pd.Series,
    problems: Problems,
    *,
    decimal_mark: str = ".",
    thousands_mark: str = "",
) -> pd.Series:
    """Finite floating point numbers."""
    number = _number_pattern(thousands_mark, decimal_mark)

    def parse(texts: pa.Array) -> pa.Array:
        plain = _plain_number(texts, number, thousands_mark, decimal_mark)
        numbers = pc.cast(plain, pa.float64())
        return pc.if_else(pc.is_finite(numbers), numbers, None)

    return _read(values, problems, parse, "is not a number")


def to_date(
    values: pd.Series, problems: Problems, *, format: str | tuple[str, ...] = ISO
) -> pd.Series:
    """Calendar days, written as 2026-01-31, or in a strptime format or one of several."""

    def parse(texts: pa.Array) -> pa.Array:
        if format != ISO:
            return pc.cast(_strptime(texts, format), pa.date32())
        return _within_years(cast_or_null(_only(texts, DAY), pa.date32()))

    return _read(
        values, problems, parse, f"is not a date {_like('2026-01-31', format)}"
    )


def to_time(
    values: pd.Series, problems: Problems, *, format: str | tuple[str, ...] = ISO
) -> pd.Series:
    """Times of day, written as 23:59:59, or in a strptime format or one of several."""

    def parse(texts: pa.Array) -> pa.Array:
        if format != ISO:
            return pc.cast(_strptime(texts, format), pa.time64("us"))
        clocks = _microseconds(_only(texts, CLOCK))
        on_a_day = pc.binary_join_element_wise("1970-01-01", clocks, "T")
        return pc.cast(pc.cast(on_a_day, TIMESTAMP), pa.time64("us"))

    return _read(values, problems, parse, f"is not a time {_like('23:59:59', format)}")


def to_timestamp(
    values: pd.Series,
    problems: Problems,
    *,
    format: str | tuple[str, ...] = ISO,
    timezone: str | None = None,
) -> pd.Series:
    """Points in time, written as 2026-01-31T23:59:59, or in a strptime format or one of several.

    With a `timezone` they are instants: a value without an offset is that zone's local
    time; one that the clocks skip or repeat there names no instant. Fractions end at
    microseconds.
    """

    def read(texts: pa.Array) -> pa.Array:
        if format != ISO:
            return _strptime(texts, format)
        local = _only(texts, f"{DAY}(?:[T ]{CLOCK})?")
        return cast_or_null(_microseconds(local), TIMESTAMP)

    def moments(texts: pa.Array) -> pa.Array:
        found = read(texts)
        if timezone is None or found.type == INSTANT:
            return found
        instants = _localize(found, timezone)
        if format != ISO:
            return instants
        zoned = _only(texts, f"{DAY}[T ]{CLOCK}{OFFSET}")
        return pc.coalesce(instants, cast_or_null(_microseconds(zoned), INSTANT))

    def why(broken: pa.Array) -> pa.Array:
        return pc.case_when(
            pc.make_struct(pc.is_valid(moments(broken)), pc.is_valid(read(broken))),
            "is outside the years 1 to 9999",
            f"is skipped or repeated by the clocks of {timezone}",
            f"is not a timestamp {_like('2026-01-31T23:59:59', format)}",
        )

    return _read(values, problems, lambda texts: _within_years(moments(texts)), why)


def to_bytes(
    values: pd.Series, problems: Problems, *, format: str = "hex"
) -> pd.Series:
    """Bytes in hex, with or without PostgreSQL's leading backslash-x, or in base64."""

    def decode(text: str) -> bytes:
        if format == "hex":
            return bytes.fromhex(text.removeprefix("\\x"))
        return base64.b64decode(text, validate=True)

    parse = partial(_one_by_one, decode, pa.binary())
    return _read(values, problems, parse, f"is not {format}")


def to_uuid(values: pd.Series, problems: Problems) -> pd.Series:
    """UUIDs as 16 bytes."""

    def parse(texts: pa.Array) -> pa.Array:
        digits = pc.replace_substring_regex(
            _only(texts, UUID), "(?i)urn:uuid:|[{}-]", ""
        )
        return _one_by_one(bytes.fromhex, pa.binary(16), digits)

    return _read(values, problems, parse, "is not a UUID")


def to_json(values: pd.Series, problems: Problems) -> pd.Series:
    """JSON documents as text, each digit kept; PostgreSQL's have no NUL character."""

    def parse(texts: pa.Array) -> pa.Array:
        has_nul = pc.match_substring_regex(texts, JSON_NUL)
        texts = pc.if_else(has_nul, NO_TEXT, texts)
        return _one_by_one(lambda text: bytes(raw_json(text)), pa.string(), texts)

    return _read(values, problems, parse, "is not JSON")


def _read(
    values: pd.Series, problems: Problems, parse: Parse, why: str | Parse
) -> pd.Series:
    """Parse the column; a text that gives NULL is a problem of its row."""
    texts = as_arrow(values)
    if not is_text(texts.type) and not pa.types.is_null(texts.type):
        raise ContractError(
            f"column {values.name!r} is already {texts.type}; to_… functions read text",
            "Leave out the conversion, or convert before anything else does.",
        )
    texts = pc.utf8_trim_whitespace(texts.cast(pa.string()))
    texts = pc.if_else(pc.equal(texts, ""), NO_TEXT, texts)
    parsed = parse(texts)
    broken = pc.and_(pc.is_valid(texts), pc.is_null(parsed))
    if pc.any(broken).as_py():
        bad = values[broken.to_numpy(zero_copy_only=False)]
        reasons = why if isinstance(why, str) else why(texts.filter(broken)).to_pylist()
        for rule, rows in bad.groupby(pd.Series(reasons, index=bad.index)):
            problems.add(str(values.name), str(rule), rows)
    return as_series(parsed, like=values)


def _matches(texts: pa.Array, pattern: str) -> pa.Array:
    return pc.match_substring_regex(texts, rf"\A(?:{pattern})\z")


def _only(texts: pa.Array, pattern: str) -> pa.Array:
    return pc.if_else(_matches(texts, pattern), texts, NO_TEXT)


def _one_by_one(
    read: Callable[[str], object], kind: pa.DataType, texts: pa.Array
) -> pa.Array:
    """Each text read by itself; NULL where that raises."""
    cells: list[object] = []
    for text in texts.to_pylist():
        try:
            cells.append(None if text is None else read(text))
        except (ArithmeticError, RecursionError, ValueError):
            cells.append(None)
    return pa.array(cells, kind)


def _number_pattern(thousands_mark: str, decimal_mark: str | None = None) -> str:
    """What a number looks like; between thousands marks stand exactly three digits."""
    whole = r"[0-9]+"
    if thousands_mark:
        whole = rf"(?:[0-9]{{1,3}}(?:{re.escape(thousands_mark)}[0-9]{{3}})+|[0-9]+)"
    if decimal_mark is None:
        return rf"[+-]?{whole}"
    mark = re.escape(decimal_mark)
    return rf"[+-]?(?:{whole}(?:{mark}[0-9]*)?|{mark}[0-9]+)(?:[eE][+-]?[0-9]{{1,9}})?"


def _plain_number(
    texts: pa.Array, pattern: str, thousands_mark: str, decimal_mark: str = "."
) -> pa.Array:
    """Numbers as Arrow reads them; anything else, hexadecimal included, is NULL."""
    plain = pc.utf8_ltrim(_only(texts, pattern), "+")
    if thousands_mark:
        plain = pc.replace_substring(plain, thousands_mark, "")
    if decimal_mark != ".":
        plain = pc.replace_substring(plain, decimal_mark, ".")
    return plain


def _cast_numbers(
    plain: pa.Array,
    surely_fits: str,
    kind: pa.DataType,
    exactly: Callable[[str], int | Decimal | None],
) -> pa.Array:
    """Cast at once what surely fits; look at the rest, which is rare, one by one."""
    fits = _matches(plain, surely_fits)
    cast = pc.cast(pc.if_else(fits, plain, NO_TEXT), kind)
    if pc.all(fits, min_count=0).as_py():
        return cast
    rest = _one_by_one(exactly, kind, pc.if_else(fits, NO_TEXT, plain))
    return pc.coalesce(cast, rest)


def _like(example: str, format: str | tuple[str, ...]) -> str:
    if format == ISO:
        return f"like {example}"
    return f"in the format {format if isinstance(format, str) else ' or '.join(format)}"


def _microseconds(texts: pa.Array) -> pa.Array:
    """Fractions of a second cut to six digits."""
    if not pc.any(pc.match_substring_regex(texts, r"\.[0-9]{7}")).as_py():
        return texts
    return pc.replace_substring_regex(texts, r"(\.[0-9]{6})[0-9]+", r"\1")


def _strptime(texts: pa.Array, format: str | tuple[str, ...]) -> pa.Array:
    """Instants where the format has an offset from UTC in it, else local times.

    Of several formats the first that fits counts.
    """
    if not isinstance(format, str):
        first, *others = (_strptime(texts, one) for one in format)
        return pc.coalesce(first, *others)
    has_offset = "%z" in format
    column = texts.to_pandas(types_mapper=pd.ArrowDtype)
    moments = pd.to_datetime(column, format=format, errors="coerce", utc=has_offset)
    return pa.array(moments, INSTANT if has_offset else TIMESTAMP, from_pandas=True)


def _localize(moments: pa.Array, timezone: str) -> pa.Array:
    """Instants of local times; NULL where the clocks skip or repeat one."""
    local = pd.Series(moments.to_pandas()).astype("datetime64[us]")
    # pandas gives up where UTC is in the year 10000; a week before, the clocks agree.
    is_last, week = local >= "9999-12-31", pd.Timedelta(days=7)
    known = local.mask(is_last, local - week)
    instants = known.dt.tz_localize(timezone, ambiguous="NaT", nonexistent="NaT")
    instants = instants.dt.tz_convert("UTC").mask(is_last, instants + week)
    return pa.array(instants, INSTANT, from_pandas=True)


def _within_years(moments: pa.Array) -> pa.Array:
    """Only what Python and PostgreSQL agree on: 1 to 9999. Arrow has a year 0, too."""
    year = pc.year(moments)
    inside = pc.and_(pc.greater(year, 0), pc.less(year, 10_000))
    return pc.if_else(inside, moments, pa.scalar(None, moments.type))
