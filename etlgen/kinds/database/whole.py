"""`resources: "*"`: every table that the spec says was reflected, but for what is excluded.

What holds for some tables is said once, by a pattern of their names. Nothing here asks a database.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any, TypeGuard

from etlgen.names import did_you_mean, module_name, shown
from etlgen.spec.expansion import Expansion
from etlgen.spec.problem import Path, Problem

ALL = "*"
NOT_NULL = " not null"
# Keys of a resource that are about one column, named in them as `field`.
OF_A_FIELD = ("cursor", "deleted", "partition_by")

Tree = Mapping[str, Any]


def is_whole(raw: Tree) -> bool:
    """Whether the source is a whole database."""
    return raw.get("resources") == ALL


def expanded(raw: Tree) -> Expansion:
    """The source with a resource for each table; as it is where it names its resources itself."""
    if not is_whole(raw):
        only = [key for key in ("exclude", "overrides", "reflected") if key in raw]
        message = "is for 'resources: \"*\"', where all tables are read"
        return Expansion(
            raw, problems=tuple(Problem((key,), "whole", message, at_key=True) for key in only)
        )
    reflected = raw.get("reflected")
    if not _is_reflection(reflected):
        message = "which tables the database has is not in this file yet"
        hint = "run etlgen reflect and the source's name: it looks once, and writes it here"
        problem = Problem(("resources",), "not_reflected", message, hint)
        return Expansion(raw, problems=(problem,), is_whole=False)
    tables = [_Table.of(name, found, raw) for name, found in _chosen(reflected, raw)]
    resources = {table.name: table.resource() for table in tables}
    whole = _Whole({table.name: table for table in tables})
    problems = (*_idle_overrides(raw, reflected), *_twins(tables))
    return Expansion({**raw, "resources": resources}, whole.placed, problems)


def is_excluded(raw: Tree, table: str) -> bool:
    """Whether the source leaves this table out."""
    return any(fnmatchcase(table, pattern) for pattern in texts(raw.get("exclude")))


def overrides_of(raw: Tree, table: str) -> list[tuple[str, Tree]]:
    """What the source says of this table, by the pattern that says it."""
    found = items(raw.get("overrides"))
    return [(pattern, said) for pattern, said in found if fnmatchcase(table, pattern)]


def plain_name(text: str) -> str:
    """`InvoiceLine` and `creditLimit` as SQL has them: `invoice_line`, `credit_limit`."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", text)
    return re.sub(r"\W+", "_", apart.lower()).strip("_") or "column"


@dataclass(frozen=True)
class _Table:
    """A table as it was reflected, and what the spec says of it."""

    origin: str
    key: tuple[str, ...]
    columns: Mapping[str, str]  # names in the database -> type, perhaps not null
    overrides: list[tuple[str, Tree]] = field(default_factory=list)

    @classmethod
    def of(cls, origin: str, reflected: Tree, raw: Tree) -> _Table:
        overrides = overrides_of(raw, origin)
        dropped = {name for _, said in overrides for name in texts(said.get("drop"))}
        columns = {
            name: str(type)
            for name, type in reflected["columns"].items()
            if not {name, plain_name(name)} & dropped
        }
        return cls(origin, tuple(texts(reflected.get("key"))), columns, overrides)

    @property
    def name(self) -> str:
        names = [said["name"] for _, said in self.overrides if isinstance(said.get("name"), str)]
        return names[-1] if names else module_name(plain_name(self.origin))

    def column_names(self) -> dict[str, str]:
        """What each column is called in the destination: as an override says, or plainly."""
        said = {
            column["from"]: name
            for _, override in self.overrides
            for name, column in items(override.get("columns"))
            if isinstance(column.get("from"), str)
        }
        return {origin: said.get(origin, plain_name(origin)) for origin in self.columns}

    def resource(self) -> dict[str, Any]:
        """The raw resource, as somebody would have written it out."""
        names = self.column_names()
        key = [names[origin] for origin in self.key if origin in names]
        resource: dict[str, Any] = {"from": self.origin}
        if key and len(key) == len(self.key):
            resource["primary_key"] = key
        columns = {
            names[origin]: self._column(origin, names[origin], key) for origin in self.columns
        }
        for pattern, said in self.overrides:
            resource |= {
                name: value
                for name, value in said.items()
                if name not in ("columns", "drop", "name")
                and (not is_pattern(pattern) or _fits(name, value, columns))
            }
            for name, column in items(said.get("columns")):
                if name in columns:
                    columns[name] = {**columns[name], **column}
                elif not is_pattern(pattern):
                    columns[name] = dict(column)
        return {**resource, "columns": columns}

    def _column(self, origin: str, name: str, key: list[str]) -> dict[str, Any]:
        text = self.columns[origin]
        column: dict[str, Any] = {"type": text.removesuffix(NOT_NULL)}
        if name != origin:
            column["from"] = origin
        if text.endswith(NOT_NULL) and name not in key:
            column["nullable"] = False
        return column

    def place(self, path: Path) -> Path:
        """Where it stands in the file what a path within the resource leads to."""
        for pattern, said in reversed(self.overrides):
            if path and _leads(said, path[: 3 if path[0] == "columns" else 1]):
                return ("overrides", pattern, *path)
        origins = {name: origin for origin, name in self.column_names().items()}
        if path[:1] == ("columns",) and len(path) > 1 and path[1] in origins:
            return ("reflected", self.origin, "columns", origins[str(path[1])])
        return ("reflected", self.origin)


@dataclass(frozen=True)
class _Whole:
    tables: Mapping[str, _Table]

    def placed(self, problem: Problem) -> Problem:
        """The problem where it stands in the file, with the table that it is of."""
        match problem.path:
            case ("resources", str(name), *rest) if name in self.tables:
                table = self.tables[name]
                message = f"{table.origin}: {problem.message}"
                hint = problem.hint or f"say otherwise in overrides, below {table.origin!r}"
                path = table.place(tuple(rest))
                return replace(problem, path=path, message=message, hint=hint)
        return problem


def is_pattern(text: str) -> bool:
    """Whether a text may mean several names."""
    return any(mark in text for mark in "*?[")


def _chosen(reflected: Tree, raw: Tree) -> Iterator[tuple[str, Tree]]:
    for name, found in reflected.items():
        if not is_excluded(raw, name):
            yield name, found


def _is_reflection(value: Any) -> TypeGuard[Tree]:
    return isinstance(value, Mapping) and all(
        isinstance(table, Mapping) and isinstance(table.get("columns"), Mapping)
        for table in value.values()
    )


def _idle_overrides(raw: Tree, reflected: Tree) -> Iterator[Problem]:
    overrides = raw.get("overrides")
    for pattern in overrides if isinstance(overrides, Mapping) else ():
        if not any(fnmatchcase(name, pattern) for name, _ in _chosen(reflected, raw)):
            hint = did_you_mean(pattern, list(reflected)) or f"tables: {', '.join(reflected)}"
            message = f"{shown(pattern)} is the name of no table that is read"
            yield Problem(("overrides", pattern), "idle", message, hint, at_key=True)


def _twins(tables: Iterable[_Table]) -> Iterator[Problem]:
    """Names of a database that differ in less than names of a project may."""
    seen: dict[str, str] = {}
    for table in tables:
        other = seen.setdefault(table.name, table.origin)
        if other != table.origin:
            message = f"{other!r} and {table.origin!r} would both be the resource {table.name!r}"
            hint = (
                f"exclude one, or name it: overrides: {{{table.origin}: {{name: {table.name}_2}}}}"
            )
            yield Problem(("reflected", table.origin), "duplicate", message, hint, at_key=True)
        columns: dict[str, str] = {}
        for origin, name in table.column_names().items():
            twin = columns.setdefault(name, origin)
            if twin != origin:
                message = f"{table.origin}: {twin!r} and {origin!r} would both be {name!r}"
                said = f"{{{name}_2: {{from: {origin}}}}}"
                hint = f"name one: overrides: {{{table.origin}: {{columns: {said}}}}}"
                path = ("reflected", table.origin, "columns", origin)
                yield Problem(path, "duplicate", message, hint, at_key=True)


def _fits(key: str, value: Any, columns: Tree) -> bool:
    """Whether the table has the columns that a pattern's key speaks of."""
    if key in OF_A_FIELD and isinstance(value, Mapping):
        return value.get("field") in columns
    return key != "primary_key" or all(name in columns for name in texts(value))


def _leads(tree: Any, path: Path) -> bool:
    for step in path:
        if not isinstance(tree, Mapping) or step not in tree:
            return False
        tree = tree[step]
    return True


def items(value: Any) -> Iterable[tuple[str, Tree]]:
    """The mappings in a mapping, where the spec has one; others are for its models to refuse."""
    found = value.items() if isinstance(value, Mapping) else ()
    return [(name, one) for name, one in found if isinstance(one, Mapping)]


def texts(value: Any) -> list[str]:
    """One text, or several."""
    if isinstance(value, str):
        return [value]
    return [str(item) for item in value] if isinstance(value, list | tuple) else []
