"""`etlgen rename-source`: a source's spec file, code and DAG under another name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from etlgen.errors import Finding, UsageError
from etlgen.generation import Texts
from etlgen.kinds import load_kinds
from etlgen.names import BadName, module_name, source_name
from etlgen.outcome import Outcome
from etlgen.rendered import PROJECT_UNIT, RUNTIME_UNIT, SOURCES
from etlgen.spec.reading import read_project
from etlgen.usecases.generate import rendered_units
from etlgen.usecases.options import Options
from etlgen.usecases.project import (
    Confirm,
    Project,
    moved_file,
    opened,
    own_files,
    require_same_version,
    settle,
    spec_path,
    unit_texts,
    with_own,
)
from etlgen.usecases.remove_source import require_source
from etlgen.workspace.changes import Change
from etlgen.workspace.compare import compare


def rename_source(options: Options, old: str, new: str, confirm: Confirm) -> Outcome:
    """Move a source's files and merge its new name into them; the team's edits go with them."""
    with opened(options) as project:
        was = require_source(project, old)
        require_same_version(project.state, (PROJECT_UNIT, RUNTIME_UNIT, was))
        texts = dict(unit_texts(project.root))
        unit = f"{SOURCES}{_free_name(new, texts)}"
        texts[unit] = texts.pop(was)
        renamed = [
            replace(one, was=was) if one.unit.name == unit else one
            for one in rendered_units(project, texts, {unit})
        ]
        changes = compare(project.state, renamed)
        spec = moved_file(project.root, spec_path(project.root, was), f"{unit}.yaml")
        changes = with_own(changes, [*spec, *_own_code(project, old, new)])
        return settle(project, changes, options, confirm, _steps(project.root, old, new))


def _own_code(project: Project, old: str, new: str) -> Iterator[Change]:
    """The team's own modules in the source's package, which its code may import."""
    spec = read_project(project.root, load_kinds(), ())
    sources = f"src/{spec.project.import_package}/sources"
    here, there = (f"{sources}/{module_name(name)}" for name in (old, new))
    for path in own_files(project, here):
        yield from moved_file(project.root, path, f"{there}{path.removeprefix(here)}")


def _free_name(name: str, texts: Texts) -> str:
    try:
        source_name(name)
    except BadName as bad:
        raise UsageError(Finding(name, None, None, "name", bad.message, bad.hint)) from bad
    if f"{SOURCES}{name}" in texts:
        message = f"there is a source {name!r} already"
        raise UsageError(Finding(None, None, None, "name", message, "choose another name"))
    return name


def _steps(root: Path, old: str, new: str) -> tuple[str, ...]:
    """The ledger knows resources by the name of their source; so does Airflow."""
    spec = read_project(root, load_kinds(), ())
    ledger = f"{spec.project.work_schema}.resources"
    before, after = module_name(old), module_name(new)
    if before == after:
        return ("make test",)
    sql = (
        f"UPDATE {ledger} SET resource = '{after}.' || split_part(resource, '.', 2) "
        f"WHERE split_part(resource, '.', 1) = '{before}';"
    )
    return (
        "make test",
        f"{sql}  -- in the destination, before the next run",
        "airflow: the DAG has a new name, so pause the old one and unpause the new",
    )
