"""An API that can't be asked for what is new, but lists it first: reading stops at the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import msgspec

from .json_cells import cell
from .json_paths import find
from .resource import Value


@dataclass(frozen=True)
class NewestFirst:
    """The newest records come first, by the member at this path of a record.

    What comes in meanwhile moves others to later pages: they come twice, and none is missed. A
    record whose value can't be read ends nothing.
    """

    at: str
    format: str | None = None
    timezone: str = "UTC"

    def is_past(self, records: Sequence[msgspec.Raw], low: Value | None) -> bool:
        """Whether a page ends with a record that is older than `low`."""
        if low is None or not records:
            return False
        raw = find(bytes(records[-1]), self.at)
        text = None if raw is None else cell(raw)
        try:
            return text is not None and self._read(text, low) < low  # type: ignore[operator]
        except ValueError:
            return False

    def _read(self, text: str, like: Value) -> Value:
        """A value of the same type."""
        if isinstance(like, int):
            return int(text)
        if not isinstance(like, date):
            return text
        if self.format is None:
            moment = datetime.fromisoformat(text)
        else:
            moment = datetime.strptime(text, self.format)
        if not isinstance(like, datetime):
            return moment.date()
        if like.tzinfo is None:
            return moment.replace(tzinfo=None)
        return (
            moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(self.timezone))
        )
