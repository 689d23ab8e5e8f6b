"""Jinja, guarded: one environment per dialect, which lets through only what its filters spelled."""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    TemplateNotFound,
    Undefined,
    nodes,
)
from jinja2.exceptions import TemplateSyntaxError

from etlgen.pycode import Code
from etlgen.render.spelling import Dialect, SpellingError, dialect_of

# Output of these never meets `finalize`, or hides where a value goes.
_FORBIDDEN: Mapping[type[nodes.Node], str] = {
    nodes.Macro: "macro",
    nodes.CallBlock: "call",
    nodes.FilterBlock: "filter block",
    nodes.AssignBlock: "set block",
    nodes.Import: "import",
    nodes.FromImport: "import",
    nodes.ScopedEvalContextModifier: "autoescape",
}


def environment(
    dialect: Dialect,
    roots: Sequence[Path],
    filters: Mapping[str, Callable[..., str]],
    shown: Callable[[object], str],
) -> Environment:
    """An environment for one dialect; `shown` decides what `{{ … }}` prints."""
    made = _Guarded(
        loader=_DialectLoader(dialect, roots),
        undefined=StrictUndefined,
        finalize=shown,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.globals.clear()
    made.filters = {"length": len, **filters}
    return made


def marked(dialect: Dialect) -> dict[str, Callable[..., str]]:
    """The dialect's filters, each giving text that carries the dialect's mark."""
    return {name: _marking(dialect, spell) for name, spell in dialect.filters.items()}


def guard(dialect: Dialect) -> Callable[[object], str]:
    """What may be printed: text with the dialect's mark, and in Python ready-made `Code`."""

    def shown(value: object) -> str:
        if isinstance(value, Code):
            value = value.text
        if isinstance(value, dialect.mark):
            return str(value)
        if isinstance(value, Undefined):
            return str(value)  # StrictUndefined raises, naming the variable
        names = ", ".join(dialect.filters)
        raise SpellingError(f"a bare {type(value).__name__} is printed; use a filter: {names}")

    return shown


def _marking(dialect: Dialect, spell: Callable[..., str]) -> Callable[..., str]:
    @wraps(spell)
    def marking(value: Any, *args: Any, **kwargs: Any) -> str:
        if isinstance(value, Undefined):
            str(value)  # StrictUndefined raises, naming the variable
        return dialect.mark(spell(value, *args, **kwargs))

    return marking


class _Guarded(Environment):
    """Refuses at load what Jinja would notice late or not at all."""

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        parsed = super()._parse(source, name, filename)
        for kind, word in _FORBIDDEN.items():
            for node in parsed.find_all(kind):
                raise TemplateSyntaxError(f"{word} is not used in templates", node.lineno, name)
        for used in parsed.find_all(nodes.Filter):
            if used.name not in self.filters:  # in a branch, Jinja would only fail when it is taken
                message = f"No filter named {used.name!r} for this kind of file"
                raise TemplateSyntaxError(message, used.lineno, name)
        return parsed


class _DialectLoader(FileSystemLoader):
    """Finds only templates of its dialect, so that an include cannot change the rules."""

    def __init__(self, dialect: Dialect, roots: Sequence[Path]) -> None:
        super().__init__(roots)
        self._dialect = dialect

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        if dialect_of(template) is not self._dialect:
            raise TemplateNotFound(template, f"{template} is another kind of file")
        return super().get_source(environment, template)
