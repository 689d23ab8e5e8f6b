"""Adjustments: cleaning of a number, once it is one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from etlgen.pycode import Code, code
from etlgen.vocabulary.column import BadValue, Clean, Column, ColumnType, plain_text
from etlgen.vocabulary.notation import BITS
from etlgen.vocabulary.types import compared, read

_VALUE = {"type": ["string", "number"]}
_WHOLE = tuple(BITS)
_BOUNDS = ("at_least", "at_most")

SCHEMAS: Mapping[str, Mapping[str, object]] = {
    "round": {"type": "integer", "minimum": 0, "maximum": 38},
    "clip": {
        "type": "object",
        "properties": dict.fromkeys(_BOUNDS, _VALUE),
        "additionalProperties": False,
        "minProperties": 1,
    },
}


def is_adjustment(step: Clean) -> bool:
    """Whether the step is on a number, not on the text that stands for it."""
    return step.operation in SCHEMAS


def read_round(steps: Iterable[Clean], type: ColumnType) -> int | None:
    """To how many decimals the values are rounded; BadValue where that makes no sense."""
    places = next((step.argument for step in steps if step.operation == "round"), None)
    if places is None:
        return None
    if type.name not in ("numeric", "double"):
        raise BadValue(f"round does not fit {type}; it fits numeric, double")
    if isinstance(places, bool) or not isinstance(places, int) or not 0 <= places <= 38:
        raise BadValue("round needs the number of decimals, such as 2")
    if type.name == "numeric" and places > type.scale:
        raise BadValue(f"round to {places} decimals, but {type} has {type.scale}")
    return places


def read_clip(steps: Iterable[Clean], type: ColumnType) -> tuple[Any, Any] | None:
    """The least and the most that a value may be, None where it is open."""
    raw = next((step.argument for step in steps if step.operation == "clip"), None)
    if raw is None:
        return None
    if type.name not in (*_WHOLE, "numeric", "double"):
        raise BadValue(f"clip does not fit {type}; it fits {', '.join(_WHOLE)}, numeric, double")
    if not isinstance(raw, Mapping) or not raw or set(raw) - {*_BOUNDS}:
        raise BadValue("clip needs at_least, at_most or both, such as {at_least: 0}")
    low, high = (_bound(raw[name], type) if name in raw else None for name in _BOUNDS)
    if low is not None and high is not None and low > high:
        raise BadValue("clip has at_least above at_most")
    return low, high


def adjustment(column: Column, x: Code) -> Code | None:
    """The expression that adjusts a column which `conform` has typed; None where none does."""
    after = x
    if column.notation.round_to is not None and column.type.name == "double":
        after = code("{x}.round({places})", x=after, places=column.notation.round_to)
    if column.clip is not None:
        low, high = (None if bound is None else compared(bound) for bound in column.clip)
        if low is None:
            after = code("{x}.clip(upper={high})", x=after, high=high)
        elif high is None:
            after = code("{x}.clip(lower={low})", x=after, low=low)
        else:
            after = code("{x}.clip({low}, {high})", x=after, low=low, high=high)
    return None if after == x else after


def adjusted(column: Column, value: Any) -> Any:
    """What the expression makes of one value."""
    if column.notation.round_to is not None and column.type.name == "double":
        value = round(value, column.notation.round_to)
    low, high = column.clip or (None, None)
    if low is not None:
        value = max(value, low)
    return value if high is None else min(value, high)


def _bound(raw: object, type: ColumnType) -> Any:
    text = plain_text(raw)
    try:
        value = None if text is None else read(text, type)
    except BadValue as problem:
        raise BadValue(f"clip: {text!r} {problem}") from None
    if value is None:
        raise BadValue(f"clip: {raw!r} is not a value of {type}")
    return value
