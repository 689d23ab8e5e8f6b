"""All files of a project: what varies is rendered, what does not is copied."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import fields
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

from etlgen.plan import ProjectPlan, SourcePlan
from etlgen.render import Renderer
from etlgen.render.paths import output_path
from etlgen.rendered import PROJECT_UNIT, RUNTIME_UNIT, RenderedFile, kind_unit
from etlgen.templates import templates_root

# Copied into every project; a kind of source brings further modules.
CORE_RUNTIME = (
    "__init__.py",
    "attempts.py",
    "audit.py",
    "children.py",
    "clean.py",
    "columns.py",
    "commands.py",
    "conform.py",
    "connect.py",
    "convert.py",
    "cursors.py",
    "deletions.py",
    "embedded.py",
    "environment.py",
    "errors.py",
    "json_cells.py",
    "keys.py",
    "lease.py",
    "ledger.py",
    "loading.py",
    "logs.py",
    "merge.py",
    "order.py",
    "problems.py",
    "publish.py",
    "resource.py",
    "screen.py",
    "stage.py",
    "table_checks.py",
    "target.py",
    "testing.py",
    "write.py",
)


def render_project(plan: ProjectPlan, units: Collection[str] | None = None) -> list[RenderedFile]:
    """Every file of the project or of some of its units, in the order of their paths."""
    root = templates_root()
    files: list[RenderedFile] = []
    for unit, render in _units(plan, root).items():
        if units is None or unit in units:
            files += render()
    return sorted(files, key=lambda file: file.path)


def _units(plan: ProjectPlan, root: Path) -> dict[str, Callable[[], Iterable[RenderedFile]]]:
    """How each unit of the plan is rendered."""

    def runtime(unit: str, modules: Iterable[Path]) -> Callable[[], Iterable[RenderedFile]]:
        return lambda: [_runtime(root / module, plan, unit) for module in modules]

    def source(planned: SourcePlan) -> Callable[[], Iterable[RenderedFile]]:
        folders = (root / "source", root / planned.templates)
        return lambda: chain.from_iterable(_source_files(one, plan, planned) for one in folders)

    kinds = {planned.kind: planned.runtime for planned in plan.sources}
    return {
        PROJECT_UNIT: lambda: _rendered(root / "project", plan, PROJECT_UNIT, _shared(plan), {}),
        RUNTIME_UNIT: runtime(RUNTIME_UNIT, (Path("runtime") / name for name in CORE_RUNTIME)),
        **{kind_unit(kind): runtime(kind_unit(kind), modules) for kind, modules in kinds.items()},
        **{planned.unit: source(planned) for planned in plan.sources},
    }


def _runtime(module: Path, plan: ProjectPlan, unit: str) -> RenderedFile:
    renderer = Renderer([module.parent.parent])
    template = f"{module.parent.name}/{module.name}"
    return renderer.copy(template, f"src/{plan.package}/runtime/{module.name}", unit)


def _source_files(folder: Path, plan: ProjectPlan, source: SourcePlan) -> Iterator[RenderedFile]:
    """What a folder of templates makes of a source: a `__resource__` file for each resource."""
    context = {**_shared(plan), "source": source}
    names = {"source": source.package, "dag": source.dag}
    yield from _rendered(folder, plan, source.unit, context, names)
    for resource in source.resources:
        yield from _rendered(
            folder,
            plan,
            source.unit,
            {**context, "resource": resource},
            {**names, "resource": resource.module},
            resource=resource.module,
        )


def _rendered(
    folder: Path,
    plan: ProjectPlan,
    unit: str,
    context: Mapping[str, Any],
    names: Mapping[str, str],
    resource: str | None = None,
) -> Iterator[RenderedFile]:
    """The files of a folder of templates: with a resource those that are named after one."""
    renderer = _renderer(folder.parent)
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).as_posix()
        if not path.is_file() or "__pycache__" in inside:
            continue
        if ("__resource__" in inside) != (resource is not None):
            continue
        target = output_path(inside, {"package": plan.package, **names})
        template = f"{folder.name}/{inside}"
        if path.suffix == ".jinja":
            yield renderer.render(template, target, context, unit, resource=resource)
        else:
            yield renderer.copy(template, target, unit)


@cache  # it knows its templates compiled, which costs more than to render them
def _renderer(folder: Path) -> Renderer:
    return Renderer([folder, templates_root()])


def _shared(plan: ProjectPlan) -> dict[str, Any]:
    """What every template sees: the project without its sources, which no shared file may list."""
    return {
        field.name: getattr(plan, field.name) for field in fields(plan) if field.name != "sources"
    }
