"""A table and what is done to rows on the way to it: of a resource, or of the arrays in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from etlgen.names import module_name
from etlgen.plan.model import ChildPlan, RowsPlan
from etlgen.plan.python import call
from etlgen.pycode import Code, code, literal, spelled
from etlgen.spec.models import ResourceSpec
from etlgen.vocabulary.adjust import adjustment
from etlgen.vocabulary.checks import check_expression
from etlgen.vocabulary.clean import cleaned
from etlgen.vocabulary.column import Column
from etlgen.vocabulary.derive import derived, in_source
from etlgen.vocabulary.types import conversion, fill_default, sqlalchemy_type

# Names that the module of a resource has already, or imports.
TAKEN = frozenset(
    (
        *("CHECKS", "EACH", "ENDPOINT", "FILES", "LOAD", "PRIVATE", "ROWS", "TABLE"),
        *("JSONB", "TIMESTAMP", "UTC"),
    )
)


def plan_rows(
    variable: str,
    table: str,
    comment: str,
    columns: Sequence[Column],
    drop: Sequence[str],
    key: Sequence[Code],
    lineage: Code,
) -> tuple[RowsPlan, list[Code]]:
    """The plan, and the pieces of code in it, for the sake of their imports."""
    parts = [*key, *map(_definition, columns), lineage]
    steps = list(_steps(columns))
    typed_steps = list(_typed_steps(columns))
    checks = list(_checks(columns))
    rows = RowsPlan(
        variable=variable,
        table=table,
        parts=tuple(piece.text for piece in parts),
        comment=comment,
        dropped=literal([*drop]) if drop else None,
        renamed={
            origin: column.name
            for column in columns
            for origin in column.from_names
            if origin != column.name
        },
        steps=tuple(piece.text for piece in steps),
        typed_steps=tuple(piece.text for piece in typed_steps),
        checks=tuple(piece.text for piece in checks),
    )
    return rows, [*parts, *steps, *typed_steps, *checks]


def plan_child(resource: ResourceSpec, column: Column) -> tuple[ChildPlan, list[Code]]:
    """The table of an exploded column, and the pieces of code in it."""
    explode = resource.columns[column.name].explode
    assert explode is not None, "only an exploded column has elements"
    module = module_name(column.name)
    variable = _variable(column)
    rows, pieces = plan_rows(
        f"{module.rstrip('_').upper()}_TABLE",
        resource.child_tables()[column.name],
        explode.description,
        column.elements,
        explode.drop,
        [code("*child_key(TABLE)", imports=["runtime.children:child_key"])],
        code("*lineage()", imports=["runtime.resource:lineage"]),
    )
    arguments = [
        code(rows.variable),
        spelled(column.name),
        code("keys={keys}", keys=_names(column.elements)),
        code(f"transform=transform_{module}"),
    ]
    if rows.checks:
        arguments.append(code(f"check=check_{module}"))
    documents = [
        name for one in column.elements if one.type.name == "jsonb" for name in one.from_names
    ]
    if documents:
        arguments.append(code("documents={names}", names=documents))
    child = call("Child", arguments, "runtime.resource:Child")
    return ChildPlan(column.name, module, variable, rows, child.text), [*pieces, child]


def severity(severity: str) -> list[Code]:
    return [] if severity == "error" else [code("severity={severity}", severity=severity)]


def _variable(column: Column) -> str:
    name = module_name(column.name).rstrip("_").upper()
    return f"{name}_ARRAY" if name in TAKEN else name


def _names(columns: Sequence[Column]) -> list[str | tuple[str, ...]]:
    return [
        column.from_names[0] if len(column.from_names) == 1 else column.from_names
        for column in in_source(columns)
    ]


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
    return call("Column", arguments, "from sqlalchemy import Column")


def _steps(columns: Sequence[Column]) -> Iterator[Code]:
    """`rows["status"] = …` for each column that is cleaned, converted, filled or exploded."""
    texts = {column.name for column in columns if column.type.name == "text"}
    for column in columns:
        before = code("rows[{name}]", name=column.name)
        start = before
        if column.derive is not None:
            start = derived(column.derive, texts.__contains__)
            if column.clean or column.default is not None:
                start = code("({start})", start=start)
        after = cleaned(start, column.clean)
        after = conversion(column, after) or after
        after = fill_default(column, after) or after
        if column.elements:
            imports = ["runtime.children:each"]
            variable = _variable(column)
            after = code(f"each({{x}}, {variable}, problems)", imports=imports, x=after)
        if after != before:
            yield code("{before} = {after}", before=before, after=after)


def _typed_steps(columns: Sequence[Column]) -> Iterator[Code]:
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


def _checks(columns: Sequence[Column]) -> Iterator[Code]:
    """`problems.require("total", "is at least 0", rows["total"] >= 0)` for each check."""
    for column in columns:
        cells = code("rows[{name}]", name=column.name)
        for check in column.checks:
            holds = check_expression(check, cells, column.type)
            arguments = [spelled(column.name), spelled(check.message), holds]
            yield call("problems.require", [*arguments, *severity(check.severity)])
