"""The model of a column, and the rules between its parts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from etlgen.spec.fields import (
    CheckField,
    CleanField,
    ColumnName,
    Flag,
    FromNames,
    Sequence,
    Text,
    TextList,
    TypeField,
    Zone,
    repr_of,
)
from etlgen.spec.named import NAME
from etlgen.spec.problem import Problem
from etlgen.vocabulary.adjust import is_adjustment, read_clip, read_round
from etlgen.vocabulary.checks import holds, read_check, rule_of
from etlgen.vocabulary.clean import PRIVATE
from etlgen.vocabulary.column import BadValue, Check, Column, Notation, plain_text
from etlgen.vocabulary.formats import check_format, has_offset
from etlgen.vocabulary.notation import boolean_words
from etlgen.vocabulary.types import TYPES, read


class ColumnSpec(BaseModel):
    """One column of a resource."""

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


def _json_number(value: object) -> int | float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(type(value).__name__)
