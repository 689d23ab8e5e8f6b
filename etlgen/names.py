"""Identifiers as types: made (and refused) here once, trusted everywhere else."""

from __future__ import annotations

import difflib
import keyword
import re
import sys
import unicodedata
from typing import NewType

from etlgen.pycode import is_visible
from etlgen.taken import TAKEN

PROJECT_FILE = "etlgen.yaml"

ProjectName = NewType("ProjectName", str)
PackageName = NewType("PackageName", str)
ModuleName = NewType("ModuleName", str)
SourceName = NewType("SourceName", str)
ResourceName = NewType("ResourceName", str)
ColumnName = NewType("ColumnName", str)
TableName = NewType("TableName", str)
SchemaName = NewType("SchemaName", str)
EnvName = NewType("EnvName", str)

PROJECT_PATTERN = r"^[a-z][a-z0-9]*([_-][a-z0-9]+)*$"
PACKAGE_PATTERN = r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$"
SOURCE_PATTERN = r"^[a-z][a-z0-9]*([_-][a-z0-9]+)*$"
RESOURCE_PATTERN = r"^[A-Za-z_][A-Za-z0-9_-]*$"
ENV_PATTERN = r"^[A-Z][A-Z0-9_]*$"

LONGEST_PROJECT = 50  # leaves room in 63 bytes for what is put before or after it
LONGEST_SQL_NAME = 63  # bytes that PostgreSQL keeps of a name

LINEAGE_COLUMNS = (
    *("_run_id", "_loaded_at", "_source_file", "_source_row"),
    *("_deleted_at", "_extra"),
)

# Names that Windows keeps for devices, with any suffix.
DEVICES = {"con", "prn", "aux", "nul"} | {f"{d}{n}" for d in ("com", "lpt") for n in range(1, 10)}


class BadName(ValueError):
    """A name that cannot be used, and what to write instead."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def project_name(text: str) -> ProjectName:
    """`shop-etl`: names a folder, a package, a command and DAGs, so it is plain and short."""
    _slug(text, PROJECT_PATTERN, "a project name", LONGEST_PROJECT)
    package = text.replace("-", "_")
    if _hides_module(package):
        raise BadName(
            f"a project named {shown(text)} would hide the Python module {package!r}",
            f"write {f'{text}-etl'!r}",
        )
    return ProjectName(text)


def import_package(text: str) -> PackageName:
    """A package that is named otherwise than its project: `shop_pipelines`."""
    _slug(text, PACKAGE_PATTERN, "a package name", LONGEST_PROJECT)
    if _hides_module(text):
        raise BadName(
            f"a package named {shown(text)} would hide the Python module {text!r}",
            f"write {f'{text}_etl'!r}",
        )
    return PackageName(text)


def _hides_module(package: str) -> bool:
    return package in sys.stdlib_module_names or package in TAKEN or keyword.iskeyword(package)


def package_name(project: ProjectName) -> PackageName:
    """The import package of a project: `shop-etl` -> `shop_etl`."""
    return PackageName(project.replace("-", "_"))


def source_name(text: str) -> SourceName:
    """Names a YAML file, a package, a DAG and a word on the command line."""
    _slug(text, SOURCE_PATTERN, "a source name", LONGEST_PROJECT)
    return SourceName(text)


def resource_name(text: str) -> ResourceName:
    """Names a module and a word on the command line; a table of any other name has `table:`."""
    _sql_name(text, "a resource name")
    if not re.match(RESOURCE_PATTERN, text):
        raise BadName(
            f"{shown(text)} cannot be a resource name: it takes letters a-z, digits, '_' and '-'",
            f"name it {module_name(text)!r} and put the other name into 'table:'",
        )
    _refuse_device(text, "a resource name")
    return ResourceName(text)


def module_name(text: str) -> ModuleName:
    """A module name made of any name: `class` -> `class_`, `Order Details` -> `order_details`."""
    folded = re.sub(r"[^a-z0-9]+", "_", unicodedata.normalize("NFKC", text).casefold()).strip("_")
    if not folded or folded[0].isdigit():
        folded = f"n{folded}"
    return ModuleName(f"{folded}_" if keyword.iskeyword(folded) else folded)


def column_name(text: str) -> ColumnName:
    """Any visible text of at most 63 bytes: it stays as it is in SQL and is a key in pandas."""
    _sql_name(text, "a column name")
    if text.startswith("_"):
        raise BadName(
            f"{shown(text)} cannot be a column name: '_' starts the lineage columns "
            f"({', '.join(LINEAGE_COLUMNS)})",
            f"name it {text.lstrip('_') or 'column'!r} and add 'from: {text}'",
        )
    return ColumnName(text)


def table_name(text: str) -> TableName:
    """Any visible text of at most 63 bytes; it is quoted wherever SQL needs it."""
    _sql_name(text, "a table name")
    return TableName(text)


def schema_name(text: str) -> SchemaName:
    """A PostgreSQL schema, not one of PostgreSQL's own."""
    _sql_name(text, "a schema name")
    if text.startswith("pg_") or text == "information_schema":
        raise BadName(f"{shown(text)} cannot be a schema name: PostgreSQL keeps it for itself")
    return SchemaName(text)


def env_name(text: str) -> EnvName:
    """An environment variable: `WEBSHOP_PATH`."""
    if not re.fullmatch(ENV_PATTERN[1:-1], text):
        suggestion = module_name(text).upper()
        raise BadName(
            f"{shown(text)} cannot be an environment variable: it takes A-Z, 0-9 and '_'",
            f"write {suggestion!r}",
        )
    return EnvName(text)


def folded(name: str) -> str:
    """Two names with the same folding are one name to a reader, to Python or to Windows."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).strip()


def shown(text: str) -> str:
    """A name inside a message: quoted, escaped, cut."""
    cut = text if len(text) <= 60 else f"{text[:57]}..."
    return ascii(cut) if not all(map(is_visible, cut)) else repr(cut)


def _slug(text: str, pattern: str, what: str, longest: int) -> None:
    if len(text) > longest:
        raise BadName(f"{shown(text)} cannot be {what}: {len(text)} characters, at most {longest}")
    if not re.fullmatch(pattern[1:-1], text):
        is_package = pattern == PACKAGE_PATTERN
        suggestion = module_name(text).strip("_").replace("_", "_" if is_package else "-")
        joints = "'_'" if is_package else "'-' or '_'"
        raise BadName(
            f"{shown(text)} cannot be {what}: it takes a-z, 0-9 and single {joints} "
            "between them, and starts with a letter",
            f"write {suggestion!r}",
        )
    _refuse_device(text, what)


def _refuse_device(text: str, what: str) -> None:
    if text.lower() in DEVICES:
        raise BadName(f"{shown(text)} cannot be {what}: Windows keeps it for a device")


def _sql_name(text: str, what: str) -> None:
    if not text.strip():
        raise BadName(f"{shown(text)} cannot be {what}: it is empty")
    if text != text.strip():
        raise BadName(
            f"{shown(text)} cannot be {what}: a space at its end", f"write {text.strip()!r}"
        )
    hidden = next((c for c in text if not is_visible(c)), None)
    if hidden is not None:
        raise BadName(
            f"{shown(text)} cannot be {what}: it holds the invisible character U+{ord(hidden):04X}"
        )
    size = len(text.encode("utf-8"))
    if size > LONGEST_SQL_NAME:
        raise BadName(
            f"{shown(text)} cannot be {what}: {size} bytes, PostgreSQL keeps {LONGEST_SQL_NAME}"
        )


def did_you_mean(word: str, known: list[str]) -> str | None:
    """A hint towards the nearest known word."""
    near = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else None
