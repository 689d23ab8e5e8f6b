"""Checks of a load as a whole: what its rows must satisfy together, before anybody sees them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, cast

from etlgen.pycode import Code, code, spelled
from etlgen.vocabulary.checks import SEVERITIES
from etlgen.vocabulary.column import BadValue, Column, Severity, plain_text
from etlgen.vocabulary.durations import PATTERN, read_duration

Columns = Mapping[str, Column]
_NAME = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}
_UNGROUPED = ("jsonb",)  # has no order to show examples in that means anything


@dataclass(frozen=True, slots=True)
class TableCheck:
    """A check as the generated module declares it: a class of the runtime and its arguments."""

    class_name: str
    arguments: tuple[Code, ...]
    severity: Severity


@dataclass(frozen=True, slots=True)
class TableRule:
    """One kind of check; `read` gives the arguments of `class_name`."""

    name: str
    class_name: str
    schema: Mapping[str, object]
    read: Callable[[Any, Columns], tuple[Code, ...]]
    is_named: bool = False  # whether its own words, the message, are needed


class UnknownColumn(BadValue):
    """A check is of a column that there is not; `name` is that column."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no column {name!r}")
        self.name = name


def read_table_check(raw: Mapping[str, Any], columns: Columns) -> TableCheck:
    """`{unique: [email], severity: warn}` from a spec; BadValue says what is wrong."""
    rule = TABLE_RULES[table_rule_of(raw)]
    arguments = rule.read(raw[rule.name], columns)
    if rule.is_named:
        arguments = (spelled(raw["message"]), *arguments)
    return TableCheck(rule.class_name, arguments, cast(Severity, raw.get("severity", "error")))


def table_rule_of(raw: object) -> str:
    """The one rule that a check names; BadValue where there is none or more."""
    if not isinstance(raw, Mapping):
        raise BadValue("a check is a mapping, such as {row_count: {at_least: 1}}")
    others = ("severity", "message")
    unknown = [str(key) for key in raw if key not in TABLE_RULES and key not in others]
    if unknown:
        raise BadValue(f"unknown check {unknown[0]!r}")
    rules = [str(key) for key in raw if key in TABLE_RULES]
    if len(rules) != 1:
        raise BadValue("a check names exactly one rule, such as {unique: [email]}")
    if raw.get("severity", "error") not in SEVERITIES:
        raise BadValue(f"severity is {' or '.join(SEVERITIES)}")
    message = raw.get("message")
    if TABLE_RULES[rules[0]].is_named:
        if not isinstance(message, str) or not message.strip():
            raise BadValue(
                f"{rules[0]} needs a message: the rule in words, such as 'one fee a day'"
            )
    elif message is not None:
        raise BadValue(f"{rules[0]} says by itself what is wrong; it takes no message")
    return rules[0]


def _column(raw: object, columns: Columns) -> Column:
    if not isinstance(raw, str):
        raise BadValue(f"{raw!r} is not the name of a column")
    if raw not in columns:
        raise UnknownColumn(raw)
    return columns[raw]


def _keys(rule: str, raw: object, needed: Collection[str], others: Collection[str] = ()) -> Any:
    """The mapping, which has these keys and at most those others."""
    known = [*needed, *others]
    if not isinstance(raw, Mapping) or not raw or set(raw) - {*known} or set(needed) - {*raw}:
        raise BadValue(f"{rule} is a mapping of {', '.join(known)}")
    return raw


def _read_unique(raw: object, columns: Columns) -> tuple[Code, ...]:
    names = [raw] if isinstance(raw, str) else raw
    if not isinstance(names, list) or not names:
        raise BadValue("unique needs columns, such as [email]")
    for name in names:
        found = _column(name, columns)
        if found.type.name in _UNGROUPED:
            raise BadValue(f"unique does not fit {found.type}")
    return tuple(spelled(name) for name in names)


def _read_row_count(raw: object, columns: Columns) -> tuple[Code, ...]:
    bounds = _keys("row_count", raw, (), ("at_least", "at_most"))
    for value in bounds.values():
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise BadValue(f"row_count needs whole numbers from 0, not {value!r}")
    low, high = bounds.get("at_least"), bounds.get("at_most")
    if low is not None and high is not None and low > high:
        raise BadValue("row_count has at_least above at_most")
    return tuple(
        code(f"{name}={{value}}", value=value)
        for name, value in (("at_least", low), ("at_most", high))
        if value is not None
    )


def _read_freshness(raw: object, columns: Columns) -> tuple[Code, ...]:
    keys = _keys("freshness", raw, ("field", "within"))
    found = _column(keys["field"], columns)
    if found.type.name not in ("date", "timestamp", "timestamptz"):
        raise BadValue(f"freshness does not fit {found.type}; it fits date, timestamp, timestamptz")
    try:
        within = read_duration(keys["within"])
    except BadValue as problem:
        raise BadValue(f"within: {keys['within']!r} {problem}, such as 2d or 36h") from None
    return spelled(found.name), code("within={duration}", duration=within)


def _read_null_share(raw: object, columns: Columns) -> tuple[Code, ...]:
    keys = _keys("null_share", raw, ("column", "at_most"))
    found = _column(keys["column"], columns)
    if not found.nullable:
        raise BadValue(f"{found.name!r} is never NULL: a row without it goes to quarantine")
    text = plain_text(keys["at_most"])
    try:
        share = float(text or "")
    except ValueError:
        share = -1
    if not 0 <= share < 1:
        raise BadValue("null_share needs at_most as a share from 0 to 1, such as 0.05")
    return spelled(found.name), code("at_most={share}", share=share)


def _read_references(raw: object, columns: Columns) -> tuple[Code, ...]:
    keys = _keys("references", raw, ("column", "table"), ("key",))
    found = _column(keys["column"], columns)
    if found.type.name in _UNGROUPED:
        raise BadValue(f"references does not fit {found.type}")
    names = [keys["table"], keys.get("key", found.name)]
    if not all(isinstance(name, str) and name.strip() for name in names):
        raise BadValue("references needs the names of a table and of its key")
    return spelled(found.name), *map(spelled, names)


def _read_sql(raw: object, columns: Columns) -> tuple[Code, ...]:
    query = raw.strip() if isinstance(raw, str) else ""
    if query.partition(" ")[0].partition("\n")[0].lower() not in ("select", "with"):
        raise BadValue("sql needs a query of the staged rows, such as 'SELECT * FROM rows WHERE …'")
    return (spelled(query),)


_ROWS = (
    TableRule(
        "unique",
        "Unique",
        {"anyOf": [_NAME, {"type": "array", "items": _NAME, "minItems": 1}]},
        _read_unique,
    ),
    TableRule(
        "row_count",
        "RowCount",
        {
            "type": "object",
            "properties": {"at_least": _COUNT, "at_most": _COUNT},
            "additionalProperties": False,
            "minProperties": 1,
        },
        _read_row_count,
    ),
    TableRule(
        "freshness",
        "Freshness",
        {
            "type": "object",
            "properties": {"field": _NAME, "within": {"type": "string", "pattern": PATTERN}},
            "required": ["field", "within"],
            "additionalProperties": False,
        },
        _read_freshness,
    ),
    TableRule(
        "null_share",
        "NullShare",
        {
            "type": "object",
            "properties": {
                "column": _NAME,
                "at_most": {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
            },
            "required": ["column", "at_most"],
            "additionalProperties": False,
        },
        _read_null_share,
    ),
    TableRule(
        "references",
        "References",
        {
            "type": "object",
            "properties": {"column": _NAME, "table": _NAME, "key": _NAME},
            "required": ["column", "table"],
            "additionalProperties": False,
        },
        _read_references,
    ),
    TableRule("sql", "NoRows", {"type": "string", "minLength": 8}, _read_sql, is_named=True),
)

TABLE_RULES = {row.name: row for row in _ROWS}
