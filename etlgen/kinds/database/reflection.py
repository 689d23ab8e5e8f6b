"""What a database holds, asked once: its tables with their columns, types and keys."""

from __future__ import annotations

import importlib.util
import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from types import ModuleType
from typing import Any

from etlgen.kinds import Reflected, Unreflectable
from etlgen.kinds.database.plan import password_name
from etlgen.kinds.database.whole import (
    NOT_NULL,
    is_excluded,
    is_whole,
    items,
    overrides_of,
    plain_name,
    texts,
)
from etlgen.names import shown
from etlgen.spec.problem import Problem
from etlgen.spec.settings import as_setting
from etlgen.templates import templates_root

RUNTIME = "etlgen_runtime"
NEEDED = ("sqlalchemy", "psycopg2")
UNKNOWN = re.compile(r"Did not recognize type '(?P<type>.*)' of column '(?P<column>.*)'")

Tree = dict[str, Any]


def reflect(raw: Mapping[str, Any], environment: Mapping[str, str]) -> Reflected:
    """The tables of the source's database, as they go into its spec.

    Raises `Unreflectable` with all that is wrong.
    """
    if not is_whole(raw):
        message = "this source names its tables itself; what is reflected is a whole database"
        hint = "write 'resources: \"*\"', with 'exclude' and 'overrides'"
        raise Unreflectable(Problem(("resources",), "whole", message, hint, at_key=True))
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        message = f"to look into a database etlgen needs {' and '.join(missing)}"
        raise Unreflectable(Problem((), "missing_extra", message, "pip install 'etlgen[database]'"))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = _looked_up(raw, environment)
    unknown = {
        match["column"]: match["type"]
        for warning in told
        if (match := UNKNOWN.search(str(warning.message)))
    }
    return _described(raw, found, unknown)


def _looked_up(raw: Mapping[str, Any], environment: Mapping[str, str]) -> Tree:
    """Each table's columns and key, as SQLAlchemy tells them."""
    from sqlalchemy import inspect

    errors, database = _runtime("errors"), _runtime("sql_database")
    url, password = _url(raw, environment)
    schema = raw.get("schema")
    try:
        reached = database.Database.at(url, password=password, schema=schema)
        with reached.snapshot() as connection:
            inspector = inspect(connection)
            if schema is not None and schema not in inspector.get_schema_names():
                message = f"the database has no schema {shown(str(schema))}"
                raise Unreflectable(Problem(("schema",), "schema", message))
            return {
                "dialect": connection.dialect.name,
                "columns": inspector.get_multi_columns(schema=schema),
                "keys": inspector.get_multi_pk_constraint(schema=schema),
            }
    except errors.PipelineError as error:
        message, hint = str(error.args[0]), error.hint or None
        raise Unreflectable(Problem(("url",), "connection", message, hint)) from None


def _url(raw: Mapping[str, Any], environment: Mapping[str, str]) -> tuple[str, str | None]:
    name = as_setting(raw.get("url")).env
    if name is None:
        message = "write ${NAME} here, and the URL into the environment"
        raise Unreflectable(Problem(("url",), "secret", message))
    if not environment.get(name):
        hint = f"set it in the environment, or in .env: {name}=postgresql://user@host:5432/database"
        raise Unreflectable(Problem(("url",), "environment", f"{name} is not set", hint))
    return environment[name], environment.get(password_name(name)) or None


def _runtime(name: str) -> ModuleType:
    """A module of the runtime, which reaches databases as the generated project does."""
    if RUNTIME not in sys.modules:
        folder = templates_root() / "runtime"
        spec = importlib.util.spec_from_file_location(
            RUNTIME, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        assert spec is not None
        sys.modules[RUNTIME] = importlib.util.module_from_spec(spec)
    return importlib.import_module(f"{RUNTIME}.{name}")


def _described(raw: Mapping[str, Any], found: Tree, unknown: Mapping[str, str]) -> Reflected:
    from etlgen.kinds.database.types import UNLIMITED, spec_type

    tables: Tree = {}
    problems: list[Problem] = []
    notes: list[str] = []
    for (schema, table), columns in sorted(found["columns"].items(), key=lambda one: one[0][1]):
        if is_excluded(raw, table):
            continue
        types: Tree = {}
        for column in columns:
            name, type = column["name"], spec_type(column["type"], found["dialect"])
            if type is None:
                type = unknown.get(name) or str(column["type"])
                if not _is_said(raw, table, name):
                    problems.append(_unknown(table, name, type))
            if type == UNLIMITED:
                notes.append(f"{table}.{name} has no precision, and becomes {UNLIMITED}")
            types[name] = type if column["nullable"] else f"{type}{NOT_NULL}"
        key = list((found["keys"].get((schema, table)) or {}).get("constrained_columns") or ())
        if not key and not any("primary_key" in said for _, said in overrides_of(raw, table)):
            notes.append(f"{table} has no primary key, so each run replaces it as a whole")
        tables[table] = {"key": key, "columns": types} if key else {"columns": types}
    problems += _nothing(raw, found, tables)
    if problems:
        raise Unreflectable(*problems)
    return Reflected({"reflected": tables}, (*notes, *_idle(raw, found)))


def _is_said(raw: Mapping[str, Any], table: str, column: str) -> bool:
    """Whether the spec says the type of a column, or leaves it out."""
    for _, said in overrides_of(raw, table):
        if {column, plain_name(column)}.intersection(texts(said.get("drop"))):
            return True
        for name, one in items(said.get("columns")):
            is_this = name == plain_name(column) or one.get("from") == column
            if is_this and "type" in one:
                return True
    return False


def _unknown(table: str, column: str, type: str) -> Problem:
    message = f"{table}.{column} is {shown(type)}, for which a spec has no type"
    said = f"{{columns: {{{plain_name(column)}: {{type: text}}}}}}"
    hint = f"say one: overrides: {{{table}: {said}}}, or leave the column out with 'drop'"
    return Problem(("resources",), "unknown_type", message, hint)


def _nothing(raw: Mapping[str, Any], found: Tree, tables: Tree) -> Iterator[Problem]:
    if not tables:
        where = f"schema {raw['schema']!r}" if raw.get("schema") else "database"
        message = f"the {where} has no tables that are not excluded"
        yield Problem(("resources",), "empty", message, f"it has {len(found['columns'])} in all")


def _idle(raw: Mapping[str, Any], found: Tree) -> Iterator[str]:
    names = [table for _, table in found["columns"]]
    for pattern in texts(raw.get("exclude")):
        if not any(fnmatchcase(name, pattern) for name in names):
            yield f"'exclude' names {shown(pattern)}, and there is no such table"
