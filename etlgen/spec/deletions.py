"""What a spec says of rows that are deleted at the source."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, PlainValidator, WithJsonSchema

from etlgen.names import did_you_mean, shown
from etlgen.spec.column import ColumnSpec
from etlgen.spec.fields import Flag, Text
from etlgen.spec.problem import Problem, refusal
from etlgen.spec.strict import Model

Mode = Literal["hard", "soft"]
# Of these a value says that a row is deleted: true, or since when.
FLAGS = ("boolean", "date", "timestamp", "timestamptz")
SHARE = r"\d{1,2}(\.\d{1,3})?%|100%"


def _most(value: object) -> int | Decimal:
    """Rows, or a share of the table."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10**12:
        return value
    if isinstance(value, str) and re.fullmatch(SHARE, value, re.ASCII):
        return Decimal(value.removesuffix("%")) / 100
    hint = "write a number of rows such as 500, or a share of the table such as 5%"
    raise refusal("max_delete", f"{shown(str(value))} is not a number of rows or a share", hint)


MaxDelete = Annotated[
    int | Decimal,
    PlainValidator(_most),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0},
                {"type": "string", "pattern": f"^({SHARE})$"},
            ]
        }
    ),
]


class Deleted(Model):
    """A column of the source that says which rows are deleted there."""

    field: Text = Field(
        examples=["deleted_at"], description="A row is deleted where it is neither NULL nor false."
    )
    mode: Mode = Field("hard", description="soft: the row stays, marked in _deleted_at.")


class DeleteMissing(Model):
    """Rows that were not read are deleted, every run reading all there is."""

    max_delete: MaxDelete = Field(
        examples=["5%"],
        description="How many may go at once, as rows or as a share; more end the run.",
    )
    mode: Mode = Field("hard", description="soft: the row stays, marked in _deleted_at.")
    allow_empty: Flag = Field(False, description="Whether a read without any row deletes.")


def _tells(column: ColumnSpec) -> bool:
    """Whether there is a difference between a row that is there and one that is not."""
    kind = column.type.name
    return kind == "boolean" or (kind in FLAGS and column.nullable is not False)


def deletion_problems(
    deleted: Deleted | None,
    missing: DeleteMissing | None,
    columns: Mapping[str, ColumnSpec],
    *,
    is_merge: bool,
    has_cursor: bool,
) -> Iterator[Problem]:
    """What is wrong between these and the rest of the resource."""
    said = {"deleted": deleted, "delete_missing": missing}
    for key, value in said.items():
        if value is not None and not is_merge:
            message = f"{key} is for merge: there a row is known by its primary_key"
            yield Problem((key,), "disposition", message, at_key=True)
    if deleted is not None and deleted.field not in columns:
        hint = did_you_mean(deleted.field, list(columns))
        message = f"there is no column {deleted.field!r}"
        yield Problem(("deleted", "field"), "unknown_column", message, hint)
    elif deleted is not None and not _tells(columns[deleted.field]):
        column = columns[deleted.field]
        message = f"{deleted.field!r} is {column.type}, which does not tell what is deleted"
        if column.type.name in FLAGS:
            message = f"{deleted.field!r} is never NULL, so every row would be deleted"
        hint = "it takes a boolean, or a date or timestamp that is NULL until a row is deleted"
        yield Problem(("deleted", "field"), "type", message, hint)
    if missing is not None and has_cursor:
        message = "with a cursor a run reads only what is new, so it cannot tell what is missing"
        hint = "take the cursor out, or say with 'deleted' which column tells"
        yield Problem(("delete_missing",), "cursor", message, hint, at_key=True)
    if deleted is not None and missing is not None and deleted.mode != missing.mode:
        message = f"a table keeps deleted rows or does not; 'deleted' is {deleted.mode}"
        yield Problem(("delete_missing", "mode"), "mode", message)
