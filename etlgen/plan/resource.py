"""One resource: its table, its cleaning, its checks, its way of loading."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from etlgen.names import PackageName, SchemaName, module_name
from etlgen.plan.model import ResourcePlan
from etlgen.plan.python import import_lines
from etlgen.pycode import Code, code
from etlgen.spec.models import ResourceSpec, SourceSpec
from etlgen.vocabulary.checks import check_expression
from etlgen.vocabulary.clean import cleaned
from etlgen.vocabulary.column import Column
from etlgen.vocabulary.types import conversion, fill_default, sqlalchemy_type

# Names that test modules have already: a resource of that name gets another one there.
NAMES_IN_TESTS = frozenset(
    (
        *("connection", "counts", "destination", "file", "len", "load_from", "monkeypatch"),
        *("pytest", "reasons_of", "rows", "rows_of", "run", "run_dag", "tmp_path"),
    )
)


def plan_resource(
    source: SourceSpec,
    resource: ResourceSpec,
    package: PackageName,
    schema: SchemaName,
    detail: Any,
) -> ResourcePlan:
    """Everything that the module of a resource says."""
    module = module_name(resource.name)
    columns = resource.resolved_columns()
    definitions = [_definition(column) for column in columns]
    steps = list(_steps(columns))
    checks = list(_checks(columns))
    load = _load(resource)
    lineage = _lineage(detail)
    pieces = [*definitions, *steps, *checks, load, lineage, *detail.code]
    return ResourcePlan(
        name=f"{module_name(source.name)}.{module_name(resource.name)}",
        module=module,
        alias=f"{module}_resource" if module in NAMES_IN_TESTS else module,
        label=module.rstrip("_"),
        constant=module.rstrip("_").upper(),
        title=f"{source.name} {resource.name} → {schema}.{resource.table}",
        table=resource.table,
        asset=f"x-{package.replace('_', '-')}://{quote(schema)}/{quote(resource.table)}",
        imports=import_lines(pieces, package),
        columns=tuple(piece.text for piece in definitions),
        table_comment=resource.description,
        renamed={
            origin: column.name
            for column in columns
            for origin in column.from_names
            if origin != column.name
        },
        steps=tuple(piece.text for piece in steps),
        checks=tuple(piece.text for piece in checks),
        load=load.text,
        lineage=lineage.text,
        detail=detail,
    )


def _definition(column: Column) -> Code:
    """`Column("total", Numeric(12, 2), nullable=False)`."""
    options = []
    if column.in_key:
        options.append(code("primary_key=True"))
    if column.in_key and column.type.name in ("smallint", "integer", "bigint"):
        options.append(code("autoincrement=False"))
    if not column.in_key and not column.nullable:
        options.append(code("nullable=False"))
    if column.description:
        options.append(code("comment={text}", text=column.description))
    rest = code(
        "".join(f", {{o{n}}}" for n in range(len(options))),
        **{f"o{n}": option for n, option in enumerate(options)},
    )
    return code(
        "Column({name}, {type}{rest})",
        imports=["from sqlalchemy import Column"],
        name=column.name,
        type=sqlalchemy_type(column.type),
        rest=rest,
    )


def _steps(columns: tuple[Column, ...]) -> Iterator[Code]:
    """`rows["status"] = …` for each column that is cleaned, converted or filled."""
    for column in columns:
        before = code("rows[{name}]", name=column.name)
        after = cleaned(before, column.clean)
        after = conversion(column, after) or after
        after = fill_default(column, after) or after
        if after != before:
            yield code("{before} = {after}", before=before, after=after)


def _checks(columns: tuple[Column, ...]) -> Iterator[Code]:
    for column in columns:
        for check in column.checks:
            severity = code(", severity={s}", s=check.severity)
            yield code(
                "problems.require({name}, {rule}, {holds}{severity})",
                name=column.name,
                rule=check.message,
                holds=check_expression(check, code("rows[{name}]", name=column.name), column.type),
                severity=severity if check.severity != "error" else code(""),
            )


def _load(resource: ResourceSpec) -> Code:
    name = resource.write_disposition.capitalize()
    cursor = code(", cursor={field}", field=resource.cursor.field) if resource.cursor else code("")
    if name == "Replace":
        cursor = code("")
    return code(f"{name}(TABLE{{cursor}})", imports=[f"runtime.resource:{name}"], cursor=cursor)


def _lineage(detail: Any) -> Code:
    name = "file_lineage" if detail.reads_files else "lineage"
    return code(f"*{name}()", imports=[f"runtime.resource:{name}"])
