"""The values that a spec of files holds: patterns, characters, ages, with their errors."""

from __future__ import annotations

import codecs
import re
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import PlainValidator, WithJsonSchema

from etlgen.names import shown
from etlgen.pycode import is_visible
from etlgen.spec.problem import refusal
from etlgen.vocabulary.durations import read_duration

Format = Literal["csv", "json_lines", "json_array", "parquet", "arrow", "excel"]
FORMATS: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "json_lines",
    ".ndjson": "json_lines",
    ".json": "json_array",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".xlsx": "excel",
}
Compression = Literal["none", "gzip", "bz2", "xz", "zstd", "zip"]
COMPRESSIONS: dict[str, Compression] = {
    ".gz": "gzip",
    ".bz2": "bz2",
    ".xz": "xz",
    ".zst": "zstd",
    ".zip": "zip",
}
# `{plant}` or `{day:%Y%m%d}` in a pattern; the runtime finds only directives of a fixed length.
CAPTURE = re.compile(r"\{([^{}:]*)(?::([^{}]*))?\}")
_DIRECTIVES = ("%Y", "%m", "%d", "%H", "%M", "%S", "%y", "%j")
_AGE = re.compile(r"([1-9][0-9]{0,5})(s|m|h|d)")
_RANGE = re.compile(r"[A-Z]{1,3}[1-9][0-9]{0,6}:[A-Z]{1,3}([1-9][0-9]{0,6})?")


def _pattern(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise refusal("path", "a path is missing", "write a pattern such as orders-*.csv")
    parts = PurePosixPath(CAPTURE.sub("x", value)).parts
    if "\\" in value or not all(map(is_visible, value)):
        raise refusal("path", f"{shown(value)} is not a path with '/' between visible names")
    if "${" in value:
        hint = "the source's own path takes ${NAME}"
        raise refusal("path", f"{shown(value)} cannot refer to the environment", hint)
    if value.startswith(("/", "~")) or ".." in parts or ":" in parts[0]:
        hint = "the source's own path says which folder that is"
        raise refusal("path", f"{shown(value)} leaves the folder of the source", hint)
    _captures(value)
    return value


def _captures(value: str) -> None:
    """Refuse values of a pattern that no file name could have."""
    rest = CAPTURE.sub("", value)
    if "{" in rest or "}" in rest:
        hint = "a value is {name} or {name:%Y%m%d}"
        raise refusal("path", f"{shown(value)} has a brace that is not closed", hint)
    names = [found[1] for found in CAPTURE.finditer(value)]
    for name in names:
        if not re.fullmatch("[a-z][a-z0-9_]*", name):
            hint = "use lower case letters, digits and _"
            raise refusal("path", f"{shown(name)} is no name for a value in a path", hint)
        if names.count(name) > 1:
            raise refusal("path", f"{shown(name)} stands twice in {shown(value)}")
    for found in CAPTURE.finditer(value):
        directives = re.findall("%.?", found[2] or "")
        if found[2] is not None and not (directives and set(directives) <= {*_DIRECTIVES}):
            hint = f"use {' '.join(_DIRECTIVES)}"
            raise refusal("path", f"{shown(found[2])} is no format of a date in a path", hint)


def _encoding(value: object) -> str:
    try:
        if isinstance(value, str) and codecs.lookup(value)._is_text_encoding:
            return codecs.lookup(value).name
    except (LookupError, ValueError):
        pass
    raise refusal("encoding", f"{shown(str(value))} is not an encoding", "write utf-8 or cp1252")


def _character(value: object) -> str:
    if isinstance(value, str) and len(value) == 1 and value.isascii() and value not in "\r\n\0":
        return value
    hint = 'a tab is "\\t" in double quotes' if value == "\\t" else None
    raise refusal("character", f"{shown(str(value))} is not one ASCII character", hint)


def _quote(value: object) -> str:
    return "" if value == "" else _character(value)


def _row(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise refusal("row", f"{shown(str(value))} is not a line number from 1, or 0 for no header")


def _age(value: object) -> timedelta:
    if isinstance(value, str) and _AGE.fullmatch(value):
        return read_duration(value)
    raise refusal("age", f"{shown(str(value))} is not an age", "write 30s, 5m, 2h or 1d")


def _below(value: object) -> str:
    """A name or a path below a folder."""
    path = PurePosixPath(value) if isinstance(value, str) else PurePosixPath("/")
    is_plain = isinstance(value, str) and value.strip() and all(map(is_visible, value))
    if not is_plain or path.is_absolute() or ".." in path.parts or "\\" in str(value):
        raise refusal("path", f"{shown(str(value))} is not the name of something in the folder")
    if set(str(value)) & set("?[]{}$:~"):
        raise refusal("path", f"{shown(str(value))} has characters of a pattern")
    return str(path)


def _marker(value: object) -> str:
    name = _below(value)
    if "/" in name or name == "*":
        hint = "write *.done, where * is the file's name without its suffix, or _SUCCESS"
        raise refusal("marker", f"{shown(name)} is not the name of a file beside another", hint)
    return name


def _archive(value: object) -> str:
    name = _below(value)
    if "*" in name:
        raise refusal("path", f"{shown(name)} has characters of a pattern")
    return name


def _comment(value: object) -> str:
    if isinstance(value, str) and 0 < len(value) <= 10 and all(map(is_visible, value)):
        return value
    raise refusal("comment", f"{shown(str(value))} is not the start of a comment", "write '#'")


def _member(value: object) -> str:
    if isinstance(value, str) and value and all(map(is_visible, value)):
        return value
    raise refusal("member", f"{shown(str(value))} is not a pattern of names in an archive")


def _range(value: object) -> str:
    if isinstance(value, str) and _RANGE.fullmatch(value):
        return value
    raise refusal("range", f"{shown(str(value))} is not a range of cells", "write B3:F90 or B3:F")


Pattern = Annotated[str, PlainValidator(_pattern), WithJsonSchema({"type": "string"})]
Encoding = Annotated[str, PlainValidator(_encoding), WithJsonSchema({"type": "string"})]
Character = Annotated[
    str,
    PlainValidator(_character),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 1}),
]
Quote = Annotated[str, PlainValidator(_quote), WithJsonSchema({"type": "string", "maxLength": 1})]
Row = Annotated[int, PlainValidator(_row), WithJsonSchema({"type": "integer", "minimum": 0})]
Age = Annotated[
    timedelta,
    PlainValidator(_age),
    WithJsonSchema({"type": "string", "pattern": f"^{_AGE.pattern}$"}),
]
Marker = Annotated[str, PlainValidator(_marker), WithJsonSchema({"type": "string"})]
ArchiveFolder = Annotated[str, PlainValidator(_archive), WithJsonSchema({"type": "string"})]
Comment = Annotated[str, PlainValidator(_comment), WithJsonSchema({"type": "string"})]
Member = Annotated[str, PlainValidator(_member), WithJsonSchema({"type": "string"})]
CellRange = Annotated[
    str,
    PlainValidator(_range),
    WithJsonSchema({"type": "string", "pattern": f"^{_RANGE.pattern}$"}),
]


def format_of(path: str) -> Format | None:
    """What the suffix of a pattern says, that of a compression left aside."""
    return FORMATS.get(PurePosixPath(without_compression(path)).suffix.lower())


def compression_of(path: str) -> Compression:
    """How files of this pattern are compressed."""
    return COMPRESSIONS.get(PurePosixPath(path).suffix.lower(), "none")


def without_compression(path: str) -> str:
    return path[: path.rindex(".")] if compression_of(path) != "none" else path
