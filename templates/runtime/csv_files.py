"""Delimited text in batches of bounded size."""

from __future__ import annotations

import codecs
import csv
import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count, islice
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from .convert import cast_or_null
from .errors import ConfigError, ContractError
from .files import Files, text_frame
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
class CsvFiles(Files):
    """Files of delimited text. A null value in quotes is that text, without them NULL.

    `header_row` is the header's line, from 1; 0 where there is none and the columns
    come in order.
    """

    delimiter: str = ","
    quote: str = '"'
    encoding: str = "utf-8"
    header_row: int = 1
    null_values: Sequence[str] = ("",)

    def __post_init__(self) -> None:
        """Refuse what the reader can't split by."""
        for mark in (self.delimiter, self.quote or "'"):
            if len(mark) != 1 or not mark.isascii():
                raise ConfigError(f"{mark!r} is not one ASCII character")

    def inspect(self, path: Path) -> None:
        """Read the header, and nothing else. An empty file has none, lacks nothing."""
        header = self._header(path).names
        for column in self.columns if header else ():
            names = (column,) if isinstance(column, str) else column
            found = [name for name in header if name in names]
            if len(found) == 1:
                continue
            where, wanted = f"{path}:{self.header_row}", " or ".join(map(repr, names))
            if found:
                raise ContractError(f"{where}: more than one column is {wanted}")
            near = difflib.get_close_matches(names[0], header, n=1)
            columns = f"columns: {', '.join(header)}"
            raise ContractError(
                f"{where}: there is no column {wanted}",
                f"did you mean {near[0]!r}?" if near else columns,
            )

    def read(self, folder: Path, partition: Partition) -> Iterator[pd.DataFrame]:
        """The records of a file; those with too many or too few fields go aside."""
        path = folder / str(partition.file)
        header = self._header(path)
        torn: list[pyarrow.csv.InvalidRow] = []
        aside: dict[int, str] = {}  # torn records after the last whole one
        last, last_cell = 0, None
        try:
            # The reader looks ahead, and for torn records at the end it has no batch.
            for batch in chain(self._batches(path, header, torn), [None]):
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
                f"{path}: the file can't be read after record {last}: {error}",
                f"Is the encoding {self.encoding}? Is a quote opened and never closed? "
                f"A record may be at most {BLOCK_BYTES >> 20} MB long.",
            ) from None
        last = max(aside, default=last)
        if self._ends_in_quotes(path, aside.get(last), last_cell):
            raise ContractError(
                f"{path}: a quote is opened in record {last} and never closed"
            )

    def _header(self, path: Path) -> Header:
        try:
            is_utf8 = codecs.lookup(self.encoding).name == "utf-8"
            encoding = "utf-8-sig" if is_utf8 else self.encoding
            with path.open(
                encoding=encoding, errors="backslashreplace", newline=""
            ) as file:
                above = list(islice(file, max(0, self.header_row - 1)))
                names, lines = self._names(file)
                has_records = any(line.strip("\r\n") for line in file)
        except (UnicodeError, LookupError, csv.Error) as error:
            raise ContractError(
                f"{path}:{self.header_row}: the header can't be read as "
                f"{self.encoding}: {error}"
            ) from None
        if not names and (has_records or any(line.strip() for line in above)):
            raise ContractError(f"{path}:{self.header_row}: there is no header")
        return Header(names, len(above) + lines, has_records)

    def _names(self, file: Iterator[str]) -> tuple[list[str], int]:
        """The names of the columns, and how many lines they take."""
        if self.header_row == 0:
            return [
                name if isinstance(name, str) else name[0] for name in self.columns
            ], 0
        if self.quote:
            reader = csv.reader(file, delimiter=self.delimiter, quotechar=self.quote)
        else:
            reader = csv.reader(file, delimiter=self.delimiter, quoting=csv.QUOTE_NONE)
        return next(reader, []), reader.line_num

    def _batches(
        self, path: Path, header: Header, torn: list[pyarrow.csv.InvalidRow]
    ) -> Iterator[pa.RecordBatch]:
        def set_aside(row: pyarrow.csv.InvalidRow) -> str:
            torn.append(row)
            return "skip" if len(torn) <= MOST_TORN else "error"

        if not header.has_records:
            return
        names = _distinct(header.names)
        yield from pyarrow.csv.open_csv(
            path,
            pyarrow.csv.ReadOptions(
                use_threads=False,  # a torn record knows its number only then
                block_size=BLOCK_BYTES,
                encoding=self.encoding,
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

    def _ends_in_quotes(self, path: Path, torn: str | None, cell: bytes | None) -> bool:
        """Whether the file's last record, torn or not, ends before its quotes do."""
        if not self.quote:
            return False
        if torn is not None:
            return torn.count(self.quote) % 2 == 1 and len(torn.splitlines()) > 1
        if cell is None:
            return False
        text = cell.decode(errors="replace").replace(self.quote, 2 * self.quote)
        opened = self.quote + text
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 4 * (len(opened) + 3)))
            tail = file.read().decode(self.encoding, errors="replace")
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
        return text_frame(columns, records)
    for index in pc.indices_nonzero(broken).to_pylist():
        cells = [values[index].as_py() or b"" for values in batch.columns]
        text = b" ".join(cells).decode("utf-8", errors="backslashreplace")
        partition.reject(records[index], "is not text in this encoding", text)
    return text_frame(columns, records)[~broken.to_numpy(zero_copy_only=False)]


def _distinct(header: list[str]) -> list[str]:
    """The same names; one that is there already, so nobody reads it, gets a number."""
    names: list[str] = []
    for name in header:
        numbered = (f"{name}.{number}" for number in count(2))
        new = (other for other in numbered if other not in {*names, *header})
        names.append(next(new) if name in names else name)
    return names
