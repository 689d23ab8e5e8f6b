"""Where something stands in a JSON document: `$.data.items[*]`, `$.meta.total`.

This much of JSONPath (RFC 9535) and no more: libraries for all of it work on numbers that Python
has read, which have lost digits by then.
"""

from __future__ import annotations

import re

import msgspec

from .errors import ContractError
from .json_cells import decode_array, decode_object

PATH = re.compile(r"\$((?:\.[^.\[\]*$\s]+)*)(\[\*\])?")


def find(body: bytes, path: str) -> msgspec.Raw | None:
    """The value at a path without `[*]`; None if a member on the way is missing.

    Raises `msgspec.DecodeError` if the document is not JSON.
    """
    names, _ = _split(path)
    value = msgspec.Raw(body)
    for name in names:
        if not bytes(value).lstrip().startswith(b"{"):
            return None
        members = decode_object(value)
        if name not in members:
            return None
        value = members[name]
    return value


def select(body: bytes, path: str) -> list[msgspec.Raw]:
    """The elements at a path with `[*]`, or the one value at a path without; null is none.

    Raises `ContractError` if nothing is there, `msgspec.DecodeError` if the document is not JSON.
    """
    msgspec.json.decode(body, type=msgspec.Raw)
    _, is_array = _split(path)
    value = find(body, path.removesuffix("[*]"))
    if value is None:
        raise ContractError(f"nothing stands at {path} of the answer")
    text = bytes(value).strip()
    if text == b"null":
        return []
    if not is_array:
        return [value]
    if not text.startswith(b"["):
        raise ContractError(f"what stands at {path} of the answer is not an array")
    return decode_array(text)


def _split(path: str) -> tuple[list[str], bool]:
    found = PATH.fullmatch(path)
    if found is None:
        raise ContractError(f"{path!r} is not a path such as $.data[*]")
    return found[1].split(".")[1:], bool(found[2])
