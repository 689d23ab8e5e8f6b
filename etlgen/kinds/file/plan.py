"""What the modules and tests of file resources say beyond what every resource says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any

from etlgen.kinds import KindPlan
from etlgen.kinds.file.dialect import CAPTURE
from etlgen.kinds.file.samples import Samples, make_samples
from etlgen.kinds.file.spec import KEYS, FileResource, FileSource, Ready
from etlgen.names import EnvName
from etlgen.pycode import Code, code
from etlgen.vocabulary.column import Column
from etlgen.vocabulary.derive import in_source
from etlgen.vocabulary.types import conversion

CLASSES = {
    "csv": ("CsvFiles", "csv_files"),
    "json_lines": ("JsonLines", "json_files"),
    "json_array": ("JsonArray", "json_files"),
    "parquet": ("ParquetFiles", "arrow_files"),
    "arrow": ("ArrowFiles", "arrow_files"),
    "excel": ("ExcelFiles", "excel_files"),
}
# What is not said of files is the runtime's default.
DEFAULTS: Mapping[str, Any] = {
    "delimiter": ",",
    "quote": '"',
    "encoding": "utf-8",
    "header_row": 1,
    "footer_rows": 0,
    "comment": None,
    "null_values": ("",),
    "sheet": None,
    "range": None,
    "compression": None,
    "member": "*",
}

UNITS = (("days", 86400), ("hours", 3600), ("minutes", 60), ("seconds", 1))


@dataclass(frozen=True, slots=True)
class FileFolder:
    """Where the files are: a variable, its default, or both. `example` goes into error messages.

    `samples_are_apart` says that no resource would read the sample file of another.
    """

    env: EnvName | None
    default: str | None
    example: str
    samples_are_apart: bool


@dataclass(frozen=True, slots=True)
class FileDetail:
    """One resource: how its files are read, and files made up for its tests.

    `archive` is the folder that published files go to.
    """

    files: Code
    archive: str | None
    is_partitioned: bool
    samples: Samples

    @property
    def code(self) -> tuple[Code, ...]:
        return (self.files,)

    @property
    def reads_files(self) -> bool:
        return True


def plan(source: FileSource) -> KindPlan:
    """A folder, and for each resource its dialect and its samples."""
    details = {name: _detail(one) for name, one in source.resources.items()}
    samples = {name: PurePosixPath(one.samples.file) for name, one in details.items()}
    are_apart = all(
        other == name or not sample.match(CAPTURE.sub("*", resource.path))
        for name, resource in source.resources.items()
        for other, sample in samples.items()
    )
    return KindPlan(_folder(source, are_apart), details)


def _folder(source: FileSource, samples_are_apart: bool) -> FileFolder:
    default = source.path.default
    return FileFolder(source.path.env, default, default or f"data/{source.name}", samples_are_apart)


def _detail(resource: FileResource) -> FileDetail:
    columns = resource.resolved_columns()
    return FileDetail(
        files=_files(resource, in_source(columns)),
        archive=resource.archive,
        is_partitioned=any(mark in resource.path for mark in "*?[{"),
        samples=make_samples(resource, columns),
    )


def _files(resource: FileResource, columns: Sequence[Column]) -> Code:
    """`CsvFiles("orders-*.csv", columns=[…], delimiter=";")`: what is not said is the default."""
    name, module = CLASSES[str(resource.format)]
    options: dict[str, Any] = {
        "columns": [
            column.from_names[0] if len(column.from_names) == 1 else column.from_names
            for column in columns
        ],
        **_dialect(resource, columns),
    }
    if resource.read == "new_files" and not resource.archive:  # there, all that is left is new
        options["only_new"] = True
    if resource.ready:
        options["ready"] = _ready(resource.ready)
    if resource.archive:
        options["archive"] = resource.archive
    return code(
        f"{name}({{pattern}}{''.join(f', {option}={{{option}}}' for option in options)})",
        imports=[f"runtime.{module}:{name}"],
        pattern=resource.path,
        **options,
    )


def _dialect(resource: FileResource, columns: Sequence[Column]) -> dict[str, Any]:
    """How the files are written, as far as it is not the runtime's default."""
    options: dict[str, Any] = {}
    for option, default in DEFAULTS.items():
        value = getattr(resource, option)
        says_something = resource.format in KEYS[option]
        if says_something and value != default:
            options[option] = list(value) if isinstance(value, tuple) else value
    if resource.format in ("json_lines", "json_array") and (documents := _documents(columns)):
        options["documents"] = documents
    if resource.format in ("parquet", "arrow") and (texts := _texts(columns)):
        options["texts"] = texts
    return options


def _ready(ready: Ready) -> Code:
    """`Ready(min_age=timedelta(minutes=5), marker="*.done")`."""
    options: dict[str, object] = {}
    if ready.min_age:
        options["min_age"] = _duration(ready.min_age)
    if ready.marker:
        options["marker"] = ready.marker
    if ready.count:
        options["count"] = ready.count
    return code(
        f"Ready({', '.join(f'{name}={{{name}}}' for name in options)})",
        imports=["runtime.files:Ready"],
        **options,
    )


def _duration(age: timedelta) -> Code:
    """`timedelta(minutes=5)`: in the largest unit that says it."""
    seconds = int(age.total_seconds())
    unit, size = next(one for one in UNITS if seconds % one[1] == 0)
    return code(
        f"timedelta({unit}={{number}})",
        imports=["from datetime import timedelta"],
        number=seconds // size,
    )


def _documents(columns: Sequence[Column]) -> list[str]:
    """The names under which JSON documents come, whose text is kept as it is written."""
    return [name for column in columns if column.type.name == "jsonb" for name in column.from_names]


def _texts(columns: Sequence[Column]) -> list[str]:
    """The names of columns that `transform` cleans or converts, which takes text."""
    cells = code("cells")
    return [
        name
        for column in columns
        if column.type.name not in ("text", "jsonb")
        and (column.clean or conversion(column, cells) or column.default is not None)
        for name in column.from_names
    ]
