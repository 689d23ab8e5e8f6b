"""Columns that are made of others: a template of their names, or a constant."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from etlgen.pycode import Code, code
from etlgen.vocabulary.column import BadValue, Column, Notation

TAKEN = ("text", "smallint", "integer", "bigint", "numeric", "date")  # types of the parts
_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]+)\}|[{}]|[^{}]+")


@dataclass(frozen=True, slots=True)
class Template:
    """Texts and, as one-tuples, names of columns."""

    parts: tuple[str | tuple[str], ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it is made of; none where it is a constant."""
        names = (part[0] for part in self.parts if isinstance(part, tuple))
        return tuple(dict.fromkeys(names))

    def filled(self, text_of: Callable[[str], str | None]) -> str | None:
        """The text; None where one of the columns has none."""
        texts = [text_of(part[0]) if isinstance(part, tuple) else part for part in self.parts]
        known = [text for text in texts if text is not None]
        return "".join(known) if len(known) == len(texts) else None


def read_template(text: str) -> Template:
    """`{first_name} {last_name}`, with `{{` and `}}` for braces; BadValue says what is wrong."""
    parts: list[str | tuple[str]] = []
    for token in _TOKEN.finditer(text):
        if token[1]:
            parts.append((token[1],))
            continue
        if token[0] in "{}":
            raise BadValue(f"has a single {token[0]!r}: names stand in {{ }}, a brace is doubled")
        plain = token[0][0] if token[0] in ("{{", "}}") else token[0]
        if parts and isinstance(parts[-1], str):
            parts[-1] += plain
        else:
            parts.append(plain)
    if not parts:
        raise BadValue("is empty")
    return Template(tuple(parts))


def derived(template: Template, is_text: Callable[[str], bool]) -> Code:
    """`rows["first_name"] + " " + rows["last_name"]`; a text where it is a constant."""
    terms = []
    for part in template.parts:
        if isinstance(part, str):
            terms.append(code("{text}", text=part))
        elif is_text(part[0]):
            terms.append(code("rows[{name}]", name=part[0]))
        else:
            imports = ["runtime.clean:as_text"]
            terms.append(code("as_text(rows[{name}])", imports=imports, name=part[0]))
    names: dict[str, Any] = {f"term{number}": term for number, term in enumerate(terms)}
    return code(" + ".join(f"{{{name}}}" for name in names), imports=(), **names)


def with_parts(columns: Iterable[Column]) -> tuple[Column, ...]:
    """The columns with what follows for derived ones, which come last, and their parts.

    What is made of private values is private; the parts of a key tell rows apart; a constant is
    written as the spec writes values, not as the source does.
    """
    known = {column.name: column for column in columns}
    for column in list(known.values()):
        if column.derive is None:
            continue
        parts = [known[name] for name in column.derive.columns if name in known]
        known[column.name] = replace(
            column,
            is_private=column.is_private or any(part.is_private for part in parts),
            notation=column.notation if parts else Notation(),
        )
        if column.in_key or column.tells_apart:
            for part in parts:
                known[part.name] = replace(part, tells_apart=True)
    return tuple(sorted(known.values(), key=lambda column: column.derive is not None))


def in_source(columns: Iterable[Column]) -> list[Column]:
    """Those that are read, not derived."""
    return [column for column in columns if column.derive is None]
