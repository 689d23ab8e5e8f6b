"""What a spec says of the column that loads advance on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import Field

from etlgen.names import shown
from etlgen.spec.column import ColumnSpec
from etlgen.spec.fields import Duration, Lookback, Text
from etlgen.spec.problem import Problem
from etlgen.spec.strict import Model, no_column
from etlgen.vocabulary.column import BadValue, plain_text
from etlgen.vocabulary.types import TYPES, read


class Cursor(Model):
    """The column that incremental loads advance on."""

    field: Text = Field(examples=["updated_at"])
    initial_value: Any = Field(None, description="Where the first load begins; default: all.")
    lookback: Lookback | None = Field(
        None, description="How far behind the last value to read again: 5m, or a number."
    )
    delay: Duration | None = Field(
        None, description="How old a row must be, where the source commits late."
    )
    window: Literal["cursor", "interval"] = Field(
        "cursor",
        description="What scheduled runs go on from: the last value, or the schedule's interval.",
    )


def cursor_problems(
    cursor: Cursor, columns: Mapping[str, ColumnSpec], *, is_append: bool, has_key: bool
) -> Iterator[Problem]:
    """What does not fit the column, or the way that rows are written."""
    column = columns.get(cursor.field)
    path = ("cursor", "field")
    if column is None:
        yield Problem(path, "unknown_column", *no_column(cursor.field, columns))
    elif column.derive is not None:
        message = f"{cursor.field!r} is derived: no source can be asked for it"
        yield Problem(path, "type", message)
    elif not TYPES[column.type.name].is_ordered or column.type.name == "time":
        message = f"{cursor.field!r} is {column.type}, which does not advance"
        yield Problem(path, "type", message, "a cursor is a number, a date or a timestamp")
    else:
        yield from _advance_problems(cursor, column, is_append=is_append, has_key=has_key)


def _advance_problems(
    cursor: Cursor, column: ColumnSpec, *, is_append: bool, has_key: bool
) -> Iterator[Problem]:
    type = column.type
    is_timed = type.name in ("date", "timestamp", "timestamptz")
    if cursor.initial_value is not None and initial_value(cursor, column) is None:
        message = f"{shown(str(cursor.initial_value))} is not a value of {type}"
        yield Problem(("cursor", "initial_value"), "type", message)
    if cursor.lookback is not None and isinstance(cursor.lookback, int) == is_timed:
        wanted = "a duration such as 5m" if is_timed else "a number"
        message = f"{cursor.field!r} is {type}: a lookback of it is {wanted}"
        yield Problem(("cursor", "lookback"), "type", message)
    if cursor.lookback and is_append and not has_key:
        message = "what is read again would be appended again"
        hint = "add 'primary_key: [...]'"
        yield Problem(("cursor", "lookback"), "append_without_key", message, hint)
    if not is_timed:
        for key in ("delay", "window"):
            if key in cursor.model_fields_set:
                message = f"{cursor.field!r} is {type}, which says nothing of time"
                yield Problem(("cursor", key), "type", message)


def initial_value(cursor: Cursor, column: ColumnSpec) -> Any:
    """Where the first load begins, as a value of the column's type; None for all there is."""
    text = plain_text(cursor.initial_value)
    try:
        return None if text is None else read(text, column.type)
    except BadValue:
        return None
