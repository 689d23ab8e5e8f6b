"""Durations as a spec writes them: 90s, 30m, 36h, 2d, 1w."""

from __future__ import annotations

import re
from datetime import timedelta

from etlgen.pycode import Code, code
from etlgen.vocabulary.column import BadValue

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
PATTERN = rf"[1-9][0-9]{{0,5}}[{''.join(UNITS)}]"


def read_duration(raw: object) -> timedelta:
    """`36h` as a timedelta; BadValue for what is no duration."""
    if not isinstance(raw, str) or not re.fullmatch(PATTERN, raw, re.ASCII):
        raise BadValue("is not a duration such as 30m, 36h, 2d")
    return timedelta(**{UNITS[raw[-1]]: int(raw[:-1])})


def duration_code(raw: str) -> Code:
    """`timedelta(hours=36)`: in the unit that it was written in."""
    return code(
        f"timedelta({UNITS[raw[-1]]}={{number}})",
        imports=["from datetime import timedelta"],
        number=int(raw[:-1]),
    )
