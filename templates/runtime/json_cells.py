"""JSON taken apart without loss: a string as its characters, all else as it is written."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import msgspec
import pandas as pd
import pyarrow as pa

from .columns import arrow_frame

Record = dict[str, str | None]

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


def cells(
    record: msgspec.Raw, documents: Collection[str], opened: Collection[str]
) -> Record:
    """The members of an object by name, those of an `opened` object in it as `address.city`."""
    return {
        name: cell(value, stays_json=name in documents)
        for name, value in _members(record, "", opened)
    }


def parents_of(names: Sequence[str]) -> set[str]:
    """The objects on the way to these: of `address.city` it is `address`."""
    parts = [name.split(".") for name in names]
    return {".".join(part[:end]) for part in parts for end in range(1, len(part))}


def record_frame(
    records: Sequence[Record], labels: Sequence[int], columns: Sequence[tuple[str, ...]]
) -> pd.DataFrame:
    """Records as columns of text. Of the names that a column may have, one is always there."""
    names = list(dict.fromkeys(name for record in records for name in record))
    names += [accepted[0] for accepted in columns if not set(accepted) & set(names)]
    return arrow_frame(
        [
            (name, pa.array([record.get(name) for record in records], pa.string()))
            for name in names
        ],
        labels,
    )


def _members(
    record: msgspec.Raw, inside: str, opened: Collection[str]
) -> Iterator[tuple[str, msgspec.Raw]]:
    for key, value in decode_object(record).items():
        name = inside + key
        if name in opened and bytes(value).startswith(b"{"):
            yield from _members(value, f"{name}.", opened)
        else:
            yield name, value
