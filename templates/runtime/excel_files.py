"""Worksheets of Excel workbooks: each cell as the text of the value that is stored."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any
from zipfile import BadZipFile

import pandas as pd
import pyarrow as pa

from .columns import arrow_frame
from .errors import ConfigError, ContractError
from .files import Files, distinct, spell
from .folders import Folder
from .resource import Partition

BATCH_ROWS = 10_000
CORNER = re.compile("([A-Z]+)([0-9]*)")
Row = tuple[Any, ...]


@dataclass(frozen=True)
class ExcelFiles(Files):
    """Files of .xlsx. A formula comes as the value that was saved with it.

    `sheet` is the worksheet's name, by default the first; `range` the cells that count,
    such as `B3:F`, by default all. `header_row` is counted within these, from 1; 0 where
    there is none and the columns come in order. Rows that are empty are left out.
    """

    sheet: str = ""
    range: str = ""
    header_row: int = 1
    null_values: Sequence[str] = ("",)
    footer_rows: int = 0

    def inspect(self, folder: Folder, partition: Partition) -> None:
        """Read the header; a sheet without any cell lacks nothing."""
        with self._sheet(folder, partition) as sheet:
            header = self._header(self._rows(sheet))
        if header:
            self.require_columns(header, spell(folder, partition))

    def records(self, folder: Folder, partition: Partition) -> Iterator[pd.DataFrame]:
        """The rows below the header."""
        with self._sheet(folder, partition) as sheet:
            rows = self._rows(sheet)
            header = self._header(rows)
            rest = self._without_footer(enumerate(rows, start=1))
            filled = (
                (n, row) for n, row in rest if any(cell is not None for cell in row)
            )
            while batch := list(islice(filled, BATCH_ROWS)):
                yield self._frame(header, batch)

    def _frame(self, header: list[str], batch: list[tuple[int, Row]]) -> pd.DataFrame:
        columns = []
        for index, name in enumerate(distinct(header)):
            if header[index]:
                texts = (self._text(row, index) for _, row in batch)
                columns.append((name, pa.array(texts, pa.string())))
        return arrow_frame(columns, [number for number, _ in batch])

    def _text(self, row: Row, index: int) -> str | None:
        text = as_text(row[index]) if index < len(row) else None
        return None if text in self.null_values else text

    @contextmanager
    def _sheet(self, folder: Folder, partition: Partition) -> Iterator[Any]:
        try:
            from openpyxl import load_workbook
        except ImportError:
            raise ConfigError(
                "Excel files need a library that is not installed",
                "Install this project with the extra 'excel'.",
            ) from None
        name = spell(folder, partition)
        with folder.open(str(partition.file)) as file:
            try:
                book = load_workbook(file, read_only=True, data_only=True)
            except (BadZipFile, KeyError, ValueError) as error:
                raise ContractError(f"{name}: it is no workbook: {error}") from None
            try:
                titles = [sheet.title for sheet in book.worksheets]
                title = self.sheet or titles[0]
                if title not in titles:
                    raise ContractError(
                        f"{name}: there is no sheet {title!r}",
                        f"sheets: {', '.join(titles)}",
                    )
                yield book[title]
            finally:
                book.close()

    def _rows(self, sheet: Any) -> Iterator[Row]:
        sheet.reset_dimensions()  # some writers state them wrongly
        left, top, right, bottom = bounds(self.range)
        yield from sheet.iter_rows(top, bottom, left, right, values_only=True)

    def _header(self, rows: Iterator[Row]) -> list[str]:
        if self.header_row == 0:
            return [names[0] for names in self.in_file()]
        row = next(islice(rows, self.header_row - 1, None), ())
        return [as_text(cell) or "" for cell in row]

    def _without_footer(
        self, rows: Iterator[tuple[int, Row]]
    ) -> Iterator[tuple[int, Row]]:
        held: list[tuple[int, Row]] = []
        for numbered in rows:
            if any(cell is not None for cell in numbered[1]):
                held.append(numbered)
                if len(held) > self.footer_rows:
                    yield held.pop(0)


def bounds(range: str) -> tuple[int | None, ...]:
    """The first column and row of `B3:F`, and the last ones; None where none is said."""
    from openpyxl.utils import column_index_from_string

    corners = [CORNER.fullmatch(corner) for corner in range.split(":")] if range else []
    numbers: list[int | None] = [None] * 4
    for index, corner in enumerate(corners):
        if corner is None:
            raise ConfigError(f"{range!r} is not a range of cells such as B3:F")
        numbers[2 * index] = column_index_from_string(corner[1])
        numbers[2 * index + 1] = int(corner[2]) if corner[2] else None
    return tuple(numbers)


def as_text(cell: object) -> str | None:
    """A value as text that conversions read: numbers plain, moments as ISO 8601.

    A day without a time of day comes as a date: Excel doesn't tell them apart.
    """
    if cell is None or isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, datetime):
        is_day = cell.time() == time()
        return cell.date().isoformat() if is_day else cell.isoformat(" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return _clock(cell)
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    return str(cell)


def _clock(duration: timedelta) -> str:
    seconds = round(duration.total_seconds())
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    return f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
