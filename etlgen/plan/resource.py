"""One resource: its table, its cleaning, its checks, its way of loading."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

from etlgen.names import ModuleName, module_name
from etlgen.plan.model import ResourcePlan
from etlgen.plan.python import import_lines
from etlgen.pycode import Code, Py, code, literal, spelled
from etlgen.spec.models import Cursor, ProjectSpec, ResourceSpec, SourceSpec
from etlgen.vocabulary.adjust import adjustment
from etlgen.vocabulary.checks import check_expression
from etlgen.vocabulary.clean import cleaned
from etlgen.vocabulary.column import Column
from etlgen.vocabulary.types import conversion, fill_default, sqlalchemy_type

# Names that test modules have already: a resource of that name gets another one there.
NAMES_IN_TESTS = frozenset(
    (
        *("connection", "counts", "database", "destination", "file", "len", "load_from"),
        *("monkeypatch", "pytest", "reasons_of", "rows", "rows_of", "run", "run_dag"),
        *("sample_database", "tmp_path"),
    )
)


def plan_resource(
    project: ProjectSpec, source: SourceSpec, resource: ResourceSpec, detail: Any
) -> ResourcePlan:
    """Everything that the module of a resource says."""
    schema = project.destination.schema_name
    module = module_name(resource.name)
    columns = resource.resolved_columns()
    definitions = [_definition(column) for column in columns]
    steps = list(_steps(columns))
    typed_steps = list(_typed_steps(columns))
    checks = list(_checks(columns))
    table_checks = list(_table_checks(resource))
    load = _load(resource)
    lineage = _lineage(resource, detail)
    alias = f"{module}_resource" if module in NAMES_IN_TESTS else module
    pieces = [
        *definitions,
        *steps,
        *typed_steps,
        *checks,
        *table_checks,
        load,
        lineage,
        *detail.code,
    ]
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
        columns=tuple(piece.text for piece in definitions),
        table_comment=resource.description,
        dropped=literal([*resource.drop]) if resource.drop else None,
        private=tuple(_private(resource, columns)),
        renamed={
            origin: column.name
            for column in columns
            for origin in column.from_names
            if origin != column.name
        },
        steps=tuple(piece.text for piece in steps),
        typed_steps=tuple(piece.text for piece in typed_steps),
        checks=tuple(piece.text for piece in checks),
        table_checks=tuple(piece.text for piece in table_checks),
        load=load.text,
        lineage=lineage.text,
        detail=detail,
    )


def _import_in_tests(
    project: ProjectSpec, source: SourceSpec, module: ModuleName, alias: str
) -> Py:
    """`from shop_etl.sources.webshop import run as run_resource`."""
    renamed = "" if alias == module else f" as {alias}"
    package = f"{project.import_package}.sources.{module_name(source.name)}"
    return Py(f"from {package} import {module}{renamed}")


def _definition(column: Column) -> Code:
    """`Column("total", Numeric(12, 2), nullable=False)`."""
    arguments = [spelled(column.name), sqlalchemy_type(column.type)]
    if column.in_key:
        arguments.append(code("primary_key=True"))
        if column.type.name in ("smallint", "integer", "bigint"):
            arguments.append(code("autoincrement=False"))
    elif not column.nullable:
        arguments.append(code("nullable=False"))
    if column.description:
        arguments.append(code("comment={text}", text=column.description))
    return _call("Column", arguments, "from sqlalchemy import Column")


def _steps(columns: tuple[Column, ...]) -> Iterator[Code]:
    """`rows["status"] = …` for each column that is cleaned, converted or filled."""
    for column in columns:
        before = code("rows[{name}]", name=column.name)
        after = cleaned(before, column.clean)
        after = conversion(column, after) or after
        after = fill_default(column, after) or after
        if after != before:
            yield code("{before} = {after}", before=before, after=after)


def _typed_steps(columns: tuple[Column, ...]) -> Iterator[Code]:
    """`typed["discount"] = typed["discount"].clip(0, 100)` for each column that is adjusted,
    and `typed = typed[typed["status"].isin(["new"])]` for each filter."""
    for column in columns:
        before = code("typed[{name}]", name=column.name)
        after = adjustment(column, before)
        if after is not None:
            yield code("{before} = {after}", before=before, after=after)
    for column in columns:
        for rule in column.filters:
            kept = check_expression(rule, code("typed[{name}]", name=column.name), column.type)
            yield code("typed = typed[{kept}]", kept=kept)


def _checks(columns: tuple[Column, ...]) -> Iterator[Code]:
    """`problems.require("total", "is at least 0", rows["total"] >= 0)` for each check."""
    for column in columns:
        cells = code("rows[{name}]", name=column.name)
        for check in column.checks:
            holds = check_expression(check, cells, column.type)
            arguments = [spelled(column.name), spelled(check.message), holds]
            yield _call("problems.require", [*arguments, *_severity(check.severity)])


def _table_checks(resource: ResourceSpec) -> Iterator[Code]:
    """`Unique("email", severity="warn")` for each check of the rows together."""
    for check in resource.table_checks():
        arguments = [*check.arguments, *_severity(check.severity)]
        yield _call(check.class_name, arguments, f"runtime.table_checks:{check.class_name}")


def _severity(severity: str) -> list[Code]:
    return [] if severity == "error" else [code("severity={severity}", severity=severity)]


def _private(resource: ResourceSpec, columns: tuple[Column, ...]) -> list[str]:
    """Names of columns whose values are nobody's business, in the source and in the table."""
    names = [name for one in columns if one.is_private for name in (*one.from_names, one.name)]
    return list(dict.fromkeys([*names, *resource.drop]))


def _load(resource: ResourceSpec) -> Code:
    """`Merge(TABLE, cursor="updated_at")`; a replaced table has no row that could be older."""
    name = resource.write_disposition.capitalize()
    arguments = [code("TABLE")]
    if resource.cursor and name != "Replace":
        arguments += _cursor(resource, resource.cursor)
    if resource.replace_by:
        arguments.append(code("replace_by={names}", names=list(resource.replace_by)))
    arguments += _deletions(resource)
    return _call(name, arguments, f"runtime.resource:{name}")


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
        missing = _call("DeleteMissing", arguments, "runtime.resource:DeleteMissing")
        yield code("missing={missing}", missing=missing)


def _cursor(resource: ResourceSpec, cursor: Cursor) -> Iterator[Code]:
    yield code("cursor={field}", field=cursor.field)
    initial = resource.initial_value()
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


def _call(name: str, arguments: Iterable[Code], *imports: str) -> Code:
    parts = list(arguments)
    text = Py(f"{name}({', '.join(part.text for part in parts)})")
    return Code(text, frozenset(imports).union(*(part.imports for part in parts)))
