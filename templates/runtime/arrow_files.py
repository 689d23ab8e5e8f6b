"""Parquet and Arrow files: their columns come typed, exactly as they are stored."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import msgspec
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from .columns import arrow_frame
from .errors import ContractError
from .files import Files, spell
from .folders import Folder
from .resource import Partition

BATCH_ROWS = 1 << 14
BUFFER_BYTES = 1 << 20  # of each column, instead of all that a row group has
FEATHER_1 = b"FEA1"
ARROW_FILE = b"ARROW1"
encode_json = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode


@dataclass(frozen=True)
class ArrowTables(Files):
    """Files of typed columns. Those named in `texts` come as text all the same.

    Nested values come as JSON, durations as ISO 8601.
    """

    texts: Sequence[str] = ()

    def inspect(self, folder: Folder, partition: Partition) -> None:
        """Compare the names of the columns."""
        with folder.open(str(partition.file)) as file:
            names = self._opened(self._names, file, spell(folder, partition))
        self.require_columns(names, spell(folder, partition))

    def records(self, folder: Folder, partition: Partition) -> Iterator[pd.DataFrame]:
        """The rows of a file."""
        last = 0
        with folder.open(str(partition.file)) as file:
            batches = self._batches(file)
            name = spell(folder, partition)
            while batch := self._opened(next, batches, name, None):
                records = range(last + 1, last + batch.num_rows + 1)
                last += batch.num_rows
                yield arrow_frame(self._columns(batch), records)

    def _columns(self, batch: pa.RecordBatch) -> list[tuple[str, pa.Array]]:
        named = zip(batch.schema.names, batch.columns, strict=True)
        columns = [(name, plain(values)) for name, values in named]
        return [
            (name, pc.cast(values, pa.string()) if name in self.texts else values)
            for name, values in columns
        ]

    @staticmethod
    def _opened(read: Callable[..., Any], what: Any, name: str, *rest: Any) -> Any:
        try:
            return read(what, *rest)
        except (pa.ArrowException, OSError) as error:
            raise ContractError(f"{name}: the file can't be read: {error}") from None

    @abstractmethod
    def _names(self, file: BinaryIO) -> list[str]:
        """The columns of a file."""

    @abstractmethod
    def _batches(self, file: BinaryIO) -> Iterator[pa.RecordBatch]:
        """The rows of a file, a bounded number at a time."""


class ParquetFiles(ArrowTables):
    """Files of Apache Parquet."""

    def _names(self, file: BinaryIO) -> list[str]:
        return list(pq.ParquetFile(file).schema_arrow.names)

    def _batches(self, file: BinaryIO) -> Iterator[pa.RecordBatch]:
        # What is buffered before it is asked for is kept until the end of the file.
        with pq.ParquetFile(
            file, buffer_size=BUFFER_BYTES, pre_buffer=False
        ) as parquet:
            yield from parquet.iter_batches(BATCH_ROWS, use_threads=False)


class ArrowFiles(ArrowTables):
    """Files or streams of Arrow's own format; Feather is another name for it."""

    def _names(self, file: BinaryIO) -> list[str]:
        return list(_reader(file).schema.names)

    def _batches(self, file: BinaryIO) -> Iterator[pa.RecordBatch]:
        reader = _reader(file)
        if isinstance(reader, pa.ipc.RecordBatchFileReader):
            whole = map(reader.get_batch, range(reader.num_record_batches))
        else:
            whole = iter(reader)
        for batch in whole:
            for start in range(0, batch.num_rows, BATCH_ROWS):
                yield batch.slice(start, BATCH_ROWS)


def plain(values: pa.Array) -> pa.Array:
    """The same values without what is only a way to store them; nested ones as JSON."""
    kind = values.type
    if isinstance(values, pa.ExtensionArray):
        return plain(values.storage)
    if pa.types.is_dictionary(kind):
        return plain(values.dictionary_decode())
    if pa.types.is_run_end_encoded(kind):
        return plain(pc.run_end_decode(values))
    if pa.types.is_null(kind):
        return values.cast(pa.string())
    if pa.types.is_nested(kind):
        return pa.array(map(_json, values.to_pylist()), pa.string())
    if pa.types.is_duration(kind):
        texts = map(_json, values.to_pylist())
        return pa.array((text and text.strip('"') for text in texts), pa.string())
    for is_stored_so, exact in STORED:
        if is_stored_so(kind):
            return values.cast(exact)
    if pa.types.is_decimal(kind) and kind.bit_width < 128:
        return values.cast(pa.decimal128(kind.precision, kind.scale))
    return values


STORED: list[tuple[Callable[[pa.DataType], bool], pa.DataType]] = [
    (pa.types.is_large_string, pa.string()),
    (pa.types.is_string_view, pa.string()),
    (pa.types.is_large_binary, pa.binary()),
    (pa.types.is_binary_view, pa.binary()),
    (pa.types.is_float16, pa.float32()),
]


def _json(value: Any) -> str | None:
    return None if value is None else encode_json(value).decode()


def _reader(file: BinaryIO) -> pa.RecordBatchFileReader | pa.RecordBatchStreamReader:
    start = file.read(len(ARROW_FILE))
    file.seek(0)
    if start.startswith(FEATHER_1):
        raise pa.ArrowInvalid(
            "it is Feather of version 1; write it anew with version 2"
        )
    if start == ARROW_FILE:
        return pa.ipc.open_file(file)
    return pa.ipc.open_stream(file)
