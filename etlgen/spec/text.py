"""The text of a spec file: UTF-8 of a bounded size, with line feeds only."""

from __future__ import annotations

import re

from etlgen.errors import Finding, SpecError

MAX_BYTES = 5_000_000
LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


def decode(raw: bytes, name: str) -> str:
    """The text of a spec file, which is UTF-8."""
    if len(raw) > MAX_BYTES:
        raise too_big(name, len(raw))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        message = f"byte 0x{raw[error.start]:02x} is not UTF-8"
        raise SpecError(
            Finding(name, line, None, "encoding", message, "save the file as UTF-8")
        ) from None


def plain_breaks(text: str) -> str:
    """The text with line feeds only; places in it stay what they were."""
    return re.sub("\r\n?", "\n", text)


def too_big(name: str, size: int) -> SpecError:
    message = f"{size:,} bytes; a spec file has at most {MAX_BYTES:,}"
    return SpecError(Finding(name, None, None, "size", message, "split it into several sources"))
