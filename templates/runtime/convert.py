"""From text to exact types, cell by cell where need be: a cell that can't be read is a problem of its row.

Every function takes a column of text and gives an Arrow-typed one. White space around a value is
ignored, and an empty text is NULL. Whole columns are cast at once; only where that fails is the
bad cell looked for.
"""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from collections.abc import Callable
from decimal import Decimal, InvalidOperation

import msgspec
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from .errors import ContractError
from .problems import Problems

Parse = Callable[[pa.Array], pa.Array]
Why = Callable[[str], str]

INTEGERS = {16: "smallint", 32: "integer", 64: "bigint"}
TRUE = ("true", "t", "yes", "y", "on", "1")
FALSE = ("false", "f", "no", "n", "off", "0")
ISO = "ISO8601"
TIMESTAMP = pa.timestamp("us")
INSTANT = pa.timestamp("us", "UTC")


def to_boolean(
    values: pd.Series,
    problems: Problems,
    *,
    true: str | tuple[str, ...] = TRUE,
    false: str | tuple[str, ...] = FALSE,
) -> pd.Series:
    """Words to booleans; upper and lower case are the same."""
    words = {word.lower(): True for word in ([true] if isinstance(true, str) else true)}
    words |= {word.lower(): False for word in ([false] if isinstance(false, str) else false)}

    def parse(texts: pa.Array) -> pa.Array:
        found = pc.index_in(pc.utf8_lower(texts), pa.array(list(words)))
        return pc.take(pa.array(list(words.values())), found)

    return _read(values, problems, parse, lambda text: "is not a boolean")


def to_integer(
    values: pd.Series, problems: Problems, *, bits: int = 64, thousands_mark: str = ""
) -> pd.Series:
    """Whole numbers that fit smallint (16), integer (32) or bigint (64 bits)."""
    number = _number_pattern(thousands_mark, decimals=False)
    kind = {16: pa.int16(), 32: pa.int32(), 64: pa.int64()}[bits]

    def parse(texts: pa.Array) -> pa.Array:
        return pc.cast(_plain_number(texts, number, thousands_mark), kind)

    def why(text: str) -> str:
        if re.fullmatch(number, text):
            return f"is out of range for {INTEGERS[bits]}"
        return "is not a whole number"

    return _read(values, problems, parse, why)


def to_decimal(
    values: pd.Series,
    problems: Problems,
    *,
    precision: int,
    scale: int,
    decimal_mark: str = ".",
    thousands_mark: str = "",
) -> pd.Series:
    """Exact decimals; a value with more decimals than `scale` is refused rather than rounded."""
    number = _number_pattern(thousands_mark, decimal_mark)
    kind = pa.decimal128 if precision <= 38 else pa.decimal256

    def parse(texts: pa.Array) -> pa.Array:
        plain = _plain_number(texts, number, thousands_mark, decimal_mark)
        return pc.cast(plain, kind(precision, scale))

    def why(text: str) -> str:
        if not re.fullmatch(number, text):
            return "is not a number"
        try:
            value = Decimal(text.replace(thousands_mark, "").replace(decimal_mark, "."))
        except InvalidOperation:
            return "is not a number"
        if value.adjusted() >= precision - scale:
            return f"has more than {precision - scale} digits before the decimal point"
        return f"has more than {scale} decimals"

    return _read(values, problems, parse, why)


def to_double(
    values: pd.Series, problems: Problems, *, decimal_mark: str = ".", thousands_mark: str = ""
) -> pd.Series:
    """Finite floating point numbers."""
    number = _number_pattern(thousands_mark, decimal_mark)

    def parse(texts: pa.Array) -> pa.Array:
        plain = _plain_number(texts, number, thousands_mark, decimal_mark)
        numbers = pc.cast(plain, pa.float64())
        return pc.if_else(pc.is_finite(numbers), numbers, None)

    return _read(values, problems, parse, lambda text: "is not a number")


def to_date(values: pd.Series, problems: Problems, *, format: str = ISO) -> pd.Series:
    """Calendar days, written as 2026-01-31 or in a strptime format."""
    if format == ISO:
        return _read(
            values,
            problems,
            lambda texts: pc.cast(texts, pa.date32()),
            lambda text: "is not a date like 2026-01-31",
        )
    return _read(
        values,
        problems,
        lambda texts: pc.cast(_strptime(texts, format), pa.date32()),
        lambda text: f"is not a date in the format {format}",
    )


def to_time(values: pd.Series, problems: Problems, *, format: str = ISO) -> pd.Series:
    """Times of day, written as 23:59:59 or in a strptime format."""

    def parse(texts: pa.Array) -> pa.Array:
        if format == ISO:
            on_a_day = pc.binary_join_element_wise("1970-01-01", _microseconds(texts), "T")
            return pc.cast(pc.cast(on_a_day, TIMESTAMP), pa.time64("us"))
        return pc.cast(_strptime(texts, format), pa.time64("us"))

    like = "like 23:59:59" if format == ISO else f"in the format {format}"
    return _read(values, problems, parse, lambda text: f"is not a time {like}")


def to_timestamp(
    values: pd.Series, problems: Problems, *, format: str = ISO, timezone: str | None = None
) -> pd.Series:
    """Points in time, written as 2026-01-31T23:59:59 or in a strptime format.

    With a `timezone` they are instants: a value without an offset is that zone's local time; one
    that the clocks skip or repeat there names no instant. Fractions end at microseconds.
    """

    def parse(texts: pa.Array) -> pa.Array:
        if format == ISO and timezone is None:
            return pc.cast(_microseconds(texts), TIMESTAMP)
        if format == ISO:
            return _parse_instants(_microseconds(texts), str(timezone))
        moments = _strptime(texts, format, utc=timezone is not None and "%z" in format)
        if timezone is None or moments.type == INSTANT:
            return moments
        return _localize(moments, timezone)

    def why(text: str) -> str:
        if timezone is not None and _is_skipped_or_repeated(text, format, timezone):
            return f"is skipped or repeated by the clocks of {timezone}"
        like = "like 2026-01-31T23:59:59" if format == ISO else f"in the format {format}"
        return f"is not a timestamp {like}"

    return _read(values, problems, parse, why)


def to_bytes(values: pd.Series, problems: Problems, *, format: str = "hex") -> pd.Series:
    """Bytes, written in hex (with or without PostgreSQL's leading backslash-x) or base64."""

    def decode(text: str) -> bytes:
        if format == "hex":
            return bytes.fromhex(text.removeprefix("\\x"))
        return base64.b64decode(text, validate=True)

    def parse(texts: pa.Array) -> pa.Array:
        return pa.array([text and decode(text) for text in texts.to_pylist()], pa.binary())

    return _read(values, problems, parse, lambda text: f"is not {format}")


def to_uuid(values: pd.Series, problems: Problems) -> pd.Series:
    """UUIDs as 16 bytes."""

    def parse(texts: pa.Array) -> pa.Array:
        ids = [text and uuid.UUID(text).bytes for text in texts.to_pylist()]
        return pa.array(ids, pa.binary(16))

    return _read(values, problems, parse, lambda text: "is not a UUID")


def to_json(values: pd.Series, problems: Problems) -> pd.Series:
    """JSON documents as text, each digit kept."""

    def parse(texts: pa.Array) -> pa.Array:
        for text in texts.drop_null().to_pylist():
            if "\\u0000" in text:
                raise ValueError("PostgreSQL's jsonb has no NUL character")
            msgspec.json.decode(text.encode(), type=msgspec.Raw)
        return texts

    return _read(values, problems, parse, lambda text: "is not JSON")


def cast_or_null(values: pa.Array, cast: Parse, kind: pa.DataType) -> pa.Array:
    """`cast` the whole array; what can't be cast is NULL.

    A failing array is halved until the cells that fail stand alone, so that one bad cell among
    n costs log n casts, not n.
    """
    try:
        return cast(values)
    except (ValueError, pa.ArrowNotImplementedError):
        if len(values) == 1:
            return pa.nulls(1, kind)
    half = len(values) // 2
    parts = [cast_or_null(part, cast, kind) for part in (values[:half], values[half:])]
    return pa.concat_arrays(parts)


def as_arrow(values: pd.Series) -> pa.Array:
    """The Arrow array behind a column, in one piece."""
    array = pa.array(values, from_pandas=True)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def as_series(values: pa.Array, like: pd.Series) -> pd.Series:
    """An Arrow array as a column with the name and the index of another."""
    return pd.Series(pd.arrays.ArrowExtensionArray(values), index=like.index, name=like.name)


def is_text(kind: pa.DataType) -> bool:
    """Whether Arrow keeps this type as text."""
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _read(values: pd.Series, problems: Problems, parse: Parse, why: Why) -> pd.Series:
    texts = as_arrow(values)
    if pa.types.is_null(texts.type):
        texts = texts.cast(pa.string())
    if not is_text(texts.type):
        raise ContractError(
            f"column {values.name!r} is already {texts.type}; to_… functions read text",
            "Leave out the conversion, or convert before anything else does.",
        )
    texts = pc.utf8_trim_whitespace(texts.cast(pa.string()))
    texts = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
    kind = parse(pa.array([], pa.string())).type
    parsed = cast_or_null(texts, parse, kind) if len(texts) else pa.nulls(0, kind)
    broken = pc.and_(pc.is_valid(texts), pc.is_null(parsed)).to_numpy(zero_copy_only=False)
    reasons = pd.Series([why(text) for text in texts.filter(pa.array(broken)).to_pylist()])
    bad = values[broken]
    for rule, rows in bad.groupby(reasons.to_numpy()) if len(bad) else ():
        problems.add(str(values.name), str(rule), rows)
    return as_series(parsed, like=values)


def _number_pattern(thousands_mark: str, decimal_mark: str = ".", decimals: bool = True) -> str:
    """What a number looks like: groups of exactly three digits where there is a thousands mark."""
    whole = r"[0-9]+"
    if thousands_mark:
        whole = rf"(?:[0-9]{{1,3}}(?:{re.escape(thousands_mark)}[0-9]{{3}})+|[0-9]+)"
    if not decimals:
        return rf"[+-]?{whole}"
    mark = re.escape(decimal_mark)
    return rf"[+-]?(?:{whole}(?:{mark}[0-9]*)?|{mark}[0-9]+)(?:[eE][+-]?[0-9]+)?"


def _plain_number(
    texts: pa.Array, pattern: str, thousands_mark: str, decimal_mark: str = "."
) -> pa.Array:
    """Numbers as Arrow's parser reads them; anything else, hexadecimal included, is NULL."""
    matches = pc.match_substring_regex(texts, rf"\A(?:{pattern})\z")
    plain = pc.utf8_ltrim(pc.if_else(matches, texts, pa.scalar(None, pa.string())), "+")
    if thousands_mark:
        plain = pc.replace_substring(plain, thousands_mark, "")
    if decimal_mark != ".":
        plain = pc.replace_substring(plain, decimal_mark, ".")
    return plain


def _microseconds(texts: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(texts, r"(\.[0-9]{6})[0-9]+", r"\1")


def _strptime(texts: pa.Array, format: str, utc: bool = False) -> pa.Array:
    column = texts.to_pandas(types_mapper=pd.ArrowDtype)
    moments = pd.to_datetime(column, format=format, errors="coerce", utc=utc)
    return pa.array(moments, INSTANT if utc else TIMESTAMP, from_pandas=True)


def _parse_instants(texts: pa.Array, timezone: str) -> pa.Array:
    has_offset = pc.match_substring_regex(texts, r"[T ].*(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)$")
    nothing = pa.scalar(None, pa.string())
    instants = pc.cast(pc.if_else(has_offset, texts, nothing), INSTANT)
    local = pc.cast(pc.if_else(has_offset, nothing, texts), TIMESTAMP)
    return pc.coalesce(instants, _localize(local, timezone))


def _localize(moments: pa.Array, timezone: str) -> pa.Array:
    local = pd.Series(pd.to_datetime(moments.to_pandas())).astype("datetime64[us]")
    instants = local.dt.tz_localize(timezone, ambiguous="NaT", nonexistent="NaT")
    return pa.array(instants.dt.tz_convert("UTC"), INSTANT, from_pandas=True)


def _is_skipped_or_repeated(text: str, format: str, timezone: str) -> bool:
    no_problems = Problems()
    return bool(
        to_timestamp(pd.Series([text], dtype="str"), no_problems, format=format).notna().all()
    )
