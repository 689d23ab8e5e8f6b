"""Cleaning operations: on the text of a cell, before it is converted.

Those on a number, once it is one, are in `adjust.py`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from etlgen.pycode import Code, code, raw_literal
from etlgen.vocabulary.adjust import SCHEMAS
from etlgen.vocabulary.column import BadValue, Clean, plain_text
from etlgen.vocabulary.regex import escaped, extracted, replaced, with_named_group

_PLAIN = {"type": ["string", "number"]}
PRIVATE = ("hash", "mask")  # what is cleaned so is told nowhere
SAMPLE_KEY = "a key for made-up rows"  # of the tests of generated projects
_TRAILING_MINUS = r"^\s*([^+-].*?)\s*-\s*$"


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
    if isinstance(name, str) and name in SCHEMAS:
        if not pair:
            raise BadValue(f"{name} needs an argument")
        return Clean(name, argument)  # read when the column's type is known
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


def _read_affixes(raw: object) -> tuple[str, ...]:
    affixes = [plain_text(affix) for affix in raw] if isinstance(raw, list) else []
    if not affixes or not all(affix and affix.strip() for affix in affixes):
        raise BadValue("strip_affixes needs a list of texts, such as ['€', EUR]")
    return tuple(affix.strip() for affix in affixes if affix)


def _affix_pattern(affixes: Iterable[str]) -> str:
    """The longest first: of EUR and EUR/kg the second must not leave /kg behind."""
    words = [escaped(affix) for affix in sorted(affixes, key=len, reverse=True)]
    any_of_them = words[0] if len(words) == 1 else f"(?:{'|'.join(words)})"
    return rf"^\s*{any_of_them}\s*|\s*{any_of_them}\s*$"


def _read_group(raw: object) -> str:
    if not isinstance(raw, str) or not raw:
        raise BadValue("extract needs a regex with one group, such as 'No ([0-9]+)'")
    try:
        return with_named_group(raw)
    except BadValue as problem:
        raise BadValue(f"extract {problem}") from None


def _replacing(pattern: str, replacement: str) -> Callable[[Code, Any], Code]:
    return lambda x, _: code(
        "{x}.str.replace({pattern}, {replacement}, regex=True)",
        x=x,
        pattern=raw_literal(pattern),
        replacement=raw_literal(replacement),
    )


def _hashed(text: str) -> str:
    return hmac.new(SAMPLE_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()


def _read_mask(raw: object) -> str | int:
    if raw in ("all", "email"):
        return str(raw)
    if isinstance(raw, Mapping) and set(raw) == {"keep_last"}:
        kept = raw["keep_last"]
        if isinstance(kept, int) and not isinstance(kept, bool) and 1 <= kept <= 20:
            return kept
    raise BadValue("mask is all, email or {keep_last: 4}")


def _mask_pattern(masked: str | int) -> str:
    """What is shown is in the one group; a text as short as that is not shown at all."""
    if isinstance(masked, int):
        return rf"(?s)^(?:.{{{masked},}}(.{{{masked}}})|.*)$"
    return {"all": r"(?s)^(.{0}).*$", "email": r"(?s)^(?:.*(@[^@]*)|.*)$"}[masked]


def _read_pairs(raw: object) -> tuple[tuple[str, str], ...]:
    pairs = [(str(k), plain_text(v)) for k, v in raw.items()] if isinstance(raw, Mapping) else []
    found = tuple((old, new) for old, new in pairs if new is not None)
    if not found or len(found) < len(pairs):
        raise BadValue("replace needs a mapping of texts, such as {old: new}")
    return found


_ROWS: tuple[Operation, ...] = (
    Operation("strip", _method("{x}.str.strip()"), lambda text, _: text.strip()),
    Operation(
        "collapse_spaces",
        _replacing(r"\s+", " "),
        lambda text, _: replaced(r"\s+", " ", text),
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
    Operation(
        "extract",
        lambda x, pattern: code(
            "extract_text({x}, {pattern})",
            imports=["runtime.clean:extract_text"],
            x=x,
            pattern=raw_literal(pattern),
        ),
        lambda text, pattern: extracted(pattern, text),
        _read_group,
        {"type": "string", "minLength": 1},
    ),
    Operation(
        "strip_affixes",
        lambda x, affixes: _replacing(_affix_pattern(affixes), "")(x, None),
        lambda text, affixes: replaced(_affix_pattern(affixes), "", text),
        _read_affixes,
        {"type": "array", "items": _PLAIN, "minItems": 1},
    ),
    Operation(
        "trailing_minus",
        _replacing(_TRAILING_MINUS, r"-\1"),
        lambda text, _: replaced(_TRAILING_MINUS, r"-\1", text),
    ),
    Operation(
        "hash",
        lambda x, _: code(
            "hash_text({x}, hash_key())",
            imports=["runtime.clean:hash_text", "settings:hash_key"],
            x=x,
        ),
        lambda text, _: _hashed(text),
    ),
    Operation(
        "mask",
        lambda x, masked: _replacing(_mask_pattern(masked), r"****\1")(x, None),
        lambda text, masked: replaced(_mask_pattern(masked), r"****\1", text),
        _read_mask,
        {
            "anyOf": [
                {"enum": ["all", "email"]},
                {
                    "type": "object",
                    "properties": {"keep_last": {"type": "integer", "minimum": 1, "maximum": 20}},
                    "required": ["keep_last"],
                    "additionalProperties": False,
                },
            ]
        },
    ),
)

OPERATIONS = {row.name: row for row in _ROWS}
