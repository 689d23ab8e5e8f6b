"""Schedules: five cron fields or a preset, and nothing else."""

from __future__ import annotations

import re

PRESETS = ("@hourly", "@daily", "@weekly", "@monthly", "@quarterly", "@yearly")

_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
_LONGEST_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of the month", 1, 31, {}),
    ("month", 1, 12, {name: number for number, name in enumerate(_MONTHS, start=1)}),
    ("day of the week", 0, 7, {name: number for number, name in enumerate(_DAYS)}),
)
_PART = re.compile(r"(?:(\*)|(\w+)(?:-(\w+))?)(?:/(\d{1,2}))?", re.ASCII)


def read_schedule(text: str) -> str:
    """The schedule with single spaces; ValueError says what is wrong with it."""
    if text in PRESETS:
        return text
    if text.startswith("@"):
        raise ValueError(f"is not one of the presets {', '.join(PRESETS)}")
    fields = re.split(r"[ \t]+", text.strip(" \t"))
    if len(fields) != 5 or not re.fullmatch(r"[\w*/,\- \t]+", text, re.ASCII):
        raise ValueError("is not a schedule: five cron fields such as '30 6 * * 1-5', or a preset")
    values = [_values(field, *row) for field, row in zip(fields, _FIELDS, strict=True)]
    days, months = values[2], values[3]
    if fields[4] == "*" and all(min(days) > _LONGEST_MONTH[month - 1] for month in months):
        raise ValueError("never comes: no such day in that month")
    return " ".join(fields)


def _values(field: str, what: str, low: int, high: int, names: dict[str, int]) -> set[int]:
    found: set[int] = set()
    for part in field.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"has {part!r} as {what}")
        star, first, last, step = match.groups()
        start = low if star else _number(first, what, low, high, names)
        end = high if star or (step and not last) else start
        if last:
            end = _number(last, what, low, high, names)
        if end < start or step == "0":
            raise ValueError(f"has {part!r} as {what}: it names nothing")
        found.update(range(start, end + 1, int(step or 1)))
    return found


def _number(text: str, what: str, low: int, high: int, names: dict[str, int]) -> int:
    value = names.get(text.upper(), int(text) if text.isdigit() else -1)
    if not low <= value <= high:
        raise ValueError(f"has {text!r} as {what}: it takes {low} to {high}")
    return value
