"""A raw cell as a JSON document would hold it."""

from __future__ import annotations

import json
import re

from etlgen.vocabulary.column import Column

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
