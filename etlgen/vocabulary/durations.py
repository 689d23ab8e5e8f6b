"""Durations as a spec writes them: 90s, 30m, 36h, 2d."""

from __future__ import annotations

import re
from datetime import timedelta

from etlgen.vocabulary.column import BadValue

PATTERN = "^[0-9]{1,6} ?[smhd]$"
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def read_duration(raw: object) -> timedelta:
    """`36h` as a timedelta; BadValue for what is no duration."""
    found = re.fullmatch("([0-9]{1,6}) ?([smhd])", raw, re.ASCII) if isinstance(raw, str) else None
    if found is None:
        raise BadValue("is not a duration")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
