"""Compressed files as streams: memory stays small whatever they unpack to."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa

from .errors import ContractError

SUFFIXES = {".gz": "gzip", ".bz2": "bz2", ".xz": "xz", ".zst": "zstd", ".zip": "zip"}
OPENERS: dict[str, Callable[[io.BufferedReader], Any]] = {
    "gzip": lambda file: gzip.GzipFile(fileobj=file),
    "bz2": bz2.BZ2File,
    "xz": lzma.LZMAFile,
    "zstd": lambda file: pa.CompressedInputStream(pa.PythonFile(file, "r"), "zstd"),
}
DAMAGED = (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)
UNPACKED_BYTES = 1 << 20


def compression_of(name: str) -> str:
    """How a file of this name is compressed; `none` where the suffix says nothing."""
    return SUFFIXES.get(PurePosixPath(name).suffix.lower(), "none")


def unpacked(
    file: io.BufferedReader, compression: str, name: str, member: str
) -> io.BufferedReader:
    """What a compressed file holds; `member` says what of a ZIP archive.

    A file that is damaged or cut off raises `ContractError`, at the latest at its end.
    """
    if compression == "none":
        return file
    if not file.peek(1):
        file.close()
        raise _damaged(name, EOFError("it is empty"))
    if compression == "zip":
        stream = _member(file, name, member)
    else:
        stream = OPENERS[compression](file)
    return io.BufferedReader(_Unpacked(stream, file, name), UNPACKED_BYTES)


def members(file: io.BufferedReader, name: str, pattern: str) -> list[str]:
    """The files in a ZIP archive whose names match, in their order."""
    listed = [info.filename for info in _archive(file, name).infolist()]
    names = sorted(one for one in listed if not one.endswith("/"))
    matching = [one for one in names if fnmatchcase(one, pattern)]
    if not matching:
        raise ContractError(
            f"{name}: no file in the archive is {pattern!r}",
            f"files: {', '.join(names) or 'none'}",
        )
    return matching


def _member(file: io.BufferedReader, name: str, member: str) -> Any:
    try:
        return _archive(file, name).open(member)
    except (*DAMAGED, RuntimeError) as error:  # encrypted, or packed in an unknown way
        file.close()
        raise _damaged(name, error) from None
    except ContractError:
        file.close()
        raise


def _archive(file: io.BufferedReader, name: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except DAMAGED as error:
        raise _damaged(name, error) from None


class _Unpacked(io.RawIOBase):
    """The unpacked bytes; damage is an error that names the file."""

    def __init__(self, stream: Any, file: io.BufferedReader, name: str) -> None:
        self.stream, self.file, self.name = stream, file, name

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self.stream.read(len(buffer))
        except DAMAGED as error:
            raise _damaged(self.name, error) from None
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self.stream.close()
            self.file.close()  # the libraries leave open what they didn't open
        super().close()


def _damaged(name: str, error: BaseException) -> ContractError:
    return ContractError(f"{name}: the archive is damaged or cut off: {error}")
