"""Cleaning of texts that pandas has no method for. NULL stays NULL."""

from __future__ import annotations

import hashlib
import hmac

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from .columns import as_arrow, as_series
from .errors import ConfigError

SHORTEST_KEY = 16


def extract_text(values: pd.Series, pattern: str) -> pd.Series:
    """What the first named group of a regex finds in each text; NULL where it is not found.

    The regex is RE2's, whose time is linear in the text: pandas' own `str.extract` runs
    Python's, which a text can keep busy for hours.
    """
    found = pc.extract_regex(as_arrow(values).cast(pa.string()), pattern)
    return as_series(pc.struct_field(found, [0]), like=values)


def as_text(values: pd.Series) -> pd.Series:
    """Each value as text, without spaces around it."""
    texts = as_arrow(values).cast(pa.string())
    return as_series(pc.utf8_trim_whitespace(texts), like=values)


def hash_text(values: pd.Series, key: str) -> pd.Series:
    """HMAC-SHA256 of each text in hex: the same text and key give the same hash in every table.

    Without the key nobody can try out which texts give a hash.
    """
    if len(key) < SHORTEST_KEY:
        raise ConfigError(
            f"the key of the hashes is shorter than {SHORTEST_KEY} characters",
            "Make one with: python -c 'import secrets; print(secrets.token_urlsafe())'",
        )
    distinct = as_arrow(values).cast(pa.string()).dictionary_encode()
    hashes = [
        hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()
        for text in distinct.dictionary.to_pylist()
    ]
    hashed = pa.array(hashes, pa.string()).take(distinct.indices)
    return as_series(hashed, like=values)
