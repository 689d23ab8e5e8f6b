"""The model of a column, and the rules between its parts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from etlgen.names import did_you_mean, folded
from etlgen.spec.fields import (
    CheckField,
    CleanField,
    ColumnName,
    DataText,
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
from etlgen.spec.marks import Mark, Thousands
from etlgen.spec.named import NAME, with_names
from etlgen.spec.problem import Problem, refusal
from etlgen.spec.strict import Model
from etlgen.vocabulary.adjust import is_adjustment, read_clip, read_round
from etlgen.vocabulary.checks import holds, read_check, rule_of
from etlgen.vocabulary.clean import PRIVATE
from etlgen.vocabulary.column import BadValue, Check, Column, Notation, plain_text
from etlgen.vocabulary.derive import TAKEN, read_template
from etlgen.vocabulary.formats import check_format, has_offset
from etlgen.vocabulary.json_value import NUMBERS
from etlgen.vocabulary.notation import boolean_words
from etlgen.vocabulary.types import TYPES, read


class PlainColumnSpec(Model):
    """One column of a table."""

    name: ColumnName = Field(validation_alias=NAME)
    type: TypeField = Field(examples=["text"])
    derive: DataText | None = Field(
        None,
        examples=["{first_name} {last_name}"],
        description="Made of other columns instead of read: a text with their names in braces.",
    )
    from_names: FromNames = Field(
        default_factory=lambda data: () if data.get("derive") else (data.get("name", ""),),
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
    decimal_mark: Mark | None = Field(None, description="Of a number; default: the resource's.")
    thousands_mark: Thousands | None = Field(
        None, description="Of a number; default: the resource's."
    )
    default: Any = Field(None, description="What a NULL becomes.")
    description: Text | None = None
    pii: Flag = Field(
        False, description="Its values are personal: quarantine, messages and previews hide them."
    )
    example: Text | None = Field(None, description="A text that satisfies the checks.")

    def resolved(self, notation: Notation, *, in_key: bool, is_cursor: bool) -> Column:
        """The column with its checks and default read as values of its type."""
        notation = self._with_marks(notation)
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
            derive=None if self.derive is None else read_template(self.derive),
            is_private=self.pii or any(step.operation in PRIVATE for step in self.clean),
            example=self.example,
            description=self.description,
        )

    def _with_marks(self, notation: Notation) -> Notation:
        decimal = notation.decimal_mark if self.decimal_mark is None else self.decimal_mark
        thousands = notation.thousands_mark if self.thousands_mark is None else self.thousands_mark
        return replace(notation, decimal_mark=decimal, thousands_mark=thousands)

    def problems(self) -> Iterator[Problem]:
        """What is wrong between the parts of the column."""
        yield from self._clean_problems()
        yield from self._mark_problems()
        yield from self._format_problems()
        yield from self._timezone_problems()
        yield from self._derive_problems()
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

    def _mark_problems(self) -> Iterator[Problem]:
        for key in ("decimal_mark", "thousands_mark"):
            if getattr(self, key) is not None and self.type.name not in NUMBERS:
                message = f"{key!r} is of numbers, and the type is {self.type}"
                yield Problem((key,), "mark", message, at_key=True)
        if self.thousands_mark and self.thousands_mark == (self.decimal_mark or "."):
            message = "decimal_mark and thousands_mark are the same character"
            yield Problem(("thousands_mark",), "mark", message)

    def _derive_problems(self) -> Iterator[Problem]:
        if self.derive is None:
            return
        try:
            template = read_template(self.derive)
        except BadValue as problem:
            yield Problem(("derive",), "derive", f"{repr_of(self.derive)} {problem}")
            return
        useless = ["from_names"]
        if not template.columns:
            useless += ["clean", "default", "format", "timezone"]
            try:
                read(template.filled(lambda name: None) or "", self.type)
            except BadValue as problem:
                yield Problem(("derive",), "derive", f"{repr_of(self.derive)} {problem}")
        for key in useless:
            if key in self.model_fields_set:
                shown = "from" if key == "from_names" else key
                what = "made of others" if template.columns else "the same in every row"
                message = f"{shown!r} says nothing of a column that is {what}"
                yield Problem((shown,), "derive", message, at_key=True)

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


class ExplodeSpec(Model):
    """The table that has a row for each element of a column's arrays."""

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
        yield from derive_problems(explode.columns)
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


def derive_problems(columns: Mapping[str, PlainColumnSpec]) -> Iterator[Problem]:
    """What is wrong with the columns that others are made of."""
    for name, column in columns.items():
        for part in _parts(column):
            path = ("columns", name, "derive")
            found = columns.get(part)
            if found is None:
                hint = did_you_mean(part, [*columns]) or f"columns: {', '.join(columns)}"
                yield Problem(path, "unknown_column", f"there is no column {part!r}", hint)
            elif found.derive is not None:
                message = f"{part!r} is itself derived"
                yield Problem(path, "derive", message, "name the columns that it is made of")
            elif found.type.name not in TAKEN:
                message = f"{part!r} is {found.type}, of which a text is no matter of course"
                yield Problem(path, "type", message, f"it may be {', '.join(TAKEN)}")


def _parts(column: PlainColumnSpec) -> tuple[str, ...]:
    try:
        return () if column.derive is None else read_template(column.derive).columns
    except BadValue:
        return ()


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
