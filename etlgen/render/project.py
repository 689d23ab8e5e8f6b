"""All files of a project: what varies is rendered, what does not is copied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from etlgen.plan import ProjectPlan, SourcePlan
from etlgen.render import Renderer
from etlgen.render.paths import output_path
from etlgen.rendered import RenderedFile
from etlgen.templates import templates_root

PROJECT_UNIT = "etlgen"
# Copied into every project; a kind of source brings further modules.
CORE_RUNTIME = (
    "__init__.py",
    "attempts.py",
    "audit.py",
    "commands.py",
    "conform.py",
    "connect.py",
    "convert.py",
    "embedded.py",
    "environment.py",
    "errors.py",
    "lease.py",
    "ledger.py",
    "loading.py",
    "logs.py",
    "problems.py",
    "publish.py",
    "resource.py",
    "screen.py",
    "stage.py",
    "target.py",
    "testing.py",
    "write.py",
)


def render_project(plan: ProjectPlan) -> list[RenderedFile]:
    """Every file of the project, in the order of their paths."""
    root = templates_root()
    files = list(_spec_files(plan))
    files += _rendered(root / "project", plan, PROJECT_UNIT, _shared(plan), {})
    files += [_runtime(root / "runtime" / name, plan, PROJECT_UNIT) for name in CORE_RUNTIME]
    for kind, modules in {source.kind: source.runtime for source in plan.sources}.items():
        files += [_runtime(root / module, plan, kind_unit(kind)) for module in modules]
    for source in plan.sources:
        for folder in (root / "source", root / source.templates):
            files += _source_files(folder, plan, source)
    return sorted(files, key=lambda file: file.path)


def kind_unit(kind: str) -> str:
    """The unit of what all sources of a kind share."""
    return f"kinds/{kind}"


def _spec_files(plan: ProjectPlan) -> Iterator[RenderedFile]:
    for path, text in plan.spec_files.items():
        yield RenderedFile(path, text, None, "spec", verbatim=True)


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
            resource=resource.name,
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
    renderer = Renderer([folder.parent, templates_root()])
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


def _shared(plan: ProjectPlan) -> dict[str, Any]:
    """What every template sees: the project without its sources, which no shared file may list."""
    return {
        field.name: getattr(plan, field.name)
        for field in fields(plan)
        if field.name not in ("sources", "spec_files")
    }
