"""What a spec says of a source of files."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, WithJsonSchema

from etlgen.names import shown
from etlgen.pycode import is_visible
from etlgen.spec.column import ColumnSpec
from etlgen.spec.fields import DataText, PathSetting, Sequence
from etlgen.spec.models import ResourceSpec, SourceSpec
from etlgen.spec.problem import Problem, refusal
from etlgen.vocabulary.column import Notation

Format = Literal["csv", "json_lines", "json_array"]

FORMATS: Mapping[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "json_lines",
    ".ndjson": "json_lines",
    ".json": "json_array",
}
_CSV_ONLY = ("delimiter", "quote", "header_row", "encoding", "null_values")
_THOUSANDS = ("", ".", ",", "'", "\u2019", "_", " ", "\u00a0", "\u202f")


def _pattern(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise refusal("path", "a path is missing", "write a pattern such as orders-*.csv")
    parts = PurePosixPath(value).parts
    if "\\" in value or not all(map(is_visible, value)):
        raise refusal("path", f"{shown(value)} is not a path with '/' between visible names")
    if "${" in value:
        hint = "the source's own path takes ${NAME}"
        raise refusal("path", f"{shown(value)} cannot refer to the environment", hint)
    if value.startswith(("/", "~")) or ".." in parts or ":" in parts[0]:
        hint = "the source's own path says which folder that is"
        raise refusal("path", f"{shown(value)} leaves the folder of the source", hint)
    return value


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


def _mark(value: object) -> str:
    if value in (".", ","):
        return str(value)
    raise refusal("mark", f"{shown(str(value))} is not '.' or ','")


def _thousands(value: object) -> str:
    if isinstance(value, str) and value in _THOUSANDS:
        return value
    marks = " ".join(repr(mark) for mark in _THOUSANDS[1:])
    raise refusal("mark", f"{shown(str(value))} is not a thousands mark", f"marks: {marks}")


def _row(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise refusal("row", f"{shown(str(value))} is not a line number from 1, or 0 for no header")


_ONE = WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 1})


def _default_format(data: dict[str, Any]) -> Format | None:
    return FORMATS.get(PurePosixPath(data.get("path", "")).suffix.lower())


def _default_delimiter(data: dict[str, Any]) -> str:
    return "\t" if str(data.get("path", "")).lower().endswith(".tsv") else ","


def _default_nulls(data: dict[str, Any]) -> tuple[str, ...]:
    return ("",) if data.get("format") == "csv" else ()


class FileResource(ResourceSpec):
    """The files of one pattern."""

    path: Annotated[str, PlainValidator(_pattern), WithJsonSchema({"type": "string"})] = Field(
        examples=["orders-*.csv"], description="Pattern of file names, from the source's path."
    )
    format: Format | None = Field(
        default_factory=_default_format, description="Default: by the suffix of the path."
    )
    delimiter: Annotated[str, PlainValidator(_character), _ONE] = Field(
        default_factory=_default_delimiter, description="Default: a comma; a tab for .tsv."
    )
    encoding: Annotated[str, PlainValidator(_encoding), WithJsonSchema({"type": "string"})] = (
        "utf-8"
    )
    quote: Annotated[
        str, PlainValidator(_quote), WithJsonSchema({"type": "string", "maxLength": 1})
    ] = '"'
    header_row: Annotated[
        int, PlainValidator(_row), WithJsonSchema({"type": "integer", "minimum": 0})
    ] = Field(1, description="Line of the header; 0: no header, columns in the spec's order.")
    null_values: Annotated[tuple[DataText, ...], Sequence] = Field(
        default_factory=_default_nulls, description="Texts that mean NULL; for CSV default ['']."
    )
    decimal_mark: Annotated[str, PlainValidator(_mark), WithJsonSchema({"enum": [".", ","]})] = "."
    thousands_mark: Annotated[
        str, PlainValidator(_thousands), WithJsonSchema({"enum": list(_THOUSANDS)})
    ] = ""

    def notation(self, column: ColumnSpec) -> Notation:
        """The column's own notation within the files' dialect."""
        return replace(
            super().notation(column),
            decimal_mark=self.decimal_mark,
            thousands_mark=self.thousands_mark,
            null_values=self.null_values,
            writes_null=self.format != "csv" or bool(self.null_values),
        )

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        if self.format is None:
            suffixes = ", ".join(FORMATS)
            message = f"the suffix of {self.path!r} does not say the format (known: {suffixes})"
            yield Problem(
                ("path",), "format", message, "add 'format: csv' or json_lines, json_array"
            )
        elif self.format != "csv":
            for key in _CSV_ONLY:
                if key in self.model_fields_set:
                    message = f"{key!r} says nothing of {self.format} files; it is for csv"
                    yield Problem((key,), "dialect", message, at_key=True)
        if self.delimiter == self.quote:
            yield Problem(("quote",), "dialect", "delimiter and quote are the same character")
        if self.decimal_mark == self.thousands_mark:
            message = "decimal_mark and thousands_mark are the same character"
            yield Problem(("thousands_mark",), "dialect", message)
        if self.header_row == 0 and self.format == "csv":
            for name, column in self.columns.items():
                if "from_names" in column.model_fields_set:
                    message = "without a header (header_row: 0) there are no names to read from"
                    path = ("columns", name, "from")
                    yield Problem(path, "dialect", message, at_key=True)


class FileSource(SourceSpec):
    """A folder of files."""

    kind: Literal["file"]
    path: PathSetting = Field(
        examples=["data/webshop"],
        description="The folder: a literal, ${NAME} or ${NAME:-default}.",
    )
    resources: Mapping[str, FileResource] = Field(
        min_length=1,
        examples=[
            {
                "orders": {
                    "path": "orders-*.csv",
                    "primary_key": ["order_id"],
                    "columns": {"order_id": {"type": "bigint"}},
                }
            }
        ],
    )
