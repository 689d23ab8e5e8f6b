"""Good values of each type, and the neighbours of a value."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from decimal import Context, Decimal
from typing import Any, TypeVar

from etlgen.vocabulary.column import ColumnType
from etlgen.vocabulary.notation import unit

WORDS = ("amber", "birch", "cedar", "dune", "ember", "fjord", "grove", "heath", "iris", "juniper")
SAMPLE_MOMENT = datetime(2026, 1, 15, 9, 30)
SAMPLE_INSTANT = SAMPLE_MOMENT.replace(tzinfo=UTC)

_WIDE = Context(prec=80)
_Day = TypeVar("_Day", date, datetime)


def text_samples(type: ColumnType) -> Iterator[str]:
    yield from WORDS
    yield from ("a", "Zz", "0", "-", "!", "x y")


def integer_samples(type: ColumnType) -> Iterable[int]:
    return [*range(1, 20), 100, 250, 1000, 0, -1, 30000]


def integers_near(value: int, type: ColumnType) -> Iterable[int]:
    return [value + step for step in (0, 1, 2, 3, 4, 5, -1, -2, -3, -4, -5)]


def numeric_samples(type: ColumnType) -> Iterable[Decimal]:
    step = unit(type)
    values = [Decimal(n) + n * step for n in (*range(1, 20), 100, 250, 1000, 0, -1)]
    return [value.quantize(step, context=_WIDE) for value in values] + [n * step for n in range(9)]


def numerics_near(value: Decimal, type: ColumnType) -> Iterable[Decimal]:
    step = unit(type)
    steps = (0, 1, 2, 3, step, 2 * step, 3 * step, -1, -2, -3, -step, -2 * step)
    return [_WIDE.add(value, Decimal(n)).quantize(step, context=_WIDE) for n in steps]


def double_samples(type: ColumnType) -> Iterable[float]:
    return [*(n + 0.5 for n in range(1, 20)), 100.0, 1000.0, 0.25, 0.5, 0.0, -1.0]


def doubles_near(value: float, type: ColumnType) -> Iterable[float]:
    return [value + step for step in (0, 0.5, 1, 2, 3, 0.001, 0.002, -1, -2, -0.001, -0.002)]


def moment_samples(start: datetime) -> Callable[[ColumnType], Iterable[datetime]]:
    steps = [*range(20), -400, 400, -4000, 4000]
    return lambda type: [start + timedelta(days=n, minutes=n % 50) for n in steps]


def moments_near(value: datetime, type: ColumnType) -> Iterable[datetime]:
    steps = (0, 1, 2, 3, 24, 48, -1, -2, -24, -48)
    return _moved(value, (timedelta(hours=step) for step in steps))


def dates_near(value: date, type: ColumnType) -> Iterable[date]:
    steps = (0, 1, 2, 3, 31, -1, -2, -3, -31)
    return _moved(value, (timedelta(days=step) for step in steps))


def _moved(value: _Day, steps: Iterable[timedelta]) -> Iterator[_Day]:
    """The value moved by each step, but not beyond the years 1 to 9999."""
    for step in steps:
        with suppress(OverflowError):
            yield value + step


def times_near(value: time, type: ColumnType) -> Iterable[time]:
    start = value.hour * 3600 + value.minute * 60 + value.second
    steps = (0, 60, 120, 180, 3600, 1, -60, -120, -3600, -1)
    seconds = [start + step for step in steps if 0 <= start + step < 86400]
    return [value, *(time(s // 3600, s // 60 % 60, s % 60) for s in seconds)]


def uuid_samples(type: ColumnType) -> Iterable[uuid.UUID]:
    return [uuid.uuid5(uuid.NAMESPACE_URL, f"sample:{n}") for n in range(20)]


def json_samples(type: ColumnType) -> Iterable[str]:
    return [f'{{"sample": {n}}}' for n in range(1, 20)]


def only(value: Any, type: ColumnType) -> Iterable[Any]:
    return [value]
