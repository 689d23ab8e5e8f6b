"""What is wrong between a resource and the arrays in it that become tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from etlgen.names import BadName, folded, module_name, table_name
from etlgen.spec.column import ColumnSpec
from etlgen.spec.problem import Problem


def explode_problems(
    table: str,
    primary_key: Sequence[str],
    columns: Mapping[str, ColumnSpec],
    children: Mapping[str, str],
) -> Iterator[Problem]:
    """`children` are the tables by the columns that have them."""
    names: dict[str, str] = {}
    for column, child in children.items():
        path = ("columns", column, "explode")
        if not primary_key:
            message = "explode needs a primary_key: each row of the new table says whose it is"
            hint = "add 'primary_key: [...]' to the resource"
            yield Problem(path, "explode_without_key", message, hint, at_key=True)
        try:
            table_name(child)
        except BadName as bad:
            hint = bad.hint or "give it a shorter 'table:'"
            yield Problem(path, "name", bad.message, hint, at_key=True)
        module = module_name(column)
        for name in (module, f"{module}_table"):
            twin = names.setdefault(name, column)
            if twin != column:
                message = f"the arrays {twin!r} and {column!r} would share a name in the code"
                yield Problem(("columns", column), "duplicate", message, "rename one", at_key=True)
        yield from _key_problems(table, primary_key, column, columns[column])


def _key_problems(
    table: str, primary_key: Sequence[str], name: str, column: ColumnSpec
) -> Iterator[Problem]:
    """Columns of elements that are called like the key of what holds them."""
    keys = {folded(key): key for key in primary_key}
    for element, said in column.explode.columns.items() if column.explode else ():
        key = keys.get(folded(element))
        if key is not None:
            message = f"each row has {key!r} of {table} already, which says whose it is"
            origin = "".join(said.from_names[:1])
            hint = "name it otherwise" + (f", and add 'from: {origin}'" if origin else "")
            path = ("columns", name, "explode", "columns", element)
            yield Problem(path, "duplicate", message, hint, at_key=True)
