"""For the tests of this project: made-up records as files of a resource's format."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from .arrow_files import ParquetFiles
from .compressed import compression_of
from .conform import arrow_type, data_columns
from .csv_files import CsvFiles
from .excel_files import ExcelFiles, as_text, bounds
from .files import Files, TextFiles

if TYPE_CHECKING:
    import pytest

Record = str | list[str | None]
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "none": lambda data: data,
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zstd": lambda data: pa.compress(data, codec="zstd", asbytes=True),
}


def write_sample(file: Path, module: ModuleType, records: Sequence[Record]) -> None:
    """Write lines of text compressed, or cells typed, as the resource of `module` reads them.

    A column of cells stays text where only text says the same. The file is ready at once.
    """
    files = module.FILES
    _write(file, module, records)
    if files.ready.marker:
        (file.parent / files.ready.marker.replace("*", file.stem)).touch()
    old_enough = time.time() - files.ready.min_age.total_seconds()
    os.utime(file, (old_enough, old_enough))


def expect_none(monkeypatch: pytest.MonkeyPatch, module: ModuleType) -> None:
    """Any number of files is enough for the resource of `module`, also none."""
    ready = replace(module.FILES.ready, count=0)
    monkeypatch.setattr(module, "FILES", replace(module.FILES, ready=ready))


def _write(file: Path, module: ModuleType, records: Sequence[Record]) -> None:
    files = module.FILES
    if isinstance(files, TextFiles):
        encoding = files.encoding if isinstance(files, CsvFiles) else "utf-8"
        data = "\n".join(map(str, records)).encode(encoding)
        compression = files.compression or compression_of(file.name)
        if compression == "zip":
            data = _zipped(data, files.member.replace("*", "sample"))
        else:
            data = PACKERS[compression](data)
        file.write_bytes(data)
        return
    columns = _typed(module, [list(record) for record in records])
    if isinstance(files, ExcelFiles):
        _write_workbook(file, files, columns)
    elif isinstance(files, ParquetFiles):
        pq.write_table(pa.table(columns), file)
    else:
        with pa.ipc.new_file(file, pa.table(columns).schema) as writer:
            writer.write_table(pa.table(columns))


def _typed(module: ModuleType, records: list[list[str | None]]) -> dict[str, pa.Array]:
    files: Files = module.FILES
    # Derived columns, which are in no file, come last.
    by_name = zip(files.columns, data_columns(module.TABLE), strict=False)
    types = {name: arrow_type(column.type) for name, column in by_name}
    names = [
        name
        for name in types
        if (name if isinstance(name, tuple) else (name,)) in files.in_file()
    ]
    return {
        name if isinstance(name, str) else name[0]: _column(list(cells), types[name])
        for name, cells in zip(names, zip(*records, strict=True), strict=True)
    }


def _column(cells: list[str | None], kind: pa.DataType) -> pa.Array:
    texts = pa.array(cells, pa.string())
    if pa.types.is_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return texts
    try:
        typed = texts.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return texts
    return typed if [as_text(cell) for cell in typed.to_pylist()] == cells else texts


def _write_workbook(
    file: Path, files: ExcelFiles, columns: dict[str, pa.Array]
) -> None:
    from openpyxl import Workbook

    left, top, *_ = bounds(files.range)
    above = [["-"]] * (files.header_row - 1)
    header = [list(columns)] if files.header_row else []
    cells = zip(*(column.to_pylist() for column in columns.values()), strict=True)
    footer = [["-"]] * files.footer_rows
    book = Workbook(write_only=True)
    sheet = book.create_sheet(files.sheet or None)
    for _ in range((top or 1) - 1):
        sheet.append([])
    for row in (*above, *header, *cells, *footer):
        sheet.append([*[None] * ((left or 1) - 1), *row])
    book.save(file)


def _zipped(data: bytes, name: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return packed.getvalue()
