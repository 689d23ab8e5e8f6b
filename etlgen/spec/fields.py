"""The kinds of value that a spec holds, each with its validation and its JSON Schema."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import cache
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainValidator, WithJsonSchema

from etlgen import names
from etlgen.spec.problem import refusal
from etlgen.spec.schedule import PRESETS, read_schedule
from etlgen.vocabulary.adjust import SCHEMAS as ADJUSTMENTS
from etlgen.vocabulary.checks import RULES, SEVERITIES, rule_of
from etlgen.vocabulary.clean import OPERATIONS, read_clean
from etlgen.vocabulary.column import BadValue, Clean, ColumnType, plain_text
from etlgen.vocabulary.durations import PATTERN, read_duration
from etlgen.vocabulary.table_checks import TABLE_RULES, table_rule_of
from etlgen.vocabulary.types import TYPES, read_type, suggest_type

LONGEST_TAG = 100
# What is no step of cleaning, but said in another place or by another name.
SAID_ELSEWHERE = {
    "default": "write 'default: …' beside 'clean'",
    "parse": "write 'format: …' beside 'clean': one, or a list of several",
    "derive": "write 'derive: …' beside 'type', in a column of its own",
    "drop": "write 'drop: [...]' beside the resource's 'columns'",
    "filter": "write 'filter: [...]' beside the resource's 'columns'",
    "deduplicate": "write 'deduplicate: [...]' beside the resource's 'columns'",
    "trim": "write 'strip'",
    "map": "write 'replace'",
    "regex": "write 'extract'",
}


def as_text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise refusal("type", f"{_shown(value)} is not text", "put it in quotes" if value else None)


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else repr_of(value)


def repr_of(value: object) -> str:
    """A value inside a message."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    return names.shown(value) if isinstance(value, str) else str(value)


def _named(make: Callable[[str], str]) -> PlainValidator:
    def validate(value: object) -> str:
        try:
            return make(as_text(value))
        except names.BadName as problem:
            raise refusal("name", problem.message, problem.hint) from None

    return PlainValidator(validate)


def _type(value: object) -> ColumnType:
    text = as_text(value)
    try:
        return read_type(text)
    except BadValue as problem:
        synonym = suggest_type(text)
        hint = (
            f"write {synonym!r}"
            if synonym
            else names.did_you_mean(text.partition("(")[0], [*TYPES])
        )
        if str(problem) == "is not a type" and hint is None:
            hint = f"types: {', '.join(TYPES)}"
        raise refusal("type_name", f"{names.shown(text)} {problem}", hint) from None


def _clean(value: object) -> Clean:
    try:
        return read_clean(value)
    except BadValue as problem:
        if str(problem) != "is not a cleaning operation":
            raise refusal("clean", str(problem)) from None
        word = str(next(iter(value), "")) if isinstance(value, dict) else str(value)
        known = [*OPERATIONS, *ADJUSTMENTS]
        hint = SAID_ELSEWHERE.get(word) or names.did_you_mean(word, known)
        hint = hint or f"operations: {', '.join(known)}"
        raise refusal("clean", f"{repr_of(value)} {problem}", hint) from None


def _check(value: object) -> dict[str, Any]:
    try:
        rule_of(value)
    except BadValue as problem:
        unknown = re.fullmatch(r"unknown check '(.*)'", str(problem), re.DOTALL)
        known = [*RULES, "severity", "message"]
        hint = None
        if unknown and unknown[1] in TABLE_RULES:
            hint = f"{unknown[1]} is about all rows: put it into the resource's own 'checks'"
        elif unknown and unknown[1] in ("not_null", "required"):
            hint = "write 'nullable: false' beside 'checks'"
        elif unknown:
            hint = names.did_you_mean(unknown[1], known) or f"checks: {', '.join(RULES)}"
        raise refusal("check", str(problem), hint) from None
    assert isinstance(value, dict)
    return dict(value)


def _table_check(value: object) -> dict[str, Any]:
    try:
        table_rule_of(value)
    except BadValue as problem:
        unknown = re.fullmatch(r"unknown check '(.*)'", str(problem), re.DOTALL)
        hint = None
        if unknown and unknown[1] in RULES:
            hint = f"{unknown[1]} is about one column: put it into the column's own 'checks'"
        elif unknown:
            known = [*TABLE_RULES, "severity", "message"]
            hint = names.did_you_mean(unknown[1], known) or f"checks: {', '.join(TABLE_RULES)}"
        raise refusal("check", str(problem), hint) from None
    assert isinstance(value, dict)
    return dict(value)


def _filter(value: object) -> dict[str, Any]:
    if not isinstance(value, dict) or not isinstance(value.get("column"), str):
        hint = "such as {column: status, one_of: [new, paid]}"
        raise refusal("filter", "a filter is a column and what holds for the rows to keep", hint)
    for key in ("severity", "message"):
        if key in value:
            raise refusal("filter", f"a filter has no {key}: the rows it leaves out are counted")
    rule = {key: argument for key, argument in value.items() if key != "column"}
    return {"column": value["column"], **_check(rule)}


def _schedule(value: object) -> str:
    text = as_text(value)
    try:
        return read_schedule(text)
    except ValueError as problem:
        raise refusal("schedule", f"{names.shown(text)} {problem}") from None


@cache
def _zones() -> frozenset[str]:
    import zoneinfo

    return frozenset(zoneinfo.available_timezones())


def _zone(value: object) -> str:
    text = as_text(value)
    if text not in _zones():
        lower = {zone.lower(): zone for zone in _zones()}
        near = difflib.get_close_matches(text.lower(), lower, n=1)
        hint = f"did you mean {lower[near[0]]!r}?" if near else "write one such as Europe/Berlin"
        raise refusal("timezone", f"{names.shown(text)} is not an IANA time zone", hint)
    return text


def _date(value: object) -> date:
    text = as_text(value)
    try:
        return date.fromisoformat(text) if len(text) == 10 else date.fromisoformat("")
    except ValueError:
        raise refusal("date", f"{names.shown(text)} is not a date like 2026-01-31") from None


def _duration(value: object) -> timedelta:
    try:
        return read_duration(value)
    except BadValue as problem:
        hint = "write a number and s, m, h or d, such as 5m"
        raise refusal("duration", f"{_shown(value)} {problem}", hint) from None


def _lookback(value: object) -> timedelta | int:
    if isinstance(value, str):
        return _duration(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise refusal("lookback", f"{_shown(value)} is not a duration or a number from 0")


def _data_text(value: object) -> str:
    text = plain_text(value)
    if text is None:
        raise refusal("type", f"{_shown(value)} is not text", "put it in quotes")
    return text


def _listed(value: object) -> object:
    """One value is a list of one; anything else is for the item's own validation to judge."""
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


def _sequence(value: object) -> object:
    if isinstance(value, list | tuple):
        return tuple(value)
    raise refusal("type", f"{_shown(value)} is not a list", "put it in [ ]")


def _tag(value: object) -> str:
    text = as_text(value)
    if len(text) > LONGEST_TAG:
        message = f"{names.shown(text)} has {len(text)} characters"
        raise refusal("tag", message, f"Airflow takes at most {LONGEST_TAG} in a tag")
    return text


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise refusal("type", f"{_shown(value)} is not true or false")


def positive(at_most: int) -> PlainValidator:
    """A whole number from 1."""

    def validate(value: object) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= at_most:
            return value
        raise refusal("number", f"{names.shown(str(value))} is not a whole number from 1")

    return PlainValidator(validate)


_STRING = WithJsonSchema({"type": "string"})
FROM_ONE = WithJsonSchema({"type": "integer", "minimum": 1})

Text = Annotated[str, PlainValidator(as_text), _STRING]
Tag = Annotated[
    str,
    PlainValidator(_tag),
    WithJsonSchema({"type": "string", "maxLength": LONGEST_TAG}),
]
DataText = Annotated[
    str, PlainValidator(_data_text), WithJsonSchema({"type": ["string", "number"]})
]
Flag = Annotated[bool, PlainValidator(_flag), WithJsonSchema({"type": "boolean"})]
Sequence = BeforeValidator(_sequence)

# One text is a list of one.
TextList = Annotated[
    tuple[DataText, ...],
    BeforeValidator(_listed),
    WithJsonSchema(
        {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": ["string", "number"]}}]}
    ),
]

FromNames = Annotated[
    tuple[DataText, ...],
    BeforeValidator(_listed),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": ["string", "number"]}, "minItems": 1},
            ]
        }
    ),
]

ProjectName = Annotated[
    names.ProjectName,
    _named(names.project_name),
    WithJsonSchema({"type": "string", "pattern": names.PROJECT_PATTERN}),
]
PackageName = Annotated[
    names.PackageName,
    _named(names.import_package),
    WithJsonSchema({"type": "string", "pattern": names.PACKAGE_PATTERN}),
]
SourceName = Annotated[names.SourceName, _named(names.source_name), _STRING]
ResourceName = Annotated[names.ResourceName, _named(names.resource_name), _STRING]
ColumnName = Annotated[names.ColumnName, _named(names.column_name), _STRING]
TableName = Annotated[names.TableName, _named(names.table_name), _STRING]
SchemaName = Annotated[names.SchemaName, _named(names.schema_name), _STRING]

Zone = Annotated[str, PlainValidator(_zone), _STRING]
StartDate = Annotated[
    date, PlainValidator(_date), WithJsonSchema({"type": "string", "format": "date"})
]
Schedule = Annotated[
    str,
    PlainValidator(_schedule),
    WithJsonSchema({"type": "string", "examples": ["30 6 * * 1-5", *PRESETS]}),
]
Duration = Annotated[
    timedelta,
    PlainValidator(_duration),
    WithJsonSchema({"type": "string", "pattern": PATTERN}),
]
Lookback = Annotated[
    timedelta | int,
    PlainValidator(_lookback),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": PATTERN},
                {"type": "integer", "minimum": 0},
            ]
        }
    ),
]
TypeField = Annotated[
    ColumnType,
    PlainValidator(_type),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": [name for name in TYPES if name != "numeric"]},
                {"type": "string", "pattern": r"^numeric ?\( ?\d{1,2}( ?, ?\d{1,2})? ?\)$"},
            ]
        }
    ),
]
_CLEAN_SCHEMAS = {
    **{row.name: row.schema for row in OPERATIONS.values() if row.schema is not None},
    **ADJUSTMENTS,
}
CleanField = Annotated[
    Clean,
    PlainValidator(_clean),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": [row.name for row in OPERATIONS.values() if row.schema is None]},
                *(
                    {
                        "type": "object",
                        "properties": {name: dict(schema)},
                        "required": [name],
                        "additionalProperties": False,
                    }
                    for name, schema in _CLEAN_SCHEMAS.items()
                ),
            ]
        }
    ),
]


def _one_rule(
    rules: Mapping[str, Mapping[str, object]],
    others: Mapping[str, object],
    needed: Callable[[str], list[str]],
) -> WithJsonSchema:
    """A mapping with exactly one of the rules, and what else may stand beside it."""
    return WithJsonSchema(
        {
            "type": "object",
            "properties": {**{name: dict(schema) for name, schema in rules.items()}, **others},
            "additionalProperties": False,
            "oneOf": [{"required": needed(name)} for name in rules],
        }
    )


_RULE_SCHEMAS = {row.name: row.schema for row in RULES.values()}
_BESIDE = {
    "severity": {"enum": list(SEVERITIES)},
    "message": {"type": "string", "pattern": r"\S"},
}
CheckField = Annotated[
    dict[str, Any],
    PlainValidator(_check),
    _one_rule(_RULE_SCHEMAS, _BESIDE, lambda name: [name]),
]
TableCheckField = Annotated[
    dict[str, Any],
    PlainValidator(_table_check),
    _one_rule(
        {row.name: row.schema for row in TABLE_RULES.values()},
        _BESIDE,
        lambda name: [name, "message"] if TABLE_RULES[name].is_named else [name],
    ),
]
FilterField = Annotated[
    dict[str, Any],
    PlainValidator(_filter),
    _one_rule(_RULE_SCHEMAS, {"column": {"type": "string"}}, lambda name: ["column", name]),
]
