"""The model of a column, and the rules between its parts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from etlgen.names import folded
from etlgen.spec.fields import (
    CheckField,
    CleanField,
    ColumnName,
    Flag,
    FromNames,
    Sequence,
    TableName,
    Text,
    TextList,
    TypeField,
    Zone,
    repr_of,
)
from etlgen.spec.named import NAME, with_names
from etlgen.spec.problem import Problem, refusal
from etlgen.vocabulary.adjust import is_adjustment, read_clip, read_round
from etlgen.vocabulary.checks import holds, read_check, rule_of
from etlgen.vocabulary.clean import PRIVATE
from etlgen.vocabulary.column import BadValue, Check, Column, Notation, plain_text
from etlgen.vocabulary.formats import check_format, has_offset
from etlgen.vocabulary.notation import boolean_words
from etlgen.vocabulary.types import TYPES, read


class PlainColumnSpec(BaseModel):
    """One column of a table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ColumnName = Field(validation_alias=NAME)
    type: TypeField = Field(examples=["text"])
    from_names: FromNames = Field(
        default_factory=lambda data: (data.get("name", ""),),
        validation_alias="from",
        min_length=1,
        description="The column's name in the source, or the names that it may have there.",
    )
    nullable: Flag | None = Field(None, description="Default: true, but false in a primary_key.")
    clean: Annotated[tuple[CleanField, ...], Sequence] = ()
    checks: Annotated[tuple[CheckField, ...], Sequence] = ()
    format: TextList = Field(
        (), description="strptime pattern; J/N for a boolean; hex or base64 for bytea; or several."
    )
    timezone: Zone | None = Field(None, description="Zone of values that do not name their own.")
    default: Any = Field(None, description="What a NULL becomes.")
    description: Text | None = None
    pii: Flag = Field(
        False, description="Its values are personal: quarantine, messages and previews hide them."
    )
    example: Text | None = Field(None, description="A text that satisfies the checks.")

    def resolved(self, notation: Notation, *, in_key: bool, is_cursor: bool) -> Column:
        """The column with its checks and default read as values of its type."""
        return Column(
            name=self.name,
            type=self.type,
            from_names=self.from_names,
            nullable=not in_key if self.nullable is None else self.nullable,
            in_key=in_key,
            is_cursor=is_cursor,
            clean=tuple(step for step in self.clean if not is_adjustment(step)),
            clip=read_clip(self.clean, self.type),
            checks=tuple(read_check(raw, self.type) for raw in self.checks),
            notation=replace(notation, round_to=read_round(self.clean, self.type)),
            default=self._default(),
            is_private=self.pii or any(step.operation in PRIVATE for step in self.clean),
            example=self.example,
            description=self.description,
        )

    def problems(self) -> Iterator[Problem]:
        """What is wrong between the parts of the column."""
        yield from self._clean_problems()
        yield from self._format_problems()
        yield from self._timezone_problems()
        if not all(self.from_names):
            yield Problem(("from",), "name", "a name in the source cannot be empty")
        checks: list[Check] = []
        for index, raw in enumerate(self.checks):
            try:
                checks.append(read_check(raw, self.type))
            except BadValue as problem:
                rule = rule_of(raw)
                message = str(problem)
                if rule == "matches" and message.startswith("is not a regex"):
                    message = f"{repr_of(raw[rule])} {message}"
                yield Problem(("checks", index, rule), "check", message)
        yield from self._default_problems(checks)

    def _format_problems(self) -> Iterator[Problem]:
        takes = TYPES[self.type.name].takes_format
        for format in self.format:
            try:
                if takes is None:
                    raise BadValue(f"does not fit: {self.type} takes no format")
                if takes == "words":
                    boolean_words([format])
                elif takes == "encoding" and format not in ("hex", "base64"):
                    raise BadValue("is not hex or base64")
                elif takes == "strptime":
                    check_format(format, self.type.name)
            except BadValue as problem:
                yield Problem(("format",), "format", f"{repr_of(format)} {problem}")
                return
        if len(self.format) > 1:
            yield from self._formats_problems()

    def _formats_problems(self) -> Iterator[Problem]:
        """What is wrong between several formats, each of them being right by itself."""
        try:
            if self.type.name == "bytea":
                raise BadValue("has two encodings, and a value does not say which it is in")
            if self.type.name == "boolean":
                boolean_words(self.format)
            elif len({has_offset(format) for format in self.format}) > 1:
                raise BadValue("has formats with and without %z")
        except BadValue as problem:
            yield Problem(("format",), "format", f"{', '.join(self.format)} {problem}")

    def _clean_problems(self) -> Iterator[Problem]:
        last = len(self.clean)
        for index, step in reversed([*enumerate(self.clean)]):
            path = ("clean", index)
            if not is_adjustment(step):
                last = index
                if step.operation in PRIVATE and self.type.name != "text":
                    message = f"{step.operation} gives text, but the type is {self.type}"
                    yield Problem(path, "clean", message)
                continue
            if last != len(self.clean):
                message = (
                    f"{step.operation} is on numbers, and {self.clean[last].operation} on text"
                )
                yield Problem(path, "clean", message, "put what is on numbers last")
            if step.operation in (other.operation for other in self.clean[:index]):
                yield Problem(path, "duplicate", f"{step.operation} stands here twice")
            try:
                read_round((step,), self.type)
                read_clip((step,), self.type)
            except BadValue as problem:
                yield Problem(path, "clean", str(problem))

    def _timezone_problems(self) -> Iterator[Problem]:
        if self.type.name != "timestamptz":
            if self.timezone is not None:
                message = f"{self.type} has no time zone"
                hint = "only timestamptz takes 'timezone'"
                yield Problem(("timezone",), "timezone", message, hint)
        elif self.timezone is None and not all(map(has_offset, self.format)):
            yield Problem(
                ("format",),
                "timezone",
                "values in this format name no time zone",
                "add 'timezone: UTC' or the zone that they are written in",
            )

    def _default(self) -> Any:
        if self.default is None:
            return None
        if self.type.name == "jsonb" and isinstance(self.default, dict | list | bool):
            return json.dumps(self.default, ensure_ascii=False, default=_json_number)
        if self.type.name == "boolean" and isinstance(self.default, bool):
            return self.default
        text = plain_text(self.default)
        if text is None:
            raise BadValue(f"is not a value of {self.type}")
        value = read(text, self.type)
        if value is None:
            raise BadValue(f"is not a value of {self.type}")
        return value

    def _default_problems(self, checks: list[Check]) -> Iterator[Problem]:
        try:
            value = self._default()
        except BadValue as problem:
            yield Problem(("default",), "default", f"{repr_of(self.default)} {problem}")
            return
        for check in checks if value is not None else ():
            if check.severity == "error" and not holds(check, value):
                message = f"{repr_of(self.default)} breaks the check {check.message!r}"
                yield Problem(("default",), "default", message)


def _element_columns(value: object) -> Any:
    """The columns of elements, in which no further array is a table."""
    for name, column in value.items() if isinstance(value, Mapping) else ():
        if isinstance(column, Mapping) and "explode" in column:
            message = "an array inside an element is no table of its own"
            hint = "leave it JSON: take 'explode' out"
            raise refusal("nested_explode", message, hint, at=(name, "explode"))
    return with_names(value)


class ExplodeSpec(BaseModel):
    """The table that has a row for each element of a column's arrays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    table: TableName | None = Field(
        None, description="Table of the elements; default: <table>_<column>."
    )
    description: Text = ""
    columns: Annotated[Mapping[str, PlainColumnSpec], BeforeValidator(_element_columns)] = Field(
        min_length=1, examples=[{"sku": {"type": "text", "nullable": False}}]
    )
    drop: TextList = Field((), description="Names in an element of what is read into no column.")


class ColumnSpec(PlainColumnSpec):
    """One column of a resource; an array in it may be a table of its own."""

    explode: ExplodeSpec | None = Field(
        None, description="Gives the array of objects in this jsonb column a table of its own."
    )

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        if self.explode is None:
            return
        if self.type.name != "jsonb":
            message = f"explode is for arrays, and the type is {self.type}"
            yield Problem(("explode",), "explode", message, "write 'type: jsonb'", at_key=True)
        for key in ("clean", "checks", "default", "example"):
            if key in self.model_fields_set:
                message = f"{key!r} says nothing of an array that is a table"
                hint = "say it of the columns under 'explode'"
                yield Problem((key,), "explode", message, hint, at_key=True)
        for problem in self._element_problems(self.explode):
            yield replace(problem, path=("explode", *problem.path))

    def _element_problems(self, explode: ExplodeSpec) -> Iterator[Problem]:
        for name, column in explode.columns.items():
            for problem in column.problems():
                yield replace(problem, path=("columns", name, *problem.path))
        yield from name_problems(explode.columns)
        yield from drop_problems(explode.drop, explode.columns)


def name_problems(columns: Mapping[str, PlainColumnSpec]) -> Iterator[Problem]:
    """Names that two columns would share, in the table or in the source."""
    seen: dict[str, str] = {}
    origins: dict[str, str] = {}
    for name, column in columns.items():
        twin = seen.setdefault(folded(name), name)
        if twin != name:
            message = f"columns {twin!r} and {name!r} are one name to the eye"
            yield Problem(("columns", name), "duplicate", message, at_key=True)
        for origin in column.from_names:
            other = origins.setdefault(origin, name)
            if other != name:
                yield Problem(
                    ("columns", name, "from"),
                    "duplicate",
                    f"{origin!r} is already read into the column {other!r}",
                    "copy the column in transform() instead",
                )


def drop_problems(
    drop: tuple[str, ...], columns: Mapping[str, PlainColumnSpec]
) -> Iterator[Problem]:
    """What is dropped although a column is read from it."""
    read = {name: one.name for one in columns.values() for name in one.from_names}
    for index, name in enumerate(drop):
        if name in read:
            message = f"{name!r} is read into the column {read[name]!r}, so it cannot be dropped"
            yield Problem(("drop", index), "duplicate", message)


def _json_number(value: object) -> int | float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(type(value).__name__)
