"""Delimited text in batches of bounded size."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count, islice

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from .columns import arrow_frame, cast_or_null
from .csv_lines import Tail, only_records
from .errors import ConfigError, ContractError
from .files import TextFiles, distinct, spell
from .folders import Folder
from .resource import Partition

BLOCK_BYTES = 4 << 20
MOST_TORN = 100_000  # in one go; a file with more has another shape altogether


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
        with self._lines(folder, partition) as lines, Tail(lines) as file:
            name = spell(folder, partition)
            yield from self._rows(file, name, header, partition)

    def _rows(
        self, file: Tail, name: str, header: Header, partition: Partition
    ) -> Iterator[pd.DataFrame]:
        torn: list[pyarrow.csv.InvalidRow] = []
        aside: dict[int, str] = {}  # torn records after the last whole one
        last, last_cell = 0, None
        try:
            # The reader looks ahead, and for torn records at the end it has no batch.
            for batch in chain(self._batches(file, header, torn), [None]):
                for row in torn:
                    number = row.number - header.lines
                    aside[number] = row.text
                    rule = f"has {row.actual_columns} fields"
                    rule += f" instead of {row.expected_columns}"
                    partition.reject(number, rule, row.text)
                torn.clear()
                if batch:
                    whole = (
                        number for number in count(last + 1) if number not in aside
                    )
                    records = list(islice(whole, batch.num_rows))
                    last, last_cell = records[-1], batch.columns[-1][-1].as_py()
                    aside = {n: text for n, text in aside.items() if n > last}
                    yield _decode(batch, records, partition)
        except (pa.ArrowInvalid, UnicodeDecodeError) as error:
            raise ContractError(
                f"{name}: the file can't be read after record {last}: {error}",
                f"Is the encoding {self.encoding}? Is a quote opened and never closed? "
                f"A record may be at most {BLOCK_BYTES >> 20} MB long.",
            ) from None
        last = max(aside, default=last)
        if self._ends_in_quotes(file, aside.get(last), last_cell):
            raise ContractError(
                f"{name}: a quote is opened in record {last} and never closed"
            )

    def _header(self, folder: Folder, partition: Partition) -> Header:
        where = f"{spell(folder, partition)}:{self.header_row}"
        try:
            is_utf8 = codecs.lookup(self._encoding).name == "utf-8"
            encoding = "utf-8-sig" if is_utf8 else self._encoding
            with io.TextIOWrapper(
                self._lines(folder, partition), encoding, "backslashreplace", newline=""
            ) as file:
                above = list(islice(file, max(0, self.header_row - 1)))
                names, lines = self._names(file)
                has_records = any(line.strip("\r\n") for line in file)
        except (UnicodeError, LookupError, csv.Error) as error:
            raise ContractError(
                f"{where}: the header can't be read as {self.encoding}: {error}"
            ) from None
        if not names and (has_records or any(line.strip() for line in above)):
            raise ContractError(f"{where}: there is no header")
        return Header(names, len(above) + lines, has_records)

    def _lines(self, folder: Folder, partition: Partition) -> io.BufferedReader:
        """The file without the lines that count for nothing."""
        file = self.open(folder, partition)
        if not self.comment and not self.footer_rows:
            return file
        return only_records(
            file, self.encoding, self.quote, self.comment, self.footer_rows
        )

    @property
    def _encoding(self) -> str:
        """The encoding of `_lines`."""
        return "utf-8" if self.comment or self.footer_rows else self.encoding

    def _names(self, file: Iterator[str]) -> tuple[list[str], int]:
        """The names of the columns, and how many lines they take."""
        if self.header_row == 0:
            return [names[0] for names in self.in_file()], 0
        if self.quote:
            reader = csv.reader(file, delimiter=self.delimiter, quotechar=self.quote)
        else:
            reader = csv.reader(file, delimiter=self.delimiter, quoting=csv.QUOTE_NONE)
        return next(reader, []), reader.line_num

    def _batches(
        self, file: Tail, header: Header, torn: list[pyarrow.csv.InvalidRow]
    ) -> Iterator[pa.RecordBatch]:
        def set_aside(row: pyarrow.csv.InvalidRow) -> str:
            torn.append(row)
            return "skip" if len(torn) <= MOST_TORN else "error"

        names = distinct(header.names)
        yield from pyarrow.csv.open_csv(
            pa.PythonFile(file, "r"),
            pyarrow.csv.ReadOptions(
                use_threads=False,  # a torn record knows its number only then
                block_size=BLOCK_BYTES,
                encoding=self._encoding,
                skip_rows=header.lines,
                column_names=names,
            ),
            pyarrow.csv.ParseOptions(
                delimiter=self.delimiter,
                quote_char=self.quote or False,
                newlines_in_values=bool(self.quote),
                invalid_row_handler=set_aside,
            ),
            pyarrow.csv.ConvertOptions(
                column_types={name: pa.binary() for name in names},
                null_values=list(self.null_values),
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )

    def _ends_in_quotes(self, file: Tail, torn: str | None, cell: bytes | None) -> bool:
        """Whether the file's last record, torn or not, ends before its quotes do."""
        if not self.quote:
            return False
        if torn is not None:
            return torn.count(self.quote) % 2 == 1 and len(torn.splitlines()) > 1
        if cell is None:
            return False
        text = cell.decode(errors="replace").replace(self.quote, 2 * self.quote)
        opened = self.quote + text
        tail = file.last(4 * (len(opened) + 3)).decode(self._encoding, errors="replace")
        is_closed = tail.rstrip("\r\n").endswith(opened + self.quote)
        return tail.endswith(opened) and not is_closed


def _decode(
    batch: pa.RecordBatch, records: list[int], partition: Partition
) -> pd.DataFrame:
    """Bytes to text; a record with bytes that are no text in it goes aside."""
    columns = []
    broken = pa.array([False] * len(records))
    for name, values in zip(batch.schema.names, batch.columns, strict=True):
        texts = cast_or_null(values, pa.string())
        columns.append((name, texts))
        broken = pc.or_(broken, pc.and_(pc.is_valid(values), pc.is_null(texts)))
    if not pc.any(broken).as_py():
        return arrow_frame(columns, records)
    for index in pc.indices_nonzero(broken).to_pylist():
        cells = [values[index].as_py() or b"" for values in batch.columns]
        text = b" ".join(cells).decode("utf-8", errors="backslashreplace")
        partition.reject(records[index], "is not text in this encoding", text)
    return arrow_frame(columns, records)[~broken.to_numpy(zero_copy_only=False)]
