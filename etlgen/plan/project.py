"""The project as a whole: names, paths, and what would collide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date

from etlgen.errors import Finding, SpecError
from etlgen.kinds import Kind
from etlgen.names import env_name, folded, module_name
from etlgen.plan.model import ProjectPlan, SourcePlan, Variables
from etlgen.plan.resource import plan_resource
from etlgen.pycode import literal
from etlgen.spec.models import SourceSpec, Spec
from etlgen.spec.ordering import needs

DEFAULT_START = date(2026, 1, 1)
MODULES_OF_A_SOURCE = ("connection",)


def plan_project(spec: Spec, kinds: Mapping[str, Kind]) -> ProjectPlan:
    """The plan of a valid spec. Raises `SpecError` where two names would be one."""
    collisions = [*_same_packages(spec), *_same_modules(spec), *_same_tables(spec)]
    if collisions:
        raise SpecError(collisions)
    project = spec.project
    return ProjectPlan(
        name=project.name,
        package=project.import_package,
        description=project.description,
        owner=project.owner,
        schema=project.destination.schema_name,
        work_schema=project.work_schema,
        variables=_variables(project.identifier),
        timezone=project.timezone,
        start_date=project.start_date or DEFAULT_START,
        sources=tuple(_source(spec, source, kinds[source.kind]) for source in spec.sources),
    )


def _variables(identifier: str) -> Variables:
    prefix = identifier.upper()
    return Variables(
        database_url=env_name(f"{prefix}_DATABASE_URL"),
        database_password=env_name(f"{prefix}_DATABASE_PASSWORD"),
        log_format=env_name(f"{prefix}_LOG_FORMAT"),
        log_level=env_name(f"{prefix}_LOG_LEVEL"),
        hash_key=env_name(f"{prefix}_HASH_KEY"),
    )


def _source(spec: Spec, source: SourceSpec, kind: Kind) -> SourcePlan:
    project = spec.project
    try:
        planned = kind.plan(source)
    except SpecError as error:
        file = spec.files[source.name]
        raise SpecError(replace(found, file=file) for found in error.findings) from error
    before = {name: [one for _, one in needed] for (_, name), needed in needs([source]).items()}
    return SourcePlan(
        name=source.name,
        kind=kind.name,
        package=module_name(source.name),
        unit=f"sources/{source.name}",
        description=source.description,
        dag=f"{project.identifier}__{module_name(source.name)}",
        schedule=source.schedule or project.schedule,
        tags=literal(list(dict.fromkeys([project.name, *project.tags, *source.tags]))),
        resources=tuple(
            plan_resource(project, source, resource, planned.resources[name], before[name])
            for name, resource in source.resources.items()
        ),
        detail=planned.source,
        templates=kind.templates,
        runtime=kind.runtime,
    )


def _same_packages(spec: Spec) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for source in spec.sources:
        other = seen.setdefault(module_name(source.name), source.name)
        if other != source.name:
            yield _collision(
                spec, source, f"the sources {other!r} and {source.name!r} would be one package"
            )


def _same_modules(spec: Spec) -> Iterator[Finding]:
    for source in spec.sources:
        seen = {name: name for name in MODULES_OF_A_SOURCE}
        for name in source.resources:
            other = seen.setdefault(module_name(name), name)
            if other in MODULES_OF_A_SOURCE:
                yield _collision(
                    spec, source, f"a resource can't be named {name!r}: every source has one"
                )
            elif other != name:
                yield _collision(
                    spec, source, f"the resources {other!r} and {name!r} would be one module"
                )


def _same_tables(spec: Spec) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for source in spec.sources:
        for name, resource in source.resources.items():
            children = [(f"{name}.{one}", table) for one, table in resource.child_tables().items()]
            for inside, table in [(name, resource.table), *children]:
                owner = f"{source.name}.{inside}"
                other = seen.setdefault(folded(table), owner)
                if other != owner:
                    message = f"{other} and {owner} would both load the table {table!r}"
                    yield _collision(spec, source, message)


def _collision(spec: Spec, source: SourceSpec, message: str) -> Finding:
    hint = "rename one, or give it another 'table:'"
    return Finding(spec.files[source.name], None, None, "collision", message, hint)
