"""A plan's values through the templates, to files that are still only text."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from jinja2 import Environment, Template, TemplateNotFound
from jinja2.exceptions import TemplateSyntaxError

from etlgen.errors import EtlgenError, Finding, InternalError
from etlgen.render.environment import environment, guard, marked
from etlgen.render.paths import output_path
from etlgen.render.spelling import Dialect, dialect_of
from etlgen.rendered import RenderedFile

__all__ = ["Renderer", "output_path"]


class Renderer:
    """Renders templates found under `roots`, the first that has one.

    A template is named by its path there, such as `project/pyproject.toml.jinja`.
    """

    def __init__(self, roots: Sequence[Path]) -> None:
        self._roots = tuple(roots)
        self._environments: dict[Dialect, Environment] = {}

    def render(
        self,
        template: str,
        path: str,
        context: object,
        unit: str,
        *,
        resource: str | None = None,
    ) -> RenderedFile:
        """The file that `template` makes of `context`, a mapping or a dataclass."""
        text = self.text(template, context)
        return RenderedFile(path, text, unit, template, resource)

    def copy(self, template: str, path: str, unit: str) -> RenderedFile:
        """A file that does not vary: the same bytes, wherever it goes."""
        for root in self._roots:
            if (root / template).is_file():
                text = (root / template).read_bytes().decode("utf-8")
                return RenderedFile(path, text, unit, template, verbatim=True)
        raise InternalError(Finding(template, None, None, "no-template", "there is no such file"))

    def text(self, template: str, context: object) -> str:
        with self._blaming(template):
            return self._loaded(template).render(_variables(context))

    def check(self, template: str) -> None:
        """Loads the template without rendering it: a filter of another dialect does not load."""
        with self._blaming(template):
            self._loaded(template)

    def templates(self) -> list[str]:
        """All Jinja templates under the roots."""
        found = {
            path.relative_to(root).as_posix()
            for root in self._roots
            for path in root.rglob("*.jinja")
        }
        return sorted(found)

    def _loaded(self, template: str) -> Template:
        dialect = dialect_of(template)
        if dialect not in self._environments:
            self._environments[dialect] = self._made(dialect)
        return self._environments[dialect].get_template(template)

    def _made(self, dialect: Dialect) -> Environment:
        return environment(dialect, self._roots, marked(dialect), guard(dialect))

    @contextmanager
    def _blaming(self, template: str) -> Iterator[None]:
        """Whatever goes wrong is a fault of a template, at a line of it."""
        try:
            yield
        except EtlgenError:
            raise
        except TemplateNotFound as error:
            message = error.message or "there is no such template"
            raise _fault(str(error.name or template), None, "no-template", message) from error
        except TemplateSyntaxError as error:
            message = error.message or "not a template"
            raise _fault(error.name or template, error.lineno, "bad-template", message) from error
        except Exception as error:
            name, line = self._place(error.__traceback__, template)
            raise _fault(name, line, "bad-render", str(error)) from error

    def _place(self, trace: TracebackType | None, template: str) -> tuple[str, int | None]:
        """The innermost template line of a traceback, which Jinja rewrites to name templates."""
        place: tuple[str, int | None] = (template, None)
        while trace is not None:
            name = Path(trace.tb_frame.f_code.co_filename)
            for root in self._roots:
                if name.suffix == ".jinja" and name.is_relative_to(root):
                    place = (name.relative_to(root).as_posix(), trace.tb_lineno)
            trace = trace.tb_next
        return place


def _variables(context: object) -> dict[str, Any]:
    if isinstance(context, Mapping):
        return dict(context)
    if is_dataclass(context):
        return {field.name: getattr(context, field.name) for field in fields(context)}
    raise TypeError(f"a context is a mapping or a dataclass, not {type(context).__name__}")


def _fault(template: str, line: int | None, code: str, message: str) -> InternalError:
    return InternalError(Finding(template, line, None, code, message))
