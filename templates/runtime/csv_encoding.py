"""Text in any encoding as UTF-8, and signs that it is in another than is said."""

from __future__ import annotations

import codecs
import io
import re
from typing import Any

from .errors import ContractError

# The longer ones first: UTF-32's begins with UTF-16's.
MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# Control characters, a capital after a small letter, a sign within a word: what is left of
# the letters of Mac OS or DOS where they are read as cp1252 or latin-1.
ODD = re.compile(
    r"[\x80-\x9f]|[a-z][\u0152\u0160\u0178\u017d]"
    r"|[A-Za-z][^\w\x00-\xa0\xad\xb7\u2010-\u201d\u2026\u202f][a-z]"
)
CHUNK_BYTES = 1 << 20


def is_utf8(encoding: str) -> bool:
    """Whether this is one of UTF-8's names."""
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")


def skip_mark(file: io.BufferedReader, encoding: str, name: str) -> None:
    """Go to where the text begins; a mark of another encoding raises `ContractError`."""
    start = file.peek(4)
    mark = next((one for one in MARKS if start.startswith(one)), b"")
    codec = codecs.lookup(encoding).name
    if mark and not codec.startswith(MARKS[mark]):
        raise ContractError(
            f"{name}: the file begins with the mark of {MARKS[mark]}",
            f"Its encoding is said to be {encoding}.",
        )
    if codec not in ("utf-16", "utf-32"):  # which need it
        file.read(len(mark))


class Recoded(io.RawIOBase):
    """A file as UTF-8. Bytes that are no text in its encoding raise `UnicodeDecodeError`."""

    def __init__(self, file: io.BufferedReader, encoding: str) -> None:
        self.file = file
        self.decoder = codecs.getincrementaldecoder(encoding)()
        self.utf8 = codecs.getincrementaldecoder("utf-8")()
        self.is_ascii, self.is_utf8, self.is_odd = True, True, False
        self.rest = memoryview(b"")

    def doubts(self) -> str:
        """What speaks against the encoding in all that was read; '' if nothing does."""
        if self.is_utf8 and not self.is_ascii:
            return "it is valid UTF-8"
        return "there are signs within words" if self.is_odd else ""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self.rest:
            data = self.file.read(CHUNK_BYTES)
            text = self.decoder.decode(data, final=not data)
            self._look_at(data, text)
            self.rest = memoryview(text.encode())
            if not data:
                break
        size = min(len(self.rest), len(buffer))
        buffer[:size], self.rest = self.rest[:size], self.rest[size:]
        return size

    def _look_at(self, data: bytes, text: str) -> None:
        if self.is_utf8:
            try:
                self.utf8.decode(data, final=not data)
            except UnicodeDecodeError:
                self.is_utf8 = False
        if not data.isascii():
            self.is_ascii = False
            self.is_odd = self.is_odd or ODD.search(text) is not None

    def close(self) -> None:
        if not self.closed:
            self.file.close()
        super().close()
