"""What a spec says of a source of files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field

from etlgen.kinds.file import dialect
from etlgen.kinds.file.dialect import CAPTURE, FORMATS, Compression, Format
from etlgen.spec.column import PlainColumnSpec
from etlgen.spec.fields import DataText, Sequence, Text
from etlgen.spec.marks import Mark, Thousands
from etlgen.spec.models import ResourceSpec, SourceSpec
from etlgen.spec.problem import Problem
from etlgen.spec.settings import PathSetting
from etlgen.spec.strict import Model
from etlgen.vocabulary.column import Notation

VALUE = re.compile(r"\{[a-z][a-z0-9_]*\}")
# The formats that each key says something of; those that are not here hold for every format.
KEYS: Mapping[str, tuple[Format, ...]] = {
    **dict.fromkeys(("delimiter", "quote", "encoding", "comment"), ("csv",)),
    **dict.fromkeys(("header_row", "null_values", "footer_rows"), ("csv", "excel")),
    **dict.fromkeys(("sheet", "range"), ("excel",)),
    **dict.fromkeys(("compression", "member"), ("csv", "json_lines", "json_array")),
    **dict.fromkeys(("decimal_mark", "thousands_mark"), ("csv", "json_lines", "json_array")),
}


Reading = Literal["new_files", "all_files"]


def _default_format(data: dict[str, Any]) -> Format | None:
    return dialect.format_of(data.get("path", ""))


def _default_delimiter(data: dict[str, Any]) -> str:
    path = dialect.without_compression(str(data.get("path", "")))
    return "\t" if path.lower().endswith(".tsv") else ","


def _default_nulls(data: dict[str, Any]) -> tuple[str, ...]:
    return ("",) if data.get("format") in ("csv", "excel") else ()


def _default_read(data: dict[str, Any]) -> Reading:
    return "new_files" if data.get("write_disposition") == "append" else "all_files"


class Ready(Model):
    """When a file may be read; until then it waits for a later run."""

    min_age: dialect.Age | None = Field(
        None, examples=["5m"], description="How long it has not changed: 30s, 5m, 2h, 1d."
    )
    marker: dialect.Marker | None = Field(
        None,
        description="A file beside it: *.done, where * is its name without suffix, or _SUCCESS.",
    )
    count: int | None = Field(
        None, ge=1, strict=True, description="How many files must be ready, else the run fails."
    )


class FileResource(ResourceSpec):
    """The files of one pattern."""

    path: dialect.Pattern = Field(
        examples=["orders-*.csv"],
        description="Pattern of file names, from the source's path; {name} and {name:%Y%m%d} are "
        "values for columns.",
    )
    format: Format | None = Field(
        default_factory=_default_format, description="Default: by the suffix of the path."
    )
    compression: Compression | None = Field(None, description="Default: by each file's suffix.")
    member: dialect.Member = Field("*", description="Pattern of the files meant in ZIP archives.")
    read: Reading = Field(
        default_factory=_default_read,
        description="new_files: each file once, and again when it changes. Default: new_files "
        "for append, else all_files.",
    )
    ready: Ready | None = None
    archive: dialect.ArchiveFolder | None = Field(
        None, description="Folder that files are moved to once they are published."
    )
    delimiter: dialect.Character = Field(
        default_factory=_default_delimiter, description="Default: a comma; a tab for .tsv."
    )
    encoding: dialect.Encoding = "utf-8"
    quote: dialect.Quote = '"'
    header_row: dialect.Row = Field(
        1, description="Line of the header; 0: no header, columns in the spec's order."
    )
    footer_rows: dialect.Row = Field(0, description="How many lines at the end are no records.")
    comment: dialect.Comment | None = Field(None, description="What a line begins with to be none.")
    sheet: Text | None = Field(None, description="Worksheet; default: the first.")
    range: dialect.CellRange | None = Field(
        None, examples=["B3:F"], description="Cells that count; default: all."
    )
    null_values: Annotated[tuple[DataText, ...], Sequence] = Field(
        default_factory=_default_nulls,
        description="Texts that mean NULL; for CSV and Excel default [''].",
    )
    decimal_mark: Mark = "."
    thousands_mark: Thousands = ""

    @property
    def captures(self) -> Mapping[str, str | None]:
        """The values in the path, with the formats of dates."""
        return {found[1]: found[2] for found in CAPTURE.finditer(self.path)}

    def is_in_path(self, from_names: tuple[str, ...]) -> bool:
        """Whether a column is a value of the path, and not in the file."""
        return bool(self.captures) and any(map(VALUE.fullmatch, from_names))

    def notation(self, column: PlainColumnSpec) -> Notation:
        """The column's own notation within the files' dialect."""
        if self.is_in_path(column.from_names):
            return replace(super().notation(column), writes_null=False)
        return replace(
            super().notation(column),
            decimal_mark=self.decimal_mark,
            thousands_mark=self.thousands_mark,
            null_values=self.null_values,
            writes_null=self.format != "csv" or bool(self.null_values),
        )

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        yield from self._dialect_problems()
        yield from self._reading_problems()
        yield from self._capture_problems()

    def _dialect_problems(self) -> Iterator[Problem]:
        if self.format is None:
            suffixes = ", ".join(FORMATS)
            message = f"the suffix of {self.path!r} does not say the format (known: {suffixes})"
            hint = "add 'format: csv' or json_lines, json_array, parquet, arrow, excel"
            yield Problem(("path",), "format", message, hint)
            return
        for key, formats in KEYS.items():
            if key in self.model_fields_set and self.format not in formats:
                message = f"{key!r} says nothing of {self.format} files; it is for "
                message += ", ".join(formats)
                yield Problem((key,), "dialect", message, at_key=True)
        is_packed = dialect.compression_of(self.path) != "none"
        if is_packed and self.format not in KEYS["compression"]:
            message = f"{self.format} files are not compressed as a whole"
            yield Problem(("path",), "dialect", message)
        if self.delimiter == self.quote:
            yield Problem(("quote",), "dialect", "delimiter and quote are the same character")
        if self.decimal_mark == self.thousands_mark:
            message = "decimal_mark and thousands_mark are the same character"
            yield Problem(("thousands_mark",), "dialect", message)
        if self.header_row == 0 and self.format in KEYS["header_row"]:
            for name, column in self.columns.items():
                if "from_names" in column.model_fields_set and not self.is_in_path(
                    column.from_names
                ):
                    message = "without a header (header_row: 0) there are no names to read from"
                    path = ("columns", name, "from")
                    yield Problem(path, "dialect", message, at_key=True)

    def _reading_problems(self) -> Iterator[Problem]:
        if self.write_disposition == "replace" and self.read == "new_files":
            message = "replace makes the table what was read, so it has to read all files"
            yield Problem(("read",), "read", message, "write append or merge, or 'all_files'")
        if self.archive and self.write_disposition == "replace":
            message = "a replaced table needs its files in every run, so they cannot go away"
            yield Problem(("archive",), "archive", message, at_key=True)
        if self.delete_missing and (self.archive or self.read == "new_files"):
            message = "a file that is not read again would take its rows along"
            hint = "read all_files, and archive none"
            yield Problem(("delete_missing",), "read", message, hint, at_key=True)

    def _capture_problems(self) -> Iterator[Problem]:
        for name, column in self.columns.items():
            if not self.is_in_path(column.from_names):
                continue
            path: tuple[str | int, ...] = ("columns", name, "from")
            if len(column.from_names) > 1:
                yield Problem(path, "capture", "a value in the path has one name")
            capture = column.from_names[0][1:-1]
            if capture not in self.captures:
                known = ", ".join(f"{{{one}}}" for one in self.captures) or "none"
                message = f"the path has no value {{{capture}}}"
                yield Problem(path, "capture", message, f"values in the path: {known}")
            elif self.captures[capture] and (column.format or column.clean):
                message = "its format stands in the path; it comes as a date or a timestamp"
                yield Problem(("columns", name), "capture", message, at_key=True)


class FileSource(SourceSpec):
    """A folder of files."""

    kind: Literal["file"]
    path: PathSetting = Field(
        examples=["data/webshop"],
        description="The folder, or its URL (s3://, gs://, abfs://, sftp://, https://): a literal, "
        "${NAME} or ${NAME:-default}.",
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
