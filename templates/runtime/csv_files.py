"""Delimited text in batches of bounded size."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import cast

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import structlog

from .columns import arrow_frame, cast_or_null
from .csv_encoding import Recoded, is_utf8, skip_mark
from .csv_lines import UnfinishedRecord, only_records, whole_records
from .errors import ConfigError, ContractError
from .files import TextFiles, distinct, spell
from .folders import Folder
from .resource import Partition

MOST_TORN = 100_000  # in a row; a file with more has another shape altogether
log = structlog.get_logger()


@dataclass(frozen=True)
class Header:
    """The names of a file's columns, the lines above its records, and if it has any."""

    names: list[str]
    lines: int
    has_records: bool


@dataclass(frozen=True)
class CsvFiles(TextFiles):
    """Files of delimited text. A null value in quotes is that text, without them NULL.

    `header_row` is the header's line, from 1; 0 where there is none and the columns
    come in order. Lines that begin with `comment`, and the last `footer_rows` lines that
    are not blank, count for nothing.
    """

    delimiter: str = ","
    quote: str = '"'
    encoding: str = "utf-8"
    header_row: int = 1
    null_values: Sequence[str] = ("",)
    comment: str = ""
    footer_rows: int = 0

    def __post_init__(self) -> None:
        """Refuse what the reader can't split by."""
        for mark in (self.delimiter, self.quote or "'"):
            if len(mark) != 1 or not mark.isascii():
                raise ConfigError(f"{mark!r} is not one ASCII character")

    def inspect(self, folder: Folder, partition: Partition) -> None:
        """Read the header, and nothing else. An empty file has none, lacks nothing."""
        header = self._header(folder, partition).names
        if header:
            where = f"{spell(folder, partition)}:{self.header_row}"
            self.require_columns(header, where)

    def records(self, folder: Folder, partition: Partition) -> Iterator[pd.DataFrame]:
        """The records of a file; those with too many or too few fields go aside."""
        header = self._header(folder, partition)
        if not header.has_records:
            return
        name = spell(folder, partition)
        with self._text(folder, partition) as text:
            yield from self._rows(self._lines(text), name, header, partition)
            doubts = text.doubts() if isinstance(text, Recoded) else ""
        if doubts:
            log.warning(
                "is the encoding right?",
                file=name,
                encoding=self.encoding,
                looks_wrong=doubts,
            )

    def _rows(
        self,
        lines: io.BufferedReader,
        name: str,
        header: Header,
        partition: Partition,
    ) -> Iterator[pd.DataFrame]:
        last = 0
        try:
            for piece in whole_records(lines, self.delimiter, self.quote, header.lines):
                room = MOST_TORN - len(partition.rejects)
                batch, torn = self._split(piece, header.names, room)
                end = last + batch.num_rows + len(torn)
                aside = set()
                for row in torn:
                    aside.add(last + row.number)
                    rule = f"has {row.actual_columns} fields"
                    rule += f" instead of {row.expected_columns}"
                    partition.reject(last + row.number, rule, row.text)
                records = [n for n in range(last + 1, end + 1) if n not in aside]
                last = end
                if records:
                    texts = _decode(batch, records, partition)
                    yield self._without_headers(texts, header.names, partition)
        except UnfinishedRecord as error:
            raise ContractError(f"{name}: record {last + 1}: {error}") from None
        except (pa.ArrowInvalid, UnicodeError) as error:
            raise ContractError(
                f"{name}: the file can't be read after record {last}: {error}",
                f"Is the encoding {self.encoding}?",
            ) from None

    def _without_headers(
        self, rows: pd.DataFrame, names: Sequence[str], partition: Partition
    ) -> pd.DataFrame:
        """The rows without those that are the header again: of files put one after another."""
        if self.header_row == 0 or len(names) == 1:
            return rows
        again = rows.index[rows.iloc[:, 0].eq(names[0]).fillna(False)]
        again = again[(rows.loc[again] == names).all(axis="columns")]
        for number in again:
            partition.reject(number, "is the header again", self.delimiter.join(names))
        return rows.drop(index=again) if len(again) else rows

    def _header(self, folder: Folder, partition: Partition) -> Header:
        where = f"{spell(folder, partition)}:{self.header_row}"
        try:
            with io.TextIOWrapper(
                self._lines(self._text(folder, partition)),
                "utf-8",
                "backslashreplace",
                newline="",
            ) as file:
                above = list(islice(file, max(0, self.header_row - 1)))
                names, lines = self._names(file)
                has_records = any(line.strip("\r\n") for line in file)
        except UnicodeError as error:
            raise ContractError(
                f"{where}: the file can't be read: {error}",
                f"Is the encoding {self.encoding}?",
            ) from None
        except (LookupError, csv.Error) as error:
            raise ContractError(f"{where}: the header can't be read: {error}") from None
        if not names and (has_records or any(line.strip() for line in above)):
            raise ContractError(f"{where}: there is no header")
        return Header(names, len(above) + lines, has_records)

    def _text(
        self, folder: Folder, partition: Partition
    ) -> io.BufferedReader | Recoded:
        """The file in UTF-8."""
        file = self.open(folder, partition)
        try:
            skip_mark(file, self.encoding, spell(folder, partition))
            return file if is_utf8(self.encoding) else Recoded(file, self.encoding)
        except BaseException:
            file.close()
            raise

    def _lines(self, text: io.BufferedReader | Recoded) -> io.BufferedReader:
        """The text without the lines that count for nothing."""
        file = cast(io.BufferedReader, text)
        if isinstance(text, Recoded):
            file = cast(io.BufferedReader, io.BufferedReader(text))
        if not self.comment and not self.footer_rows:
            return file
        return only_records(
            file, self.delimiter, self.quote, self.comment, self.footer_rows
        )

    def _names(self, file: Iterator[str]) -> tuple[list[str], int]:
        """The names of the columns, and how many lines they take."""
        if self.header_row == 0:
            return [names[0] for names in self.in_file()], 0
        if self.quote:
            reader = csv.reader(file, delimiter=self.delimiter, quotechar=self.quote)
        else:
            reader = csv.reader(file, delimiter=self.delimiter, quoting=csv.QUOTE_NONE)
        return next(reader, []), reader.line_num

    def _split(
        self, piece: bytes, names: Sequence[str], most_torn: int
    ) -> tuple[pa.Table, list[pyarrow.csv.InvalidRow]]:
        """Whole records as columns of bytes, and those that are torn."""
        torn: list[pyarrow.csv.InvalidRow] = []

        def set_aside(row: pyarrow.csv.InvalidRow) -> str:
            torn.append(row)
            return "skip" if len(torn) <= most_torn else "error"

        columns = distinct(list(names))
        table = pyarrow.csv.read_csv(
            pa.BufferReader(piece),
            pyarrow.csv.ReadOptions(
                use_threads=False,  # a torn record knows its number only then
                block_size=len(piece) + 1,
                column_names=columns,
            ),
            pyarrow.csv.ParseOptions(
                delimiter=self.delimiter,
                quote_char=self.quote or False,
                newlines_in_values=bool(self.quote),
                invalid_row_handler=set_aside,
            ),
            pyarrow.csv.ConvertOptions(
                column_types={name: pa.binary() for name in columns},
                null_values=list(self.null_values),
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
        return table, torn


def _decode(batch: pa.Table, records: list[int], partition: Partition) -> pd.DataFrame:
    """Bytes to text; a record with bytes that are no text in it goes aside."""
    columns = []
    broken = pa.array([False] * len(records))
    cells = [column.combine_chunks() for column in batch.columns]
    for name, values in zip(batch.column_names, cells, strict=True):
        texts = cast_or_null(values, pa.string())
        columns.append((name, texts))
        broken = pc.or_(broken, pc.and_(pc.is_valid(values), pc.is_null(texts)))
    if not pc.any(broken).as_py():
        return arrow_frame(columns, records)
    for index in pc.indices_nonzero(broken).to_pylist():
        parts = [values[index].as_py() or b"" for values in cells]
        text = b" ".join(parts).decode("utf-8", errors="backslashreplace")
        partition.reject(records[index], "is not text in this encoding", text)
    return arrow_frame(columns, records)[~broken.to_numpy(zero_copy_only=False)]
