"""Does a template put each spelling where it is safe?

`x = {{ v | comment }}` renders: a mark does not know its place. So every template is rendered once
with a telling word in place of each printed value, and each must be found where its filter belongs.
"""

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment

from etlgen.pycode import Code
from etlgen.render import Renderer
from etlgen.render.environment import environment, guard
from etlgen.render.places import Place, allowed, places
from etlgen.render.spelling import Dialect, dialect_of

_NAMING = ("ident", "word")


@dataclass(frozen=True, slots=True)
class Slot:
    """One printed value: its filter (`ready` for code that needs none) and the text it got."""

    spelling: str
    text: str


@dataclass(frozen=True, slots=True)
class Traced:
    """A rendering in which the printed values were replaced."""

    text: str
    slots: tuple[Slot, ...]


def shape(source: str) -> str:
    """The syntax tree of Python source without what its text constants say."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return ast.dump(tree)


def texts(source: str) -> list[str]:
    """All text constants of Python source, in order."""
    found = [
        (node.lineno, node.col_offset, node.value)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    return [text for _, _, text in sorted(found)]


class Linter(Renderer):
    """A renderer that prints sentinels, or one hostile text, and keeps account of it."""

    def __init__(self, roots: Sequence[Path]) -> None:
        super().__init__(roots)
        self._text: str | None = None
        self._slots: list[Slot] = []
        self._spelled: set[str] = set()

    def misplaced(self, template: str, context: object) -> list[str]:
        """What is wrong with a template: spelled values that landed where they are not safe."""
        traced = self.with_sentinels(template, context)
        found = places(dialect_of(template), traced.text)
        placed = [(slot, found.get(slot.text, Place.ELSEWHERE)) for slot in traced.slots]
        return [
            f"{template}: {slot.spelling} must not be {place}"
            for slot, place in placed
            if place not in allowed(slot.spelling)
        ]

    def with_sentinels(self, template: str, context: object) -> Traced:
        """Render with a unique word in place of every printed value."""
        return self._traced(template, context, None)

    def with_text(self, template: str, context: object, text: str) -> Traced:
        """Render with one (hostile) text in place of every value but names and ready code."""
        return self._traced(template, context, text)

    def _traced(self, template: str, context: object, text: str | None) -> Traced:
        self._text, self._slots, self._spelled = text, [], set()
        return Traced(self.text(template, context), tuple(self._slots))

    def _made(self, dialect: Dialect) -> Environment:
        filters = {name: self._tracing(dialect, name) for name in dialect.filters}
        return environment(dialect, self._roots, filters, self._shown(dialect))

    def _tracing(self, dialect: Dialect, name: str) -> Callable[..., str]:
        spell = dialect.filters[name]

        def tracing(value: object, *args: Any, **kwargs: Any) -> str:
            spell(value, *args, **kwargs)  # what cannot be spelled is an error here too
            known = self._text is None or name in _NAMING
            text = self._slot(name, None if known else self._text)
            spelled = spell(text, *args, **kwargs)
            self._spelled.add(spelled)
            return dialect.mark(spelled)

        return tracing

    def _shown(self, dialect: Dialect) -> Callable[[object], str]:
        let_through = guard(dialect)

        def shown(value: object) -> str:
            text = let_through(value)
            ready = isinstance(value, Code) or text not in self._spelled
            return self._slot("ready", None) if ready and self._text is None else text

        return shown

    def _slot(self, spelling: str, text: str | None) -> str:
        text = text if text is not None else f"sentinel_{len(self._slots)}_{spelling}_end"
        self._slots.append(Slot(spelling, text))
        return text
