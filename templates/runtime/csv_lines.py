"""The lines of delimited text, on their way to the reader that splits them."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterator
from typing import Any


class Tail(io.RawIOBase):
    """A file that is read once, and remembers how it ended."""

    def __init__(self, file: io.BufferedReader) -> None:
        self.file = file
        self.chunks: deque[bytes] = deque(maxlen=2)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self.file.read(size)
        if data:
            self.chunks.append(data)
        return data

    def last(self, size: int) -> bytes:
        """At least the last `size` bytes, as far as two reads had them."""
        return b"".join(self.chunks)[-size:]


def only_records(
    file: io.BufferedReader, encoding: str, quote: str, comment: str, footer_rows: int
) -> io.BufferedReader:
    """The file in UTF-8, without comments and footer. A line inside quotes is neither."""
    text = io.TextIOWrapper(file, encoding, "surrogateescape", newline="")
    lines = _without_comments(text, quote, comment) if comment else iter(text)
    if footer_rows:
        lines = _without_footer(lines, footer_rows)
    return io.BufferedReader(_Encoded(text, lines), 1 << 20)


def _without_comments(
    text: io.TextIOWrapper, quote: str, comment: str
) -> Iterator[str]:
    is_inside = False
    for line in text:
        if is_inside or not line.startswith(comment):
            yield line
            is_inside ^= bool(quote) and line.count(quote) % 2 == 1


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
