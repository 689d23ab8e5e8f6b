"""The units of a project and their specs: which may have to change, which are needed no more.

It tells from hashes alone; nothing is rendered, so nothing heavy is imported.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from etlgen import __version__
from etlgen.rendered import KINDS, PROJECT_UNIT, RUNTIME_UNIT, SOURCES, sha256
from etlgen.workspace.entries import Unit
from etlgen.workspace.state import State, digest_of_entries

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


def unneeded(state: State, wanted: Iterable[Unit], gone: Collection[str]) -> set[str]:
    """Units of kinds that no source is of any more."""
    units = {name: unit for name, unit in state.units.items() if name not in gone}
    units |= {unit.name: unit for unit in wanted}
    needs = {need for unit in units.values() for need in unit.needs}
    return {name for name in state.units if name.startswith(KINDS) and name not in needs}


def input_sha256(unit: str, texts: Texts) -> str:
    """The hash of what a unit is generated from: the project's file, and for a source its own."""
    own = texts[unit] if unit.startswith(SOURCES) else ""
    return sha256(texts[PROJECT_UNIT] + own)


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
