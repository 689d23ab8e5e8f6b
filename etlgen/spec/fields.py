"""The kinds of value that a spec holds, each with its validation and its JSON Schema."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainValidator, WithJsonSchema

from etlgen import names
from etlgen.pycode import is_visible
from etlgen.spec.problem import refusal
from etlgen.spec.schedule import PRESETS, read_schedule
from etlgen.vocabulary.adjust import SCHEMAS as ADJUSTMENTS
from etlgen.vocabulary.checks import RULES, SEVERITIES, rule_of
from etlgen.vocabulary.clean import OPERATIONS, read_clean
from etlgen.vocabulary.column import BadValue, Clean, ColumnType, plain_text
from etlgen.vocabulary.durations import PATTERN, read_duration
from etlgen.vocabulary.table_checks import TABLE_RULES, table_rule_of
from etlgen.vocabulary.types import TYPES, read_type, suggest_type

_REFERENCE = re.compile(r"\$\{([^}:]*)(?::-([^}]*))?\}")
# One kind of quotes takes away the meaning of ' and \, the other that of $ and `; none of both.
_UNQUOTABLE = re.compile(r"\$\{|['\\].*[$`]|[$`].*['\\]")


@dataclass(frozen=True, slots=True)
class Setting:
    """A literal, `${NAME}` (no default) or `${NAME:-default}`."""

    env: names.EnvName | None
    default: str | None

    def __str__(self) -> str:
        if self.env is None:
            return self.default or ""
        return f"${{{self.env}}}" if self.default is None else f"${{{self.env}:-{self.default}}}"


def _text(value: object) -> str:
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
            return make(_text(value))
        except names.BadName as problem:
            raise refusal("name", problem.message, problem.hint) from None

    return PlainValidator(validate)


def _type(value: object) -> ColumnType:
    text = _text(value)
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
        hint = names.did_you_mean(word, known) or f"operations: {', '.join(known)}"
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
    text = _text(value)
    try:
        return read_schedule(text)
    except ValueError as problem:
        raise refusal("schedule", f"{names.shown(text)} {problem}") from None


@cache
def _zones() -> frozenset[str]:
    import zoneinfo

    return frozenset(zoneinfo.available_timezones())


def _zone(value: object) -> str:
    text = _text(value)
    if text not in _zones():
        lower = {zone.lower(): zone for zone in _zones()}
        near = difflib.get_close_matches(text.lower(), lower, n=1)
        hint = f"did you mean {lower[near[0]]!r}?" if near else "write one such as Europe/Berlin"
        raise refusal("timezone", f"{names.shown(text)} is not an IANA time zone", hint)
    return text


def _date(value: object) -> date:
    text = _text(value)
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


def _setting(value: object) -> Setting:
    text = _text(value)
    if "${" not in text:
        return Setting(None, text)
    found = _REFERENCE.fullmatch(text)
    if found is None:
        raise refusal(
            "reference",
            f"{names.shown(text)} is not a reference to the environment",
            "write a literal, ${NAME} or ${NAME:-default} for the whole value",
        )
    try:
        return Setting(names.env_name(found[1]), found[2])
    except names.BadName as problem:
        raise refusal("reference", problem.message, problem.hint) from None


def _path_setting(value: object) -> Setting:
    setting = _setting(value)
    folder = setting.default
    if folder is None:
        return setting
    if not folder.strip():
        raise refusal("path", "a path is missing", "write a folder, ${NAME} or ${NAME:-folder}")
    if not all(map(is_visible, folder)):
        raise refusal("path", f"{names.shown(folder)} is not a path with visible names")
    if setting.env and _UNQUOTABLE.search(folder):
        hint = "write only ${NAME} here, and the path into the environment"
        raise refusal("path", f"{names.shown(folder)} cannot stand in a .env file", hint)
    return setting


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


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise refusal("type", f"{_shown(value)} is not true or false")


_STRING = WithJsonSchema({"type": "string"})

Text = Annotated[str, PlainValidator(_text), _STRING]
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
PathSetting = Annotated[Setting, PlainValidator(_path_setting), _STRING]
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
CheckField = Annotated[
    dict[str, Any],
    PlainValidator(_check),
    WithJsonSchema(
        {
            "type": "object",
            "properties": {
                **{row.name: dict(row.schema) for row in RULES.values()},
                "severity": {"enum": list(SEVERITIES)},
                "message": {"type": "string", "pattern": r"\S"},
            },
            "additionalProperties": False,
            "oneOf": [{"required": [name]} for name in RULES],
        }
    ),
]
TableCheckField = Annotated[
    dict[str, Any],
    PlainValidator(_table_check),
    WithJsonSchema(
        {
            "type": "object",
            "properties": {
                **{row.name: dict(row.schema) for row in TABLE_RULES.values()},
                "severity": {"enum": list(SEVERITIES)},
                "message": {"type": "string", "pattern": r"\S"},
            },
            "additionalProperties": False,
            "oneOf": [
                {"required": [name, "message"] if row.is_named else [name]}
                for name, row in TABLE_RULES.items()
            ],
        }
    ),
]
FilterField = Annotated[
    dict[str, Any],
    PlainValidator(_filter),
    WithJsonSchema(
        {
            "type": "object",
            "properties": {
                "column": {"type": "string"},
                **{row.name: dict(row.schema) for row in RULES.values()},
            },
            "additionalProperties": False,
            "oneOf": [{"required": ["column", name]} for name in RULES],
        }
    ),
]
