"""Cleaning of texts that pandas has no method for. NULL stays NULL."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from .convert import as_arrow, as_series


def extract_text(values: pd.Series, pattern: str) -> pd.Series:
    """What the first named group of a regex finds in each text; NULL where it is not found.

    The regex is RE2's, whose time is linear in the text: pandas' own `str.extract` runs
    Python's, which a text can keep busy for hours.
    """
    found = pc.extract_regex(as_arrow(values).cast(pa.string()), pattern)
    return as_series(pc.struct_field(found, [0]), like=values)
