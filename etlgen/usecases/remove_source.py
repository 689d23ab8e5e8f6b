"""`etlgen remove-source`: a source's spec file and its code go; its tables stay."""

from __future__ import annotations

from pathlib import PurePosixPath

from etlgen.errors import Finding, Refused
from etlgen.outcome import Outcome
from etlgen.spec.files import source_files, spec_path
from etlgen.units import Texts, input_sha256, unneeded
from etlgen.usecases.options import Options
from etlgen.usecases.project import (
    Project,
    opened,
    require_same_version,
    require_source,
    unit_texts,
)
from etlgen.usecases.settling import Confirm, own_file, own_files, settle, with_own
from etlgen.workspace.compare import compare


def remove_source(options: Options, name: str, confirm: Confirm) -> Outcome:
    """Remove what is generated of a source. Refused where a file of it was edited."""
    with opened(options) as project:
        unit = require_source(project, name)
        require_same_version(project.state, (unit,))
        texts = unit_texts(project.root, source_files(project.root).keys() & {name})
        if not options.force:
            _require_generated(project, unit, texts)
        gone = {unit}
        gone |= unneeded(project.state, (), gone)
        changes = compare(project.state, (), sorted(gone), force=options.force)
        spec = own_file(project.root, spec_path(project.root, unit), None, texts.get(unit))
        changes = with_own(changes, spec)
        claims = project.state.units[unit].claims
        tables = [claim.removeprefix("table ") for claim in claims if claim.startswith("table ")]
        steps = (f"make test  # the tables stay in the database: {', '.join(tables)}",)
        return settle(project, changes, options, confirm, steps, _left_behind(project, unit))


def _left_behind(project: Project, unit: str) -> tuple[Finding, ...]:
    """The team's own files in the source's package, which stay and may import what goes."""
    places = {
        place.parent.as_posix()
        for entry in project.state.memory(unit).entries.values()
        if (place := PurePosixPath(entry.location)).match("src/*/sources/*/__init__.py")
    }
    message = "is your own and stays; it may import what is gone"
    hint = "delete it, or move it to where it is needed"
    return tuple(
        Finding(path, None, None, "yours", message, hint)
        for place in sorted(places)
        for path in own_files(project, place)
    )


def _require_generated(project: Project, unit: str, texts: Texts) -> None:
    """The spec is the team's own: what it says must be in the code before it goes."""
    if unit in texts and project.state.units[unit].input_sha256 != input_sha256(unit, texts):
        message = "was changed since the code was generated, and goes with what is removed"
        hint = "run etlgen generate first, or add --force; nothing was changed"
        path = spec_path(project.root, unit)
        raise Refused(Finding(path, None, None, "edited", message, hint))
