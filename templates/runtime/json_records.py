"""JSON objects as columns of text, column by column: what each row would say cell by cell."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import chain

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from .json_cells import decode_object, decode_string

NULL = b"null"
RAW_NULL = msgspec.Raw(NULL)


def records_table(
    records: Sequence[msgspec.Raw], opened: Collection[str], documents: Collection[str]
) -> pa.Table:
    """A column of text for each member that any of the records has.

    An object that is `opened` becomes columns such as `address.city`. Of members in `documents` a
    string stays JSON. Raises `msgspec.DecodeError`, `UnicodeError` or `pa.ArrowInvalid` where a
    record is not an object or not text.
    """
    columns: dict[str, pa.Array] = {}
    _add(columns, "", list(map(decode_object, records)), opened, documents)
    return pa.table(columns)


def with_columns(
    table: pa.Table, size: int, columns: Sequence[tuple[str, ...]]
) -> pa.Table:
    """The table of so many rows where, of the names that a column may have, one is always there."""
    found = dict(zip(table.column_names, table.columns, strict=True))
    missing = [names[0] for names in columns if not found.keys() & set(names)]
    return pa.table(found | {name: pa.nulls(size, pa.string()) for name in missing})


def with_values(table: pa.Table, values: Mapping[str, str]) -> pa.Table:
    """The table with columns that say the same in each row."""
    found = dict(zip(table.column_names, table.columns, strict=True))
    constants = {
        name: pa.repeat(pa.scalar(value, pa.string()), table.num_rows)
        for name, value in values.items()
    }
    return pa.table(found | constants)


def _add(
    columns: dict[str, pa.Array],
    inside: str,
    objects: Sequence[dict[str, msgspec.Raw]],
    opened: Collection[str],
    documents: Collection[str],
) -> None:
    for key in dict.fromkeys(chain.from_iterable(objects)):
        name = inside + key
        cells = [bytes(one.get(key, RAW_NULL)) for one in objects]
        if name in opened:
            inner = [decode_object(cell) if _is_object(cell) else {} for cell in cells]
            _add(columns, f"{name}.", inner, opened, documents)
            cells = [NULL if _is_object(cell) else cell for cell in cells]
            if set(cells) == {NULL}:
                continue
        texts = _texts(cells, stays_json=name in documents)
        # A name may be spelled with a dot and found in an object, too.
        columns[name] = pc.coalesce(texts, columns[name]) if name in columns else texts


def _is_object(cell: bytes) -> bool:
    return cell.startswith(b"{")


def _texts(cells: Sequence[bytes], *, stays_json: bool) -> pa.Array:
    """JSON values as `json_cells.cell` gives them, one by one."""
    raw = pa.array(cells, pa.binary())
    texts = raw.cast(pa.string())
    texts = pc.if_else(pc.equal(texts, NULL.decode()), None, texts)
    if stays_json:
        return texts
    quoted = pc.starts_with(texts, '"')
    inner = pc.binary_slice(raw, 1, -1).cast(pa.string())
    strings = pc.if_else(quoted, inner, texts)
    escaped = pc.fill_null(pc.and_(quoted, pc.match_substring(texts, "\\")), False)
    if not pc.any(escaped).as_py():
        return strings
    decoded = [decode_string(cell) for cell in raw.filter(escaped).to_pylist()]
    return pc.replace_with_mask(strings, escaped, pa.array(decoded, pa.string()))
