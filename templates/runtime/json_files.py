"""JSON Lines and JSON arrays in batches of bounded size."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec
import pandas as pd

from .errors import ContractError
from .files import TextFiles, spell
from .folders import Folder
from .json_cells import Record, cell, decode_object, record_frame
from .resource import Partition

BATCH_RECORDS = 20_000
BATCH_BYTES = 16 << 20
CHUNK_BYTES = 1 << 20
LARGEST_RECORD = 64 << 20
TOO_LONG = f"a record is over {LARGEST_RECORD >> 20} MB long"
UTF8_BOM = b"\xef\xbb\xbf"
# A whole string, a bracket, or a quote whose string goes on in the next chunk.
TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[\]{}]|"', re.DOTALL)
OPENING, CLOSING, UNFINISHED_STRING = (b"[", b"{"), (b"]", b"}"), b'"'
# What may stand between two tokens at the top, the second token included.
BEFORE_ARRAY = re.compile(rb"\s*\[")
FIRST = re.compile(rb"\s*[\[{]")
NEXT = re.compile(rb"\s*,\s*[\[{]")
AFTER_ELEMENT = re.compile(rb"\s*\]")
NOTHING = re.compile(rb"(?!)")


@dataclass(frozen=True)
class JsonFiles(TextFiles):
    """Files of JSON objects, encoded in UTF-8; a key that an object lacks is NULL.

    A string comes as its characters, all else as it is written: no digit is lost.
    The columns named in `documents` stay JSON also where they hold a string.
    """

    documents: Sequence[str] = ()

    def records(self, folder: Folder, partition: Partition) -> Iterator[pd.DataFrame]:
        """The objects of a file; what is not an object is set aside."""
        with self.open(folder, partition) as file:
            elements = self._elements(_without_mark(file), spell(folder, partition))
            for batch in _batches(elements):
                yield self._frame(batch, partition)

    def _elements(self, file: io.BufferedReader, name: str) -> Iterator[bytes]:
        """The text of each record."""
        raise NotImplementedError

    def _frame(
        self, batch: list[tuple[int, bytes]], partition: Partition
    ) -> pd.DataFrame:
        numbers: list[int] = []
        records: list[Record] = []
        for number, text in batch:
            if not text.strip():
                continue
            try:
                records.append(
                    {
                        name: cell(raw, stays_json=name in self.documents)
                        for name, raw in decode_object(text).items()
                    }
                )
                numbers.append(number)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                payload = text.decode("utf-8", errors="backslashreplace").strip()
                partition.reject(number, "is not a JSON object", payload)
        return record_frame(records, numbers, self.in_file())


class JsonLines(JsonFiles):
    """One object a line."""

    def _elements(self, file: io.BufferedReader, name: str) -> Iterator[bytes]:
        number = 0
        while line := file.readline(LARGEST_RECORD + 1):
            if len(line) > LARGEST_RECORD:
                raise _malformed(name, number, TOO_LONG)
            number += 1
            yield line


class JsonArray(JsonFiles):
    """One array of objects, of which no more than a record is held at a time."""

    def _elements(self, file: io.BufferedReader, name: str) -> Iterator[bytes]:
        # `start` is where the current element begins, or the gap before it; `scanned`,
        # where the search for the next token goes on.
        text, start, scanned, depth, number = b"", 0, 0, 0, 0
        gap = BEFORE_ARRAY
        while chunk := file.read(CHUNK_BYTES):
            text += chunk
            for token in TOKEN.finditer(text, scanned):
                mark = token.group()
                if mark == UNFINISHED_STRING:
                    break
                scanned = token.end()
                if mark in OPENING:
                    depth += 1
                    if depth <= 2:
                        _require_gap(name, number, gap, text[start:scanned])
                        start, gap = (
                            (scanned, FIRST) if depth == 1 else (token.start(), NEXT)
                        )
                elif mark in CLOSING:
                    depth -= 1
                    if depth == 1:
                        number += 1
                        yield text[start:scanned]
                        start = scanned
                    elif depth == 0:
                        _require_gap(name, number, AFTER_ELEMENT, text[start:scanned])
                        start, gap = scanned, NOTHING
            text, scanned, start = text[start:], scanned - start, 0
            if len(text) > LARGEST_RECORD:
                raise _malformed(name, number, TOO_LONG)
        if depth or text.strip() or gap is BEFORE_ARRAY:
            raise _malformed(name, number, "the array doesn't end where the file ends")


def _without_mark(file: io.BufferedReader) -> io.BufferedReader:
    """The file after the byte order mark that it may begin with."""
    start = file.peek(len(UTF8_BOM))
    if start.startswith(UTF8_BOM):
        file.read(len(UTF8_BOM))
    return file


def _batches(elements: Iterator[bytes]) -> Iterator[list[tuple[int, bytes]]]:
    """Records with their numbers, no more at a time than fits into memory."""
    batch: list[tuple[int, bytes]] = []
    size = 0
    for numbered in enumerate(elements, start=1):
        batch.append(numbered)
        size += len(numbered[1])
        if len(batch) >= BATCH_RECORDS or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _require_gap(name: str, number: int, gap: re.Pattern[bytes], text: bytes) -> None:
    if not gap.fullmatch(text):
        found = text.strip()[:40].decode("utf-8", errors="backslashreplace")
        raise _malformed(
            name, number, f"an array of objects can't go on with {found!r}"
        )


def _malformed(name: str, number: int, what: str) -> ContractError:
    return ContractError(f"{name}: after record {number}: {what}")
