"""Cleaning operations: on the text of a cell, before it is converted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from etlgen.pycode import Code, code
from etlgen.vocabulary.column import BadValue, Clean, plain_text

_PLAIN = {"type": ["string", "number"]}


@dataclass(frozen=True, slots=True)
class Operation:
    """One cleaning operation; `schema` is None where it takes no argument."""

    name: str
    expression: Callable[[Code, Any], Code]
    apply: Callable[[str, Any], str | None]  # what the expression does, to one text
    read: Callable[[object], Any] | None = None
    schema: Mapping[str, object] | None = None


def read_clean(raw: object) -> Clean:
    """`strip` or `{null_if: [n/a]}` from a spec; BadValue says what is wrong."""
    pair = raw if isinstance(raw, Mapping) and len(raw) == 1 else None
    name, argument = next(iter(pair.items())) if pair else (raw, None)
    operation = OPERATIONS.get(name) if isinstance(name, str) else None
    if operation is None:
        raise BadValue("is not a cleaning operation")
    if operation.read is None:
        if pair:
            raise BadValue(f"{name} takes no argument")
        return Clean(operation.name)
    if not pair:
        raise BadValue(f"{name} needs an argument")
    return Clean(operation.name, operation.read(argument))


def cleaned(x: Code, steps: Iterable[Clean]) -> Code:
    """The pandas expression of all steps, in order."""
    for step in steps:
        x = OPERATIONS[step.operation].expression(x, step.argument)
    return x


def clean_text(text: str, steps: Iterable[Clean]) -> str | None:
    """What the expression makes of one text."""
    result: str | None = text
    for step in steps:
        if result is not None:
            result = OPERATIONS[step.operation].apply(result, step.argument)
    return result


def _method(template: str) -> Callable[[Code, Any], Code]:
    return lambda x, argument: code(template, x=x)


def _read_words(raw: object) -> tuple[str, ...]:
    words = [plain_text(word) for word in raw] if isinstance(raw, list) else []
    if not words or None in words:
        raise BadValue("null_if needs a list of texts, such as [n/a, '-']")
    return tuple(word for word in words if word is not None)


def _read_pairs(raw: object) -> tuple[tuple[str, str], ...]:
    pairs = [(str(k), plain_text(v)) for k, v in raw.items()] if isinstance(raw, Mapping) else []
    found = tuple((old, new) for old, new in pairs if new is not None)
    if not found or len(found) < len(pairs):
        raise BadValue("replace needs a mapping of texts, such as {old: new}")
    return found


_ROWS = (
    Operation("strip", _method("{x}.str.strip()"), lambda text, _: text.strip()),
    Operation(
        "collapse_spaces",
        lambda x, _: code('{x}.str.replace(r"\\s+", " ", regex=True)', x=x),
        lambda text, _: re.sub(r"[\t\n\f\r ]+", " ", text),  # \s as RE2 has it
    ),
    Operation("lower", _method("{x}.str.lower()"), lambda text, _: text.lower()),
    Operation("upper", _method("{x}.str.upper()"), lambda text, _: text.upper()),
    Operation(
        "null_if",
        lambda x, words: code("{x}.mask(lambda text: text.isin({words}))", x=x, words=list(words)),
        lambda text, words: None if text in words else text,
        _read_words,
        {"type": "array", "items": _PLAIN, "minItems": 1},
    ),
    Operation(
        "replace",
        lambda x, pairs: code("{x}.replace({pairs})", x=x, pairs=dict(pairs)),
        lambda text, pairs: dict(pairs).get(text, text),
        _read_pairs,
        {"type": "object", "additionalProperties": _PLAIN, "minProperties": 1},
    ),
)

OPERATIONS = {row.name: row for row in _ROWS}
