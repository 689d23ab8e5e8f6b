"""From a spec to the units of a project as they should be: rendered, styled, with their origin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
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
    KINDS,
    PROJECT_UNIT,
    RUNTIME_UNIT,
    SOURCES,
    RenderedFile,
    kind_unit,
    sha256,
)
from etlgen.spec.models import Spec
from etlgen.style import styled
from etlgen.workspace.compare import Wanted
from etlgen.workspace.entries import Unit
from etlgen.workspace.state import State, digest_of_entries, digest_of_files

Texts = Mapping[str, str]
"""The canonical text of each spec file by its unit: `etlgen`, `sources/crm`."""


def stale_units(state: State, texts: Texts) -> set[str]:
    """The units that may have to change: another etlgen, another input, or something missing."""
    names = {PROJECT_UNIT, RUNTIME_UNIT, *texts, *state.units} - gone_sources(state, texts)
    claims = Counter(
        claim for name in names & state.units.keys() for claim in state.units[name].claims
    )
    contested = {claim for claim, count in claims.items() if count > 1}  # by a merge of branches
    return {name for name in names if _is_stale(state, name, texts, contested)}


def gone_sources(state: State, texts: Texts) -> set[str]:
    """Units of sources whose spec file is not there any more."""
    return {name for name in state.units if name.startswith(SOURCES) and name not in texts}


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


def unneeded(state: State, wanted: Sequence[Wanted], gone: Collection[str]) -> set[str]:
    """Units of kinds that no source is of any more."""
    units = {name: unit for name, unit in state.units.items() if name not in gone}
    units |= {one.unit.name: one.unit for one in wanted}
    needs = {need for unit in units.values() for need in unit.needs}
    return {name for name in state.units if name.startswith(KINDS) and name not in needs}


def input_sha256(unit: str, texts: Texts) -> str:
    """The hash of what a unit is generated from: the project's file, and for a source its own."""
    own = texts[unit] if unit.startswith(SOURCES) else ""
    return sha256(texts[PROJECT_UNIT] + own)


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
    tables = (f"table {folded(resource.table)}" for resource in source.resources)
    return (f"package {source.package}", *sorted(tables))


def _is_stale(state: State, name: str, texts: Texts, contested: set[str]) -> bool:
    unit = state.units.get(name)
    return (
        unit is None
        or unit.etlgen != __version__
        or unit.input_sha256 != input_sha256(name, texts)
        or not all(need in state.units for need in unit.needs)
        or not contested.isdisjoint(unit.claims)
        or unit.files_sha256 != digest_of_entries(state.memory(name).entries)
    )


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
                found.append(_collision(unit.name, claim, owner))
    if found:
        raise SpecError(found)


def _collision(unit: str, claim: str, owner: str) -> Finding:
    what, _, name = claim.partition(" ")
    message = f"{owner.removeprefix(SOURCES)} already has the {what} {name!r}"
    hint = "give it another 'table:'" if what == "table" else "give the source another name"
    return Finding(f"{unit}.yaml", None, None, "collision", message, hint)


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
