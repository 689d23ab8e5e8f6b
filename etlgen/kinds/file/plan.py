"""What the modules and tests of file resources say beyond what every resource says."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from etlgen.kinds import KindPlan
from etlgen.kinds.file.spec import FileResource, FileSource
from etlgen.names import EnvName
from etlgen.pycode import Code, code
from etlgen.vocabulary.column import Column
from etlgen.vocabulary.samples import BadCell, bad_cells, good_rows

CLASSES = {
    "csv": ("CsvFiles", "runtime.csv_files:CsvFiles"),
    "json_lines": ("JsonLines", "runtime.json_files:JsonLines"),
    "json_array": ("JsonArray", "runtime.json_files:JsonArray"),
}
Cells = Mapping[str, str | None]
NUMBERS = ("smallint", "integer", "bigint", "numeric", "double")
JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class FileFolder:
    """Where the files are: a variable, its default, or both. `example` goes into error messages.

    `samples_are_apart` says that no resource would read the sample file of another.
    """

    env: EnvName | None
    default: str | None
    example: str
    samples_are_apart: bool


@dataclass(frozen=True, slots=True)
class FileDetail:
    """One resource: how its files are read, and files made up for its tests."""

    files: Code
    sample_file: str
    is_in_subfolder: bool
    encoding: str
    good: tuple[str, ...]
    good_count: int
    bad: tuple[str, ...]
    rules: tuple[str, ...]
    is_partitioned: bool

    @property
    def code(self) -> tuple[Code, ...]:
        return (self.files,)

    @property
    def reads_files(self) -> bool:
        return True


def plan(source: FileSource) -> KindPlan:
    """A folder, and for each resource its dialect and its samples."""
    details = {name: _detail(one) for name, one in source.resources.items()}
    samples = {name: PurePosixPath(detail.sample_file) for name, detail in details.items()}
    are_apart = all(
        other == name or not sample.match(resource.path)
        for name, resource in source.resources.items()
        for other, sample in samples.items()
    )
    return KindPlan(_folder(source, are_apart), details)


def _folder(source: FileSource, samples_are_apart: bool) -> FileFolder:
    default = source.path.default
    return FileFolder(source.path.env, default, default or f"data/{source.name}", samples_are_apart)


def _detail(resource: FileResource) -> FileDetail:
    columns = resource.resolved_columns()
    good = good_rows(columns)
    bad = [cell for cell in bad_cells(columns) if _can_stand(resource, columns, cell)]
    broken: list[Cells] = [{**good[0], cell.column: cell.raw_value} for cell in bad]
    return FileDetail(
        files=_files(resource, columns),
        sample_file=_matching_name(resource.path),
        is_in_subfolder="/" in _matching_name(resource.path),
        encoding=resource.encoding,
        good=_lines(resource, columns, good),
        good_count=len(good),
        bad=_lines(resource, columns, [good[0], *broken]),
        rules=tuple(f"{cell.column} {cell.reason}" for cell in bad),
        is_partitioned=any(mark in resource.path for mark in "*?["),
    )


def _can_stand(resource: FileResource, columns: Sequence[Column], cell: BadCell) -> bool:
    """Whether such a file can hold the cell: in a JSON file every document is JSON."""
    types = {column.name: column.type.name for column in columns}
    is_document = types[cell.column] == "jsonb" and resource.format != "csv"
    return cell.raw_value is None or not is_document


def _files(resource: FileResource, columns: Sequence[Column]) -> Code:
    """`CsvFiles("orders-*.csv", columns=[…], delimiter=";")`: what is not said is the default."""
    name, marker = CLASSES[str(resource.format)]
    options: dict[str, Any] = {
        "columns": [
            column.from_names[0] if len(column.from_names) == 1 else column.from_names
            for column in columns
        ]
    }
    if resource.format == "csv":
        defaults = {
            "delimiter": ",",
            "quote": '"',
            "encoding": "utf-8",
            "header_row": 1,
            "null_values": ("",),
        }
        for option, default in defaults.items():
            value = getattr(resource, option)
            if value != default:
                options[option] = list(value) if isinstance(value, tuple) else value
    elif documents := _documents(columns):
        options["documents"] = documents
    return code(
        f"{name}({{pattern}}{''.join(f', {option}={{{option}}}' for option in options)})",
        imports=[marker],
        pattern=resource.path,
        **options,
    )


def _documents(columns: Sequence[Column]) -> list[str]:
    """The names under which JSON documents come, whose text is kept as it is written."""
    return [name for column in columns if column.type.name == "jsonb" for name in column.from_names]


def _matching_name(pattern: str) -> str:
    """A file name that the pattern matches."""
    single = re.sub(r"\[(?!!)(.)[^\]]*\]", r"\1", pattern.replace("**/", ""))
    return re.sub(r"\[!.[^\]]*\]|[*?]", "1", single)


def _lines(
    resource: FileResource, columns: Sequence[Column], rows: Sequence[Cells]
) -> tuple[str, ...]:
    """The lines of a file with these records."""
    if resource.format == "csv":
        header = _csv_line(resource, [column.from_names[0] for column in columns])
        above = ["-"] * (resource.header_row - 1) + [header] * (resource.header_row > 0)
        cells = [[row[column.name] for column in columns] for row in rows]
        return (*above, *(_csv_line(resource, line) for line in cells))
    objects = [_json_object(columns, row) for row in rows]
    if resource.format == "json_lines":
        return tuple(objects)
    return ("[", *(f"{one}," for one in objects[:-1]), *objects[-1:], "]")


def _csv_line(resource: FileResource, cells: Sequence[str | None]) -> str:
    return resource.delimiter.join(_csv_cell(resource, cell) for cell in cells)


def _csv_cell(resource: FileResource, cell: str | None) -> str:
    if cell is None:
        return resource.null_values[0] if resource.null_values else ""
    special = (resource.delimiter, resource.quote, "\n", "\r")
    plain = not any(mark in cell for mark in special) and cell not in ("", *resource.null_values)
    if plain or not resource.quote:
        return cell
    return resource.quote + cell.replace(resource.quote, resource.quote * 2) + resource.quote


def _json_object(columns: Sequence[Column], row: Cells) -> str:
    members = [
        f"{json.dumps(column.from_names[0], ensure_ascii=False)}: {_json_value(column, row)}"
        for column in columns
    ]
    return "{" + ", ".join(members) + "}"


def _json_value(column: Column, row: Cells) -> str:
    """Bare where JSON has the type and takes the text, a string otherwise."""
    cell = row[column.name]
    if cell is None:
        return "null"
    kind = column.type.name
    is_number = kind in NUMBERS and JSON_NUMBER.fullmatch(cell)
    is_word = kind == "boolean" and cell in ("true", "false")
    if is_number or is_word or kind == "jsonb":
        return cell
    return json.dumps(cell, ensure_ascii=False)
