"""What templates print: frozen values, with every expression already spelled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from etlgen.names import EnvName, ModuleName, PackageName, ProjectName, SchemaName
from etlgen.pycode import Py


@dataclass(frozen=True, slots=True)
class RowsPlan:
    """A table, by the variable that has it, and what is done to rows on the way to it."""

    variable: str
    table: str
    parts: tuple[Py, ...]  # of the table, after its name: columns and lineage
    comment: str
    dropped: Py | None
    renamed: Mapping[str, str]
    steps: tuple[Py, ...]
    typed_steps: tuple[Py, ...]  # after `conform`
    checks: tuple[Py, ...]


@dataclass(frozen=True, slots=True)
class ChildPlan:
    """The table of an exploded column; `module` is in the names of its functions."""

    column: str
    module: str
    variable: str
    rows: RowsPlan
    child: Py


@dataclass(frozen=True, slots=True)
class ResourcePlan:
    """One module of a source; `detail` is what its kind adds."""

    name: str
    module: ModuleName
    alias: str
    import_in_tests: Py
    constant: str
    title: str
    table: str
    asset: str
    imports: tuple[Py, ...]
    rows: RowsPlan
    children: tuple[ChildPlan, ...]
    table_checks: tuple[Py, ...]
    private: tuple[str, ...]  # names in the source and in the table
    load: Py
    group: str  # its variable in the DAG
    needs: tuple[str, ...]  # the variables of those that are loaded before
    detail: Any

    @property
    def loader(self) -> str:
        """How its DAG loads it: parts side by side, or as a whole."""
        return "load_partitions" if self.detail.is_partitioned else "load_whole"

    @property
    def tables(self) -> tuple[str, ...]:
        """All that it loads."""
        return (self.table, *(child.rows.table for child in self.children))


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """One package below `sources/`, its DAG and its tests; `detail` is what its kind adds.

    `templates` and `runtime` are the kind's, as in `Kind`.
    """

    name: str
    kind: str
    package: ModuleName
    unit: str
    description: str
    dag: str
    schedule: str | None
    tags: Py
    resources: tuple[ResourcePlan, ...]
    detail: Any
    templates: Path
    runtime: tuple[Path, ...]

    @property
    def in_sequence(self) -> frozenset[str]:
        """The groups of the DAG that wait for others, or that others wait for."""
        waiting = [one for one in self.resources if one.needs]
        return frozenset(name for one in waiting for name in (one.group, *one.needs))


@dataclass(frozen=True, slots=True)
class Variables:
    """The environment variables of the project itself."""

    database_url: EnvName
    database_password: EnvName
    log_format: EnvName
    log_level: EnvName
    hash_key: EnvName


@dataclass(frozen=True, slots=True)
class ProjectPlan:
    """The whole project."""

    name: ProjectName
    package: PackageName
    description: str
    owner: str
    schema: SchemaName
    work_schema: SchemaName
    variables: Variables
    timezone: str
    start_date: date
    sources: tuple[SourcePlan, ...]
