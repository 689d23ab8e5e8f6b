"""What an endpoint is read for, one after the other: the values of the {name}s in its path."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import PlainValidator, WithJsonSchema

from etlgen.names import did_you_mean
from etlgen.pycode import Code, code, spelled
from etlgen.spec.column import ColumnSpec
from etlgen.spec.models import ResourceSpec
from etlgen.spec.problem import Path, Problem, refusal
from etlgen.spec.settings import Setting, as_setting
from etlgen.vocabulary.column import plain_text

PLACEHOLDER = re.compile(r"\{([a-z_][a-z0-9_]*)\}")
_KEYS = ("resource", "column")


@dataclass(frozen=True, slots=True)
class KeysOf:
    """The values of a column that another resource of the source loads."""

    resource: str
    column: str


def _each(value: object) -> tuple[str, ...] | Setting | KeysOf:
    hint = "write [a, b], ${VARIABLE} or {resource: orders, column: order_id}"
    if isinstance(value, dict):
        for key in value:
            if key not in _KEYS:
                known = did_you_mean(str(key), [*_KEYS]) or hint
                raise refusal("unknown_key", f"unknown key {str(key)!r}", known, at=(key,))
        if set(value) != {*_KEYS} or not all(isinstance(one, str) for one in value.values()):
            raise refusal("each", "the values need a resource and a column of it", hint)
        return KeysOf(value["resource"], value["column"])
    if isinstance(value, str) and "${" in value:
        return as_setting(value)
    texts = [plain_text(item) for item in (value if isinstance(value, list) else [value])]
    if None in texts:
        raise refusal("each", "these are not values for a path", hint)
    return tuple(text for text in texts if text is not None)


Each = Annotated[
    tuple[str, ...] | Setting | KeysOf,
    PlainValidator(_each),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": ["string", "number"]},
                {"type": "array", "items": {"type": ["string", "number"]}, "minItems": 1},
                {
                    "type": "object",
                    "properties": {key: {"type": "string"} for key in _KEYS},
                    "required": [*_KEYS],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]


def default_missing(data: dict[str, Any]) -> Literal["skip", "fail"]:
    """A row may be gone from the API by the time that it is asked for; a given value is there."""
    each = data.get("each", {})
    return "skip" if any(isinstance(value, KeysOf) for value in each.values()) else "fail"


def is_in_path(from_names: Sequence[str]) -> bool:
    """Whether a column is a value of the path, and not in the records."""
    return any(map(PLACEHOLDER.fullmatch, from_names))


def each_problems(
    path: str, each: Mapping[str, object], columns: Mapping[str, ColumnSpec]
) -> Iterator[Problem]:
    """What is wrong between the path, the values for it, and the columns that they become."""
    wanted = PLACEHOLDER.findall(path)
    for name in wanted:
        if name not in each:
            message = f"{{{name}}} in the path has no values"
            yield Problem(("path",), "each", message, f"add 'each: {{{name}: [...]}}'")
    for name, values in each.items():
        if name not in wanted:
            message = f"the path has no {{{name}}}"
            yield Problem(("each", name), "each", message, at_key=True)
        elif values == ():
            yield Problem(("each", name), "each", "a list of values cannot be empty")
        elif isinstance(values, KeysOf) and not _is_column(name, columns):
            message = f"no column has the value of {{{name}}}, which says whose a row is"
            hint = f"add a column with from: '{{{name}}}'"
            yield Problem(("each", name), "each", message, hint, at_key=True)
    for name, column in columns.items():
        if not is_in_path(column.from_names):
            continue
        place = ("columns", name, "from")
        if len(column.from_names) > 1:
            yield Problem(place, "each", "a value in the path has one name")
        elif column.from_names[0][1:-1] not in wanted:
            known = ", ".join(f"{{{one}}}" for one in wanted) or "none"
            message = f"the path has no {column.from_names[0]}"
            yield Problem(place, "each", message, f"values in the path: {known}")


def parent_problems(
    path: Path, name: str, parent: KeysOf, resources: Mapping[str, ResourceSpec]
) -> Iterator[Problem]:
    """What is wrong with the other resource that `each` names."""
    found = resources.get(parent.resource)
    if found is None or parent.resource == name:
        others = [other for other in resources if other != name]
        message = f"there is no other resource {parent.resource!r} in this source"
        hint = did_you_mean(parent.resource, others) or f"resources: {', '.join(others) or 'none'}"
        yield Problem((*path, "resource"), "unknown_resource", message, hint)
    elif parent.column not in found.columns:
        message = f"{parent.resource} has no column {parent.column!r}"
        known = [*found.columns]
        hint = did_you_mean(parent.column, known) or f"columns: {', '.join(known)}"
        yield Problem((*path, "column"), "unknown_column", message, hint)


def keys_code(each: Mapping[str, object], resources: Mapping[str, ResourceSpec]) -> Code | None:
    """`{"order": KeysOf("orders", "order_id")}`; None where nothing is in the path."""
    if not each:
        return None
    return spelled({name: _keys(values, resources) for name, values in each.items()})


def _keys(values: object, resources: Mapping[str, ResourceSpec]) -> Code:
    if isinstance(values, KeysOf):
        table = resources[values.resource].table
        imports = ["runtime.keys:KeysOf"]
        return code("KeysOf({table}, {column})", imports=imports, table=table, column=values.column)
    if isinstance(values, Setting):
        default = "" if values.default is None else ", {default}"
        return code(
            f"Listed(environment, {{name}}{default})",
            imports=["runtime.keys:Listed", "settings:environment"],
            name=values.env,
            default=values.default,
        )
    assert isinstance(values, tuple)
    return code("Given({values})", imports=["runtime.keys:Given"], values=list(values))


def _is_column(name: str, columns: Mapping[str, ColumnSpec]) -> bool:
    return any(f"{{{name}}}" in column.from_names for column in columns.values())
