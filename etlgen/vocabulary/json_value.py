"""Raw cells and rows as a JSON document would hold them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from etlgen.vocabulary.column import Column
from etlgen.vocabulary.derive import in_source

NUMBERS = ("smallint", "integer", "bigint", "numeric", "double")
JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def json_value(column: Column, cell: str | None) -> str:
    """Bare where JSON has the type and takes the text, a string otherwise."""
    if cell is None:
        return "null"
    kind = column.type.name
    is_number = kind in NUMBERS and JSON_NUMBER.fullmatch(cell)
    is_word = kind == "boolean" and cell in ("true", "false")
    if is_number or is_word or kind == "jsonb":
        return cell
    return json.dumps(cell, ensure_ascii=False)


def is_json_cell(columns: Sequence[Column], name: str, cell: str | None) -> bool:
    """Whether JSON can hold this cell of a column: a document has to be JSON by itself."""
    column = next(column for column in columns if column.name == name)
    if cell is None or column.type.name != "jsonb":
        return True
    try:
        json.loads(cell)
    except ValueError:
        return False
    return True


def json_object(columns: Sequence[Column], row: Mapping[str, str | None]) -> str:
    """One JSON object, with objects in it where a column is read from inside one."""
    tree: dict[str, Any] = {}
    for column in in_source(columns):
        *parents, last = column.from_names[0].split(".")
        branch = tree
        for name in parents:
            branch = branch.setdefault(name, {})
        branch[last] = json_value(column, row[column.name])
    return _object(tree)


def json_array(elements: Sequence[str]) -> str:
    return f"[{', '.join(elements)}]"


def _object(tree: Mapping[str, Any]) -> str:
    members = (
        f"{json.dumps(key, ensure_ascii=False)}: "
        f"{value if isinstance(value, str) else _object(value)}"
        for key, value in tree.items()
    )
    return "{" + ", ".join(members) + "}"
