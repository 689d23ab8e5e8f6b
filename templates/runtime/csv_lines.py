"""The bytes of delimited text, on their way to the reader that splits them."""

from __future__ import annotations

import io
import re
from collections import deque
from collections.abc import Iterator
from typing import Any

BLOCK_BYTES = 2 << 20
LARGEST_RECORD = 16 << 20
LINE = re.compile(rb"[^\r\n]*+(?:\r\n?|\n)")


class UnfinishedRecord(Exception):
    """A record that doesn't end, after those that were given."""


def whole_records(
    file: io.BufferedReader, delimiter: str, quote: str, lines_above: int
) -> Iterator[bytes]:
    """The file in pieces of bounded size that end where a record does.

    Raises `UnfinishedRecord` for a quote that is never closed, or a record that is longer
    than memory has room for.
    """
    outside = re.compile(_outside(delimiter, quote).encode()) if quote else None
    data = file.read(BLOCK_BYTES)
    for _ in range(lines_above):
        line = LINE.match(data)
        data = data[line.end() :] if line else b""
    while block := file.read(BLOCK_BYTES):
        end = _end_of_records(data, outside)
        if end:
            yield data[:end]
        elif len(data) > LARGEST_RECORD:
            raise UnfinishedRecord(f"a record is over {LARGEST_RECORD >> 20} MB long")
        data = data[end:] + block
    end = _end_of_records(data, outside)
    if end:
        yield data[:end]
    if outside and not outside.fullmatch(data, end):
        raise UnfinishedRecord("a quote is opened and never closed")
    if end < len(data):
        yield data[end:]


def _outside(delimiter: str, quote: str) -> str:
    """Matches from the start of a record up to a quote that isn't closed, or to the end.

    A quote opens only where a field begins; anywhere else it is a character like others.
    """
    q, edge = re.escape(quote), rf"[^{re.escape(delimiter)}\r\n]"
    quoted = f"(?<!{edge}){q}[^{q}]*+(?:{q}{q}[^{q}]*+)*+{q}"
    return f"[^{q}]*+(?:(?:{quoted}|(?<={edge}){q})[^{q}]*+)*+"


def _end_of_records(data: bytes, outside: re.Pattern[bytes] | None) -> int:
    """How much of the data, which begins with a record, is whole records."""
    end = _last_line_end(data, len(data))
    while end and outside:
        found = outside.match(data, 0, end)
        if found is None or found.end() == end:
            break
        end = _last_line_end(data, found.end())
    return end


def _last_line_end(data: bytes, before: int) -> int:
    return 1 + max(data.rfind(b"\n", 0, before), data.rfind(b"\r", 0, before))


def only_records(
    file: io.BufferedReader,
    delimiter: str,
    quote: str,
    comment: str,
    footer_rows: int,
) -> io.BufferedReader:
    """The file without comments and footer. A line inside quotes is no comment."""
    text = io.TextIOWrapper(file, "utf-8", "surrogateescape", newline="")
    outside = re.compile(_outside(delimiter, quote)) if quote else None
    lines = _without_comments(text, comment, quote, outside) if comment else iter(text)
    if footer_rows:
        lines = _without_footer(lines, footer_rows)
    return io.BufferedReader(_Encoded(text, lines), 1 << 20)


def _without_comments(
    text: io.TextIOWrapper, comment: str, quote: str, outside: re.Pattern[str] | None
) -> Iterator[str]:
    is_inside = False
    for line in text:
        if is_inside or not line.startswith(comment):
            yield line
            opened = quote if is_inside else ""
            is_inside = outside is not None and not outside.fullmatch(opened + line)


def _without_footer(lines: Iterator[str], rows: int) -> Iterator[str]:
    held: deque[str] = deque()
    not_blank = 0
    for line in lines:
        held.append(line)
        not_blank += bool(line.strip())
        while not_blank > rows:
            first = held.popleft()
            not_blank -= bool(first.strip())
            yield first


class _Encoded(io.RawIOBase):
    """Lines as a file."""

    def __init__(self, text: io.TextIOWrapper, lines: Iterator[str]) -> None:
        self.text, self.lines, self.rest = text, lines, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self.rest:
            line = next(self.lines, None)
            if line is None:
                return 0
            self.rest = line.encode("utf-8", "surrogateescape")
        size = min(len(self.rest), len(buffer))
        buffer[:size], self.rest = self.rest[:size], self.rest[size:]
        return size

    def close(self) -> None:
        if not self.closed:
            self.text.close()
        super().close()
