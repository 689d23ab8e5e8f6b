"""Delimited text in batches of bounded size."""

from __future__ import annotations

import csv
import difflib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from .convert import cast_or_null
from .errors import ContractError
from .files import Files, text_frame
from .resource import Partition

BLOCK_BYTES = 4 << 20


@dataclass(frozen=True)
class CsvFiles(Files):
    """Files of delimited text. A null value without quotes is NULL; in quotes it is that text.

    `header_row` is the header's line, from 1; 0 where there is none and the columns come in order.
    """

    delimiter: str = ","
    quote: str = '"'
    encoding: str = "utf-8"
    header_row: int = 1
    null_values: Sequence[str] = ("",)

    def inspect(self, path: Path) -> None:
        """Read the header, and nothing else. An empty file has none and lacks nothing."""
        header = self._header(path)
        for column in self.columns if header else ():
            names = (column,) if isinstance(column, str) else column
            found = [name for name in header if name in names]
            if len(found) == 1:
                continue
            where = f"{path}:{self.header_row}"
            if found:
                raise ContractError(f"{where}: column {found[0]!r} is there {len(found)} times")
            near = difflib.get_close_matches(names[0], header, n=1)
            raise ContractError(
                f"{where}: there is no column {' or '.join(map(repr, names))}",
                f"did you mean {near[0]!r}?" if near else f"columns: {', '.join(header)}",
            )

    def read(self, folder: Path, partition: Partition) -> Iterator[pd.DataFrame]:
        """The records of a file; those with too many or too few fields are set aside."""
        path = folder / str(partition.file)
        header = self._header(path)
        torn: list[pyarrow.csv.InvalidRow] = []
        record, last_cell = 0, None
        try:
            for batch in self._batches(path, header, torn) if header else ():
                aside = {row.number - self.header_row: row for row in torn}
                torn.clear()
                for number, row in aside.items():
                    rule = f"has {row.actual_columns} fields instead of {row.expected_columns}"
                    partition.reject(number, rule, row.text)
                whole = (number for number in count(record + 1) if number not in aside)
                records = list(islice(whole, batch.num_rows))
                record = max([record, *records[-1:], *aside])
                if records:
                    last_cell = batch.columns[-1][-1].as_py()
                yield _decode(batch, header, records, partition)
        except (pa.ArrowInvalid, UnicodeDecodeError) as error:
            raise ContractError(
                f"{path}: the file can't be read after record {record}: {error}",
                f"One record may be at most {BLOCK_BYTES >> 20} MB long.",
            ) from None
        if last_cell and b"\n" in last_cell and not self._ends_with_quote(path):
            raise ContractError(f"{path}: a quote is opened in record {record} and never closed")

    def _header(self, path: Path) -> list[str]:
        """The names in the header, [] where the file is empty."""
        if self.header_row == 0:
            return [name if isinstance(name, str) else name[0] for name in self.columns]
        encoding = "utf-8-sig" if self.encoding == "utf-8" else self.encoding
        try:
            with path.open(encoding=encoding, errors="backslashreplace", newline="") as file:
                lines = islice(file, self.header_row - 1, None)
                if self.quote:
                    reader = csv.reader(lines, delimiter=self.delimiter, quotechar=self.quote)
                else:
                    reader = csv.reader(lines, delimiter=self.delimiter, quoting=csv.QUOTE_NONE)
                return next(reader, [])
        except (UnicodeError, LookupError, csv.Error) as error:
            raise ContractError(
                f"{path}:{self.header_row}: the header can't be read as {self.encoding}: {error}"
            ) from None

    def _batches(
        self, path: Path, header: list[str], torn: list[pyarrow.csv.InvalidRow]
    ) -> pyarrow.csv.CSVStreamingReader:
        def set_aside(row: pyarrow.csv.InvalidRow) -> str:
            torn.append(row)
            return "skip"

        return pyarrow.csv.open_csv(
            path,
            pyarrow.csv.ReadOptions(
                use_threads=False,  # a torn record knows its number only then
                block_size=BLOCK_BYTES,
                encoding=self.encoding,
                skip_rows=max(0, self.header_row - 1),
                column_names=None if self.header_row else header,
            ),
            pyarrow.csv.ParseOptions(
                delimiter=self.delimiter,
                quote_char=self.quote or False,
                newlines_in_values=bool(self.quote),
                invalid_row_handler=set_aside,
            ),
            pyarrow.csv.ConvertOptions(
                column_types={name: pa.binary() for name in header},
                null_values=list(self.null_values),
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )

    def _ends_with_quote(self, path: Path) -> bool:
        if not self.quote:
            return True
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 64))
            tail = file.read().decode(self.encoding, errors="replace")
        return tail.rstrip().endswith(self.quote)


def _decode(
    batch: pa.RecordBatch, header: list[str], records: list[int], partition: Partition
) -> pd.DataFrame:
    """Bytes to text; a record with bytes that are no text in this encoding is set aside."""
    columns = []
    broken = pa.array([False] * len(records))
    for name, values in zip(_distinct(header), batch.columns, strict=True):
        texts = cast_or_null(values, lambda part: part.cast(pa.string()), pa.string())
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
    """The same names, a repeated one with its number: only columns that nobody reads repeat."""
    seen: Counter[str] = Counter()
    names = []
    for name in header:
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name}.{seen[name]}")
    return names
