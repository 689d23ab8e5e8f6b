"""JSON taken apart without loss: a string as its characters, all else as it is written."""

from __future__ import annotations

import msgspec

decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
decode_array = msgspec.json.Decoder(list[msgspec.Raw]).decode
decode_string = msgspec.json.Decoder(str).decode


def cell(value: msgspec.Raw, *, stays_json: bool = False) -> str | None:
    """A value as the text of a cell: no digit is lost, `null` is None.

    Where it `stays_json`, a string keeps its quotes.
    """
    text = bytes(value)
    if text == b"null":
        return None
    if text.startswith(b'"') and not stays_json:
        return decode_string(text)
    return text.decode()
