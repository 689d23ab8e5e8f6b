"""From a spec to the units of a project as they should be: rendered, styled, with their origin."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib.metadata import version

from etlgen import __version__
from etlgen.errors import Finding, SpecError
from etlgen.kinds import Kind
from etlgen.names import folded
from etlgen.plan import ProjectPlan, plan_project
from etlgen.plan.model import SourcePlan
from etlgen.render.project import render_project
from etlgen.rendered import (
    PROJECT_UNIT,
    RUNTIME_UNIT,
    SOURCES,
    RenderedFile,
    kind_unit,
    sha256,
)
from etlgen.spec.files import spec_path
from etlgen.spec.models import Spec
from etlgen.style import styled
from etlgen.units import Texts, input_sha256
from etlgen.workspace.compare import Wanted
from etlgen.workspace.entries import Unit
from etlgen.workspace.state import State, digest_of_files


def wanted_units(
    spec: Spec,
    texts: Texts,
    kinds: Mapping[str, Kind],
    state: State,
    units: Collection[str],
    gone: Collection[str] = (),
) -> list[Wanted]:
    """Some units of the spec, and what they need and the project lacks, rendered and styled.

    Raises `SpecError` where one claims what another unit of the project has that is not gone.
    """
    plan = plan_project(spec, kinds)
    chosen = [unit for unit in _units(plan, texts) if unit.name in units]
    missing = {need for unit in chosen for need in unit.needs} - state.units.keys()
    chosen += [unit for unit in _units(plan, texts) if unit.name in missing - set(units)]
    _require_unclaimed(chosen, state, gone)
    names = {unit.name for unit in chosen}
    rendered = render_project(plan, names)
    files = styled(rendered, package=plan.package, known=_known(state, names))
    return [_wanted(unit, files) for unit in chosen]


def _wanted(unit: Unit, rendered: Iterable[RenderedFile]) -> Wanted:
    files = tuple(file for file in rendered if file.unit == unit.name)
    digest = digest_of_files({(one.template, one.resource): sha256(one.text) for one in files})
    return Wanted(replace(unit, files_sha256=digest), files)


def _units(plan: ProjectPlan, texts: Texts) -> Iterator[Unit]:
    yield _unit(PROJECT_UNIT, texts, needs=(RUNTIME_UNIT,))
    yield _unit(RUNTIME_UNIT, texts)
    for kind in sorted({source.kind for source in plan.sources}):
        yield _unit(kind_unit(kind), texts, needs=(RUNTIME_UNIT,))
    for source in plan.sources:
        yield _unit(source.unit, texts, _claims(source), (PROJECT_UNIT, kind_unit(source.kind)))


def _unit(
    name: str, texts: Texts, claims: tuple[str, ...] = (), needs: tuple[str, ...] = ()
) -> Unit:
    return Unit(name, __version__, _black(), input_sha256(name, texts), claims, needs)


@cache
def _black() -> str:
    """The version of Black; to ask for it reads a file."""
    return version("black")


def _claims(source: SourcePlan) -> tuple[str, ...]:
    """What no other source may be: one package with this one, or load one of its tables."""
    names = (name for resource in source.resources for name in resource.tables)
    tables = (f"table {folded(name)}" for name in names)
    return (f"package {source.package}", *sorted(tables))


def _require_unclaimed(units: Iterable[Unit], state: State, gone: Collection[str]) -> None:
    """No claim twice in the whole project."""
    owners: dict[str, str] = {}
    found: list[Finding] = []
    chosen = {unit.name: unit for unit in units}
    others = state.units.keys() - chosen.keys() - set(gone)
    for unit in (*(state.units[name] for name in sorted(others)), *chosen.values()):
        for claim in unit.claims:
            owner = owners.setdefault(claim, unit.name)
            if owner != unit.name:
                found.append(_collision(spec_path(state.root, unit.name), claim, owner))
    if found:
        raise SpecError(found)


def _collision(file: str, claim: str, owner: str) -> Finding:
    what, _, name = claim.partition(" ")
    message = f"{owner.removeprefix(SOURCES)} already has the {what} {name!r}"
    hint = "give it another 'table:'" if what == "table" else "give the source another name"
    return Finding(file, None, None, "collision", message, hint)


def _known(state: State, units: Iterable[str]) -> dict[str, str]:
    """Texts that need no Black again, by the hash of what it made them of."""
    known: dict[str, str] = {}
    for name in units:
        unit = state.units.get(name)
        if unit is None or (unit.etlgen != __version__ and unit.black != _black()):
            continue
        memory = state.memory(name)
        for entry in memory.entries.values():
            if entry.unstyled_sha256:
                known[entry.unstyled_sha256] = memory.base(entry)
    return known
