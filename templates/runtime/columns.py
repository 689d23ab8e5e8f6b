"""Columns of pandas and the Arrow arrays behind them."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from .errors import ContractError


def arrow_frame(
    columns: Sequence[tuple[str, pa.Array]], records: Sequence[int]
) -> pd.DataFrame:
    """Arrow columns as one batch, indexed by record number."""
    arrays = {name: pd.arrays.ArrowExtensionArray(array) for name, array in columns}
    return pd.DataFrame(arrays, index=pd.Index(records, dtype="int64"))


def cast_or_null(values: pa.Array, kind: pa.DataType) -> pa.Array:
    """Cast the whole array; what can't be cast is NULL.

    A failing array is halved until the cells that fail stand alone, so that one bad
    cell among n costs log n casts, not n.
    """
    try:
        return pc.cast(values, kind)
    except pa.ArrowInvalid:
        if len(values) == 1:
            return pa.nulls(1, kind)
    half = len(values) // 2
    parts = [cast_or_null(part, kind) for part in (values[:half], values[half:])]
    return pa.concat_arrays(parts)


def as_arrow(values: pd.Series) -> pa.Array:
    """The Arrow array behind a column, in one piece."""
    try:
        array = pa.array(values, from_pandas=True)
    except pa.ArrowException as error:
        raise ContractError(f"column {values.name!r} is mixed: {error}") from None
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    return array.storage if isinstance(array, pa.ExtensionArray) else array


def as_series(values: pa.Array, like: pd.Series) -> pd.Series:
    """An Arrow array as a column with the name and the index of another."""
    return pd.Series(values, like.index, pd.ArrowDtype(values.type), like.name)


def is_text(kind: pa.DataType) -> bool:
    """Whether Arrow keeps this type as text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
