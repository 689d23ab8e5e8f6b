"""What the modules and tests of tables and queries say beyond what every resource says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from etlgen.kinds import KindPlan
from etlgen.kinds.database.spec import DatabaseResource, DatabaseSource, PartitionBy
from etlgen.names import EnvName, env_name
from etlgen.pycode import Code, block, code
from etlgen.vocabulary.column import Column
from etlgen.vocabulary.derive import in_source
from etlgen.vocabulary.samples import bad_cells, element_counts, good_rows

Cells = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class DatabaseDetail:
    """How the database is reached: the variables of its URL and of a password apart."""

    url: EnvName
    password: EnvName
    schema: str | None


@dataclass(frozen=True, slots=True)
class RowsDetail:
    """One resource: what it selects, and rows made up for its tests."""

    rows: Code
    is_query: bool
    good: tuple[Cells, ...]
    bad: tuple[Cells, ...]
    rules: tuple[str, ...]
    element_counts: Mapping[str, int]
    is_partitioned: bool
    is_repeatable: bool

    @property
    def code(self) -> tuple[Code, ...]:
        return (self.rows,)

    @property
    def reads_files(self) -> bool:
        return False


def plan(source: DatabaseSource) -> KindPlan:
    """A database, and for each resource its SELECT and its samples."""
    url = source.url.env
    assert url is not None, "the spec takes no URL but one from the environment"
    details = {name: _detail(resource) for name, resource in source.resources.items()}
    return KindPlan(DatabaseDetail(url, password_name(url), source.schema_name), details)


def password_name(url: EnvName) -> EnvName:
    """The variable of a password apart, by that of the URL."""
    return env_name(f"{url.removesuffix('_URL')}_PASSWORD")


def _detail(resource: DatabaseResource) -> RowsDetail:
    columns = resource.resolved_columns()
    good = good_rows(columns)
    bad = bad_cells(columns)
    broken = [{**good[0], cell.column: cell.raw_value} for cell in bad]
    return RowsDetail(
        rows=_rows(resource, in_source(columns)),
        is_query=resource.query is not None,
        good=tuple(_cells(in_source(columns), row) for row in good),
        bad=tuple(_cells(in_source(columns), row) for row in (good[0], *broken)),
        rules=tuple(sorted(cell.rule for cell in bad)),
        element_counts=element_counts(columns, good),
        is_partitioned=resource.partition_by is not None,
        is_repeatable=resource.write_disposition != "append",
    )


def _cells(columns: Sequence[Column], row: Mapping[str, str | None]) -> Cells:
    return tuple(row[column.name] for column in columns)


def _rows(resource: DatabaseResource, columns: Sequence[Column]) -> Code:
    """`TableRows("customers", columns=[…], order_by=["id"])`: not said is the default."""
    origins = {column.name: column.from_names[0] for column in columns}
    options: dict[str, Any] = {"columns": list(origins.values())}
    if resource.primary_key:
        options["order_by"] = [origins[name] for name in resource.primary_key if name in origins]
    if resource.cursor and resource.write_disposition != "replace":
        options["cursor"] = origins[resource.cursor.field]
        zone = resource.columns[resource.cursor.field].timezone
        if zone is not None:
            options["timezone"] = zone
    if resource.partition_by is not None:
        options["split"] = _split(resource.partition_by, origins)
    named = "".join(f", {option}={{{option}}}" for option in options)
    name = "TableRows" if resource.query is None else "QueryRows"
    first = resource.from_table if resource.query is None else block(resource.query)
    imports = [f"runtime.sql_rows:{name}"]
    return code(f"{name}({{first}}{named})", imports=imports, first=first, **options)


def _split(by: PartitionBy, origins: Mapping[str, str]) -> Code:
    name, unit = ("ByKey", "rows") if by.rows else ("ByDays", "days")
    return code(
        f"{name}({{field}}, {unit}={{size}})",
        imports=[f"runtime.sql_bounds:{name}"],
        field=origins[by.field],
        size=by.rows or by.days,
    )
