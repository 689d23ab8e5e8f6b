"""What every part of a spec has in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from etlgen.names import did_you_mean


class Model(BaseModel):
    """Frozen; a key that is not a field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def no_column(name: str, columns: Mapping[str, Any]) -> tuple[str, str]:
    """Message and hint for a column that is not there."""
    hint = did_you_mean(name, list(columns))
    return f"there is no column {name!r}", hint or f"columns: {', '.join(columns)}"
