"""`etlgen generate` and `etlgen upgrade`: bring the code up to its spec and to this etlgen."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from etlgen.errors import Refused
from etlgen.outcome import Outcome
from etlgen.rendered import KINDS, PROJECT_UNIT, RUNTIME_UNIT, SOURCES
from etlgen.spec.files import spec_path
from etlgen.units import Texts, gone_sources, stale_units, unneeded
from etlgen.usecases.options import Options
from etlgen.usecases.project import Project, opened, spec_gone, unit_texts
from etlgen.usecases.settling import Confirm, settle
from etlgen.workspace.changes import ChangeSet
from etlgen.workspace.compare import Wanted, compare
from etlgen.workspace.state import differing, housekeeping


def generate(
    options: Options, confirm: Confirm, *, runtime_only: bool = False, everything: bool = False
) -> Outcome:
    """Generate what is stale, or of that only the runtime; or everything again."""
    with opened(options) as project:
        texts = unit_texts(project.root)
        _require_specs(project, texts)
        stale = stale_units(project.state, texts)
        if everything:
            stale |= {*texts, *project.state.units}
        if runtime_only:
            changes = _runtime(project, texts, stale, options)
        else:
            changes = regenerated(project, texts, options, stale)
        return settle(project, changes, options, confirm)


def regenerated(
    project: Project, texts: Texts, options: Options, stale: Collection[str] | None = None
) -> ChangeSet:
    """The changes of the whole project, of which the stale units are rendered."""
    state = project.state
    if stale is None:
        stale = stale_units(state, texts)
    wanted = rendered_units(project, texts, stale)
    names = {one.unit.name for one in wanted}
    gone = unneeded(state, [one.unit for one in wanted], ())
    kept = [Wanted(state.units[name], None) for name in state.units.keys() - names - gone]
    changes = compare(state, [*wanted, *kept], gone, force=options.force)
    if PROJECT_UNIT not in names:
        return changes
    from etlgen.kinds import load_kinds
    from etlgen.usecases.schema import schema_files

    files = housekeeping() | schema_files(load_kinds())
    return replace(changes, state={**changes.state, **differing(project.root, files)})


def _runtime(project: Project, texts: Texts, stale: Collection[str], options: Options) -> ChangeSet:
    wanted = rendered_units(project, texts, stale)
    runtime = [one for one in wanted if _is_runtime(one.unit.name)]
    return compare(project.state, runtime, force=options.force)


def rendered_units(
    project: Project, texts: Texts, units: Collection[str], gone: Collection[str] = ()
) -> list[Wanted]:
    """Some units, rendered of their spec in `texts`, in a project without those that are gone."""
    if not units:
        return []
    from etlgen.generation import wanted_units
    from etlgen.kinds import load_kinds
    from etlgen.spec.reading import read_texts

    kinds = load_kinds()
    specs = [PROJECT_UNIT, *(unit for unit in sorted(units) if unit.startswith(SOURCES))]
    spec = read_texts({spec_path(project.root, unit): texts[unit] for unit in specs}, kinds)
    return wanted_units(spec, texts, kinds, project.state, units, gone)


def _is_runtime(unit: str) -> bool:
    return unit == RUNTIME_UNIT or unit.startswith(KINDS)


def _require_specs(project: Project, texts: Texts) -> None:
    gone = sorted(gone_sources(project.state, texts))
    if gone:
        raise Refused(map(spec_gone, gone))
