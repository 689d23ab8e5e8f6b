"""One resource: its table, its cleaning, its checks, its way of loading."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

from etlgen.names import ModuleName, module_name
from etlgen.plan.model import ResourcePlan
from etlgen.plan.python import call, import_lines
from etlgen.plan.rows import plan_child, plan_rows, severity
from etlgen.pycode import Code, Py, code
from etlgen.spec.cursor import Cursor, initial_value
from etlgen.spec.models import ProjectSpec, ResourceSpec, SourceSpec
from etlgen.vocabulary.column import Column

# Names that test modules have already: a resource of that name gets another one there.
NAMES_IN_TESTS = frozenset(
    (
        *("connection", "counts", "database", "destination", "file", "len", "load_from"),
        *("monkeypatch", "pytest", "reasons_of", "rows", "rows_of", "run", "run_dag"),
        *("sample_database", "tmp_path"),
    )
)
NAMES_IN_DAGS = frozenset(("datetime", "load_partitions", "load_whole"))


def plan_resource(
    project: ProjectSpec,
    source: SourceSpec,
    resource: ResourceSpec,
    detail: Any,
    needs: Iterable[str],
) -> ResourcePlan:
    """Everything that the module of a resource says; `needs` are those to be loaded before."""
    schema = project.destination.schema_name
    module = module_name(resource.name)
    columns = resource.resolved_columns()
    rows, pieces = plan_rows(
        "TABLE",
        resource.table,
        resource.description,
        columns,
        resource.drop,
        [],
        _lineage(resource, detail),
    )
    children = [plan_child(resource, column) for column in columns if column.elements]
    table_checks = list(_table_checks(resource))
    load = _load(resource, [child.variable for child, _ in children])
    pieces += [piece for _, of_child in children for piece in of_child]
    pieces += [*table_checks, load, *detail.code]
    alias = f"{module}_resource" if module in NAMES_IN_TESTS else module
    return ResourcePlan(
        name=f"{module_name(source.name)}.{module_name(resource.name)}",
        module=module,
        alias=alias,
        import_in_tests=_import_in_tests(project, source, module, alias),
        constant=module.rstrip("_").upper(),
        title=f"{source.name} {resource.name} → {schema}.{resource.table}",
        table=resource.table,
        asset=f"x-{project.identifier.replace('_', '-')}://{quote(schema)}/{quote(resource.table)}",
        imports=import_lines(pieces, project.import_package),
        rows=rows,
        children=tuple(child for child, _ in children),
        private=tuple(_private(resource, columns)),
        table_checks=tuple(piece.text for piece in table_checks),
        load=load.text,
        group=_group(module),
        needs=tuple(sorted(_group(module_name(name)) for name in needs)),
        detail=detail,
    )


def _group(module: ModuleName) -> str:
    """The variable of a task group, beside the names that a DAG's module has."""
    return f"{module}_group" if module in NAMES_IN_DAGS else module


def _import_in_tests(
    project: ProjectSpec, source: SourceSpec, module: ModuleName, alias: str
) -> Py:
    """`from shop_etl.sources.webshop import run as run_resource`."""
    renamed = "" if alias == module else f" as {alias}"
    package = f"{project.import_package}.sources.{module_name(source.name)}"
    return Py(f"from {package} import {module}{renamed}")


def _table_checks(resource: ResourceSpec) -> Iterator[Code]:
    """`Unique("email", severity="warn")` for each check of the rows together."""
    for check in resource.table_checks():
        arguments = [*check.arguments, *severity(check.severity)]
        yield call(check.class_name, arguments, f"runtime.table_checks:{check.class_name}")


def _private(resource: ResourceSpec, columns: tuple[Column, ...]) -> list[str]:
    """Names of columns whose values are nobody's business, in the source and in the table."""
    inside = [element for column in columns for element in column.elements]
    private = [one for one in (*columns, *inside) if one.is_private]
    names = [name for one in private for name in (*one.from_names, one.name)]
    return list(dict.fromkeys([*names, *resource.drop]))


def _load(resource: ResourceSpec, children: list[str]) -> Code:
    """`Merge(TABLE, cursor="updated_at")`; a replaced table is not read from a cursor on."""
    name = resource.write_disposition.capitalize()
    arguments = [code("TABLE")]
    if resource.cursor and name != "Replace":
        arguments += _cursor(resource, resource.cursor)
    elif resource.cursor and (resource.primary_key or resource.deduplicate):
        arguments.append(code("newest_by={field}", field=resource.cursor.field))
    if resource.deduplicate:
        arguments.append(code("deduplicate={names}", names=list(resource.deduplicate)))
    if resource.replace_by:
        arguments.append(code("replace_by={names}", names=list(resource.replace_by)))
    arguments += _deletions(resource)
    if children:
        arguments.append(code(f"children=[{', '.join(children)}]"))
    return call(name, arguments, f"runtime.resource:{name}")


def _deletions(resource: ResourceSpec) -> Iterator[Code]:
    """`deleted="deleted_at"` and `missing=DeleteMissing(max_rows=500)`."""
    if resource.deleted is not None:
        yield code("deleted={field}", field=resource.deleted.field)
    if resource.delete_missing is not None:
        most = resource.delete_missing.max_delete
        limit = "max_rows" if isinstance(most, int) else "max_share"
        arguments = [code(f"{limit}={{most}}", most=most)]
        if resource.delete_missing.allow_empty:
            arguments.append(code("allow_empty=True"))
        missing = call("DeleteMissing", arguments, "runtime.resource:DeleteMissing")
        yield code("missing={missing}", missing=missing)


def _cursor(resource: ResourceSpec, cursor: Cursor) -> Iterator[Code]:
    yield code("cursor={field}", field=cursor.field)
    initial = initial_value(cursor, resource.columns[cursor.field])
    if initial is not None:
        yield code("initial_value={value}", value=initial)
    if cursor.lookback is not None:
        yield code("lookback={value}", value=cursor.lookback)
    if cursor.delay is not None:
        yield code("delay={value}", value=cursor.delay)
    if cursor.window == "interval":
        yield code("by_interval=True")


def _lineage(resource: ResourceSpec, detail: Any) -> Code:
    """`*lineage()`, and the mark of rows that the source deleted."""
    name = "file_lineage" if detail.reads_files else "lineage"
    columns = code(f"*{name}()", imports=[f"runtime.resource:{name}"])
    if not resource.keeps_deleted:
        return columns
    mark = code("deleted_at()", imports=["runtime.resource:deleted_at"])
    return code("{columns}, {mark}", columns=columns, mark=mark)
