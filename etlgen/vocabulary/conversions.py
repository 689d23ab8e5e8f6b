"""Calls of the runtime's `to_…` functions, for columns that are not written canonically."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from etlgen.pycode import Code, code
from etlgen.vocabulary.column import ColumnType, Notation
from etlgen.vocabulary.notation import BITS, boolean_words


def _call(function: str, x: Code, **options: Any) -> Code:
    """A conversion of the runtime; the marker becomes an import when the package is known."""
    parts = [code(f"{name}={{value}}", value=value) for name, value in options.items()]
    names = {f"option{i}": part for i, part in enumerate(parts)}
    rest = "".join(f", {{{name}}}" for name in names)
    marker = f"runtime.convert:{function}"
    return code(f"{function}({{x}}, problems{rest})", imports=[marker], x=x, **names)


def _marks(notation: Notation) -> dict[str, object]:
    marks: dict[str, object] = {}
    if notation.decimal_mark != ".":
        marks["decimal_mark"] = notation.decimal_mark
    if notation.thousands_mark:
        marks["thousands_mark"] = notation.thousands_mark
    return marks


def _one_or_more(texts: tuple[str, ...]) -> str | tuple[str, ...]:
    return texts[0] if len(texts) == 1 else texts


def convert_boolean(x: Code, type: ColumnType, notation: Notation) -> Code | None:
    if not notation.format:
        return None
    true, false = boolean_words(notation.formats)
    return _call("to_boolean", x, true=_one_or_more(true), false=_one_or_more(false))


def convert_integer(x: Code, type: ColumnType, notation: Notation) -> Code | None:
    if not notation.thousands_mark:
        return None
    size: dict[str, object] = {} if type.name == "bigint" else {"bits": BITS[type.name]}
    return _call("to_integer", x, **size, thousands_mark=notation.thousands_mark)


def convert_numeric(x: Code, type: ColumnType, notation: Notation) -> Code | None:
    rounding = {} if notation.round_to is None else {"round_to": notation.round_to}
    if notation.is_typed:
        return code("{x}.round({n})", x=x, n=notation.round_to) if rounding else None
    if not notation.has_marks and not rounding:
        return None
    options: dict[str, object] = {
        "precision": type.precision,
        "scale": type.scale,
        **rounding,
        **_marks(notation),
    }
    return _call("to_decimal", x, **options)


def convert_double(x: Code, type: ColumnType, notation: Notation) -> Code | None:
    return _call("to_double", x, **_marks(notation)) if notation.has_marks else None


def convert_moment(function: str) -> Callable[[Code, ColumnType, Notation], Code | None]:
    def convert(x: Code, type: ColumnType, notation: Notation) -> Code | None:
        options: dict[str, object] = {}
        if notation.format:
            options["format"] = _one_or_more(notation.formats)
        if notation.timezone:
            options["timezone"] = notation.timezone
        elif type.name == "timestamptz" and notation.format:
            options["timezone"] = "UTC"  # the format has %z; a timezone is what asks for instants
        return _call(function, x, **options) if options else None

    return convert


def convert_bytes(x: Code, type: ColumnType, notation: Notation) -> Code | None:
    if notation.format in (None, "hex"):
        return None
    return _call("to_bytes", x, format=notation.format)
