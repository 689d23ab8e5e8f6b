"""`etlgen rename-source`: a source's spec file, code and DAG under another name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from etlgen.errors import Finding, UsageError
from etlgen.kinds import load_kinds
from etlgen.names import module_name, source_name
from etlgen.outcome import Outcome
from etlgen.rendered import PROJECT_UNIT, RUNTIME_UNIT, SOURCES
from etlgen.spec.files import source_files, spec_path
from etlgen.spec.reading import read_project
from etlgen.usecases.generate import rendered_units
from etlgen.usecases.options import Options
from etlgen.usecases.project import (
    Project,
    named,
    opened,
    require_same_version,
    require_source,
    unit_texts,
)
from etlgen.usecases.settling import Confirm, moved_file, own_files, settle, with_own
from etlgen.workspace.changes import Change
from etlgen.workspace.compare import compare


def rename_source(options: Options, old: str, new: str, confirm: Confirm) -> Outcome:
    """Move a source's files and merge its new name into them; the team's edits go with them."""
    with opened(options) as project:
        was = require_source(project, old)
        require_same_version(project.state, (PROJECT_UNIT, RUNTIME_UNIT, was))
        unit = f"{SOURCES}{_free_name(project.root, new)}"
        texts = unit_texts(project.root, [old])
        texts[unit] = texts.pop(was)
        renamed = [
            replace(one, was=was) if one.unit.name == unit else one
            for one in rendered_units(project, texts, {unit}, gone={was})
        ]
        spec = read_project(project.root, load_kinds(), ()).project
        file = spec_path(project.root, was)
        own = [
            *moved_file(project.root, file, f"{unit}{Path(file).suffix}"),
            *_own_code(project, f"src/{spec.import_package}/sources", old, new),
        ]
        changes = with_own(compare(project.state, renamed), own)
        return settle(project, changes, options, confirm, _steps(spec.work_schema, old, new))


def _own_code(project: Project, sources: str, old: str, new: str) -> Iterator[Change]:
    """The team's own modules in the source's package, which its code may import."""
    here, there = (f"{sources}/{module_name(name)}" for name in (old, new))
    for path in own_files(project, here):
        yield from moved_file(project.root, path, f"{there}{path.removeprefix(here)}")


def _free_name(root: Path, name: str) -> str:
    named(source_name, name)
    if name in source_files(root):
        message = f"there is a source {name!r} already"
        raise UsageError(Finding(None, None, None, "name", message, "choose another name"))
    return name


def _steps(work_schema: str, old: str, new: str) -> tuple[str, ...]:
    """The ledger knows resources by the name of their source; so does Airflow."""
    before, after = module_name(old), module_name(new)
    if before == after:
        return ("make test",)
    sql = (
        f"UPDATE {work_schema}.resources SET resource = '{after}.' || split_part(resource, '.', 2) "
        f"WHERE split_part(resource, '.', 1) = '{before}';"
    )
    return (
        f"git grep -nw {before}  # what of yours still says the old name",
        "make test",
        f"{sql}  -- in the destination, before the next run",
        "airflow: the DAG has a new name, so pause the old one and unpause the new",
    )
