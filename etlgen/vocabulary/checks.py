"""Checks: what the cells of a column must satisfy. A NULL satisfies every check."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, cast

from etlgen.pycode import Code, code, raw_literal
from etlgen.vocabulary.column import BadValue, Check, ColumnType, Severity, plain_text
from etlgen.vocabulary.regex import finds, fullmatches
from etlgen.vocabulary.types import TYPES, Type, compared, read, worded

SEVERITIES = ("error", "warn")
WRITTEN_IN = 2026  # what is earlier has passed on every clock: the same spec gives the same samples
_VALUE = {"type": ["string", "number"]}
_COUNT = {"type": "integer", "minimum": 0}


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of check."""

    name: str
    schema: Mapping[str, object]
    fits: Callable[[Type], bool]
    read: Callable[[object, ColumnType], Any]
    expression: Callable[[Code, Any, ColumnType], Code]
    holds: Callable[[Any, Any], bool]  # what the expression says of one value
    message: Callable[[Any, ColumnType], str]
    edges: Callable[[Any, ColumnType], Iterable[Any]]  # values on both sides of the rule


def read_check(raw: Mapping[str, object], type: ColumnType) -> Check:
    """`{at_least: 0, severity: warn}` from a spec; BadValue says what is wrong."""
    rule = RULES[rule_of(raw)]
    if not rule.fits(TYPES[type.name]):
        fitting = ", ".join(name for name, row in TYPES.items() if rule.fits(row))
        raise BadValue(f"{rule.name} does not fit {type}; it fits {fitting}")
    argument = rule.read(raw[rule.name], type)
    message = raw.get("message") or rule.message(argument, type)
    return Check(
        rule.name, argument, cast(Severity, raw.get("severity", "error")), cast(str, message)
    )


def rule_of(raw: object) -> str:
    """The one rule that a check names; BadValue where there is none or more."""
    if not isinstance(raw, Mapping):
        raise BadValue("a check is a mapping, such as {at_least: 0}")
    unknown = [str(key) for key in raw if key not in RULES and key not in ("severity", "message")]
    if unknown:
        raise BadValue(f"unknown check {unknown[0]!r}")
    rules = [str(key) for key in raw if key in RULES]
    if len(rules) != 1:
        raise BadValue("a check names exactly one rule, such as {at_least: 0}")
    if raw.get("severity", "error") not in SEVERITIES:
        raise BadValue(f"severity is {' or '.join(SEVERITIES)}")
    message = raw.get("message", "…")
    if not isinstance(message, str) or not message.strip():
        raise BadValue("message is a text that goes on from 'the value …'")
    return rules[0]


def check_expression(check: Check, x: Code, type: ColumnType) -> Code:
    """The pandas expression that is True where the check holds."""
    return RULES[check.rule].expression(x, check.argument, type)


def holds(check: Check, value: Any) -> bool:
    """What the expression says of one value."""
    return RULES[check.rule].holds(value, check.argument)


def edges(check: Check, type: ColumnType) -> Iterable[Any]:
    """Values on both sides of the check."""
    return RULES[check.rule].edges(check.argument, type)


def bare_pattern(pattern: str) -> str:
    """The pattern without the anchors that a full match has anyway.

    pandas' `fullmatch` reads `^a|b$` as "starts with a, or ends with b" when both are there.
    """
    while pattern.startswith("^"):
        pattern = pattern[1:]
    while pattern.endswith("$") and (len(pattern[:-1]) - len(pattern[:-1].rstrip("\\"))) % 2 == 0:
        pattern = pattern[:-1]
    return pattern


def _read_value(raw: object, type: ColumnType) -> Any:
    text = plain_text(raw)
    if text is None:
        raise BadValue(f"{raw!r} is not a value of {type}")
    try:
        value = read(text, type)
    except BadValue as problem:
        raise BadValue(f"{text!r} {problem}") from None
    if value is None:
        raise BadValue("needs a value")
    return value


def _read_range(raw: object, type: ColumnType) -> tuple[Any, Any]:
    if not isinstance(raw, list) or len(raw) != 2:
        raise BadValue("between needs two values, such as [0, 100]")
    low, high = _read_value(raw[0], type), _read_value(raw[1], type)
    if low > high:
        raise BadValue("between has its lower value last")
    return low, high


def _read_options(raw: object, type: ColumnType) -> tuple[Any, ...]:
    if not isinstance(raw, list) or not raw:
        raise BadValue("one_of needs a list of values, such as [new, paid]")
    return tuple(dict.fromkeys(_read_value(item, type) for item in raw))


@lru_cache(maxsize=512)
def _read_pattern(raw: object, type: ColumnType) -> str:
    if not isinstance(raw, str) or not raw:
        raise BadValue("matches needs a regex, such as '[A-Z]{2}'")
    pattern = bare_pattern(raw)
    finds(pattern, "")  # by itself: `a)|(b` would be good between the parentheses of others
    return pattern


def _read_length(raw: object, type: ColumnType) -> tuple[int | None, int | None]:
    if not isinstance(raw, Mapping) or not raw or set(raw) - {"at_least", "at_most"}:
        raise BadValue("length needs at_least, at_most or both, such as {at_most: 40}")
    for value in raw.values():
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise BadValue(f"length needs whole numbers from 0, not {value!r}")
    low, high = raw.get("at_least"), raw.get("at_most")
    if low is not None and high is not None and low > high:
        raise BadValue("length has at_least above at_most")
    return low, high


def _length_expression(x: Code, argument: tuple[int | None, int | None], _: ColumnType) -> Code:
    low, high = argument
    length = code("{x}.str.len()", x=x)
    if low is None:
        return code("{length} <= {high}", length=length, high=high)
    if high is None:
        return code("{length} >= {low}", length=length, low=low)
    if low == high:
        return code("{length} == {low}", length=length, low=low)
    return code("{length}.between({low}, {high})", length=length, low=low, high=high)


def _length_message(argument: tuple[int | None, int | None], _: ColumnType) -> str:
    low, high = argument
    if low is None:
        return f"has at most {high} characters"
    if high is None:
        return f"has at least {low} characters"
    return f"has exactly {low} characters" if low == high else f"has {low} to {high} characters"


def _length_holds(value: str, argument: tuple[int | None, int | None]) -> bool:
    low, high = argument
    return (low is None or len(value) >= low) and (high is None or len(value) <= high)


def _length_edges(argument: tuple[int | None, int | None], _: ColumnType) -> Iterable[str]:
    for bound in argument:
        if bound is not None and bound <= 10_000:
            for size in (bound, bound + 1, bound - 1):
                yield from (letter * size for letter in "abcAB1" if size > 0)


def _read_true(raw: object, _: ColumnType) -> bool:
    if raw is not True:
        raise BadValue("not_in_future is either true or not there")
    return True


def _not_in_future(x: Code, _: bool, type: ColumnType) -> Code:
    now = {
        "date": "problems.furthest_clock.date()",
        "timestamp": "problems.furthest_clock",
        "timestamptz": "problems.now",
    }
    return code(f"{{x}} <= {now[type.name]}", x=x)


def _moments_in_the_past_and_one_ahead(_: bool, type: ColumnType) -> Iterable[Any]:
    """Whatever the year is in which they are looked at."""
    zone = UTC if type.name == "timestamptz" else None
    days = [datetime(2025, 1, day, 9, 30, tzinfo=zone) for day in (15, 16, 17)]
    moments = [*days, datetime(2999, 12, 31, tzinfo=zone)]
    return [moment.date() for moment in moments] if type.name == "date" else moments


def _near(value: Any, type: ColumnType) -> Iterable[Any]:
    return TYPES[type.name].near(value, type)


def _listed(options: Iterable[Any], type: ColumnType) -> str:
    return ", ".join(worded(option, type) for option in options)


def _is_ordered(type: Type) -> bool:
    return type.is_ordered


def _is_text(type: Type) -> bool:
    return type.name == "text"


def _option_edges(options: tuple[Any, ...], type: ColumnType) -> Iterable[Any]:
    yield from options
    for option in options:
        yield from _near(option, type)


_ROWS = (
    Rule(
        "at_least",
        _VALUE,
        _is_ordered,
        _read_value,
        lambda x, low, type: code("{x} >= {low}", x=x, low=compared(low)),
        lambda value, low: bool(value >= low),
        lambda low, type: f"is at least {worded(low, type)}",
        _near,
    ),
    Rule(
        "at_most",
        _VALUE,
        _is_ordered,
        _read_value,
        lambda x, high, type: code("{x} <= {high}", x=x, high=compared(high)),
        lambda value, high: bool(value <= high),
        lambda high, type: f"is at most {worded(high, type)}",
        _near,
    ),
    Rule(
        "between",
        {"type": "array", "items": _VALUE, "minItems": 2, "maxItems": 2},
        _is_ordered,
        _read_range,
        lambda x, both, type: code(
            "{x}.between({low}, {high})", x=x, low=compared(both[0]), high=compared(both[1])
        ),
        lambda value, both: bool(both[0] <= value <= both[1]),
        lambda both, type: f"is between {worded(both[0], type)} and {worded(both[1], type)}",
        lambda both, type: [*_near(both[0], type), *_near(both[1], type)],
    ),
    Rule(
        "one_of",
        {"type": "array", "items": _VALUE, "minItems": 1},
        lambda type: type.is_listable,
        _read_options,
        lambda x, options, type: code("{x}.isin({options})", x=x, options=list(options)),
        lambda value, options: value in options,
        lambda options, type: f"is one of {_listed(options, type)}",
        _option_edges,
    ),
    Rule(
        "matches",
        {"type": "string", "minLength": 1},
        _is_text,
        _read_pattern,
        lambda x, pattern, type: code("{x}.str.fullmatch({p})", x=x, p=raw_literal(pattern)),
        lambda value, pattern: fullmatches(pattern, value),
        lambda pattern, type: f"matches {pattern}",
        lambda pattern, type: (),
    ),
    Rule(
        "length",
        {
            "type": "object",
            "properties": {"at_least": _COUNT, "at_most": _COUNT},
            "additionalProperties": False,
            "minProperties": 1,
        },
        _is_text,
        _read_length,
        _length_expression,
        _length_holds,
        _length_message,
        _length_edges,
    ),
    Rule(
        "not_in_future",
        {"const": True},
        lambda type: type.name in ("date", "timestamp", "timestamptz"),
        _read_true,
        _not_in_future,
        lambda value, _: bool(value.year < WRITTEN_IN),
        lambda _, type: "is not in the future",
        _moments_in_the_past_and_one_ahead,
    ),
)

RULES = {row.name: row for row in _ROWS}
