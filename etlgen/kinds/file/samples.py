"""Files made up for the tests of a resource: good records, and one for each broken rule."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from etlgen.kinds.file.dialect import CAPTURE, compression_of
from etlgen.kinds.file.spec import FileResource
from etlgen.vocabulary.column import Column
from etlgen.vocabulary.derive import in_source
from etlgen.vocabulary.json_value import is_json_cell, json_value
from etlgen.vocabulary.samples import BadCell, alike, bad_cells, element_counts, good_rows

Cells = Mapping[str, str | None]
Record = str | list[str | None]
TABLES = ("parquet", "arrow", "excel")


@dataclass(frozen=True, slots=True)
class Samples:
    """A sample file's name, and its records: lines of text, or cells of a table.

    `is_plain` says that such a file is the lines and nothing else, `is_counted` that the
    resource waits for a number of them.
    """

    file: str
    is_in_subfolder: bool
    is_plain: bool
    is_counted: bool
    encoding: str
    good: tuple[Record, ...]
    good_count: int
    bad: tuple[Record, ...]
    rules: tuple[str, ...]
    element_counts: Mapping[str, int]


def make_samples(resource: FileResource, columns: Sequence[Column]) -> Samples:
    """Samples that the resource's pattern finds, and its dialect reads."""
    in_path = [column for column in columns if resource.is_in_path(column.from_names)]
    in_file = [column for column in in_source(columns) if column not in in_path]
    good = alike(good_rows(columns), columns, in_path)
    names = [column.name for column in in_file]
    bad = [
        cell
        for cell in bad_cells(columns)
        if cell.column in names and _can_stand(resource, columns, cell)
    ]
    broken: list[Cells] = [{**good[0], cell.column: cell.raw_value} for cell in bad]
    file = _matching_name(resource, columns, good[0])
    return Samples(
        file=file,
        is_in_subfolder="/" in file,
        is_plain=_is_plain(resource, file),
        is_counted=bool(resource.ready and resource.ready.count),
        encoding=resource.encoding,
        good=_records(resource, in_file, good),
        good_count=len(good),
        bad=_records(resource, in_file, [good[0], *broken]),
        rules=tuple(cell.rule for cell in bad),
        element_counts=element_counts(columns, good),
    )


def _can_stand(resource: FileResource, columns: Sequence[Column], cell: BadCell) -> bool:
    """Whether such a file can hold the cell: in a JSON file every document is JSON."""
    is_json = resource.format in ("json_lines", "json_array")
    return not is_json or is_json_cell(columns, cell.column, cell.raw_value)


def _is_plain(resource: FileResource, file: str) -> bool:
    is_compressed = (resource.compression or compression_of(file)) != "none"
    return resource.format not in TABLES and not is_compressed and resource.ready is None


def _records(
    resource: FileResource, columns: Sequence[Column], rows: Sequence[Cells]
) -> tuple[Record, ...]:
    if resource.format in TABLES:
        return tuple([row[column.name] for column in columns] for row in rows)
    return _lines(resource, columns, rows)


def _matching_name(resource: FileResource, columns: Sequence[Column], row: Cells) -> str:
    """A file name that the pattern matches, with the values of this row."""
    in_path = {column.from_names[0]: row[column.name] for column in in_source(columns)}

    def value(found: re.Match[str]) -> str:
        text = in_path.get(f"{{{found[1]}}}")
        if found[2] is None:
            return text or "1"
        moment = datetime.fromisoformat(text) if text else datetime(2026, 1, 15)
        return moment.strftime(found[2])

    filled = CAPTURE.sub(value, resource.path.replace("**/", ""))
    single = re.sub(r"\[(?!!)(.)[^\]]*\]", r"\1", filled)
    return re.sub(r"\[!.[^\]]*\]|[*?]", "1", single)


def _lines(
    resource: FileResource, columns: Sequence[Column], rows: Sequence[Cells]
) -> tuple[str, ...]:
    """The lines of a file with these records."""
    if resource.format == "csv":
        header = _csv_line(resource, [column.from_names[0] for column in columns])
        above = ["-"] * (resource.header_row - 1) + [header] * (resource.header_row > 0)
        cells = [[row[column.name] for column in columns] for row in rows]
        below = ["-"] * resource.footer_rows
        return (*above, *(_csv_line(resource, line) for line in cells), *below)
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
        json.dumps(column.from_names[0], ensure_ascii=False)
        + f": {json_value(column, row[column.name])}"
        for column in columns
    ]
    return "{" + ", ".join(members) + "}"
