"""Kind `file`: a folder of CSV, TSV or JSON files."""

from __future__ import annotations

from pathlib import Path

from etlgen.kinds import Kind
from etlgen.kinds.file.plan import plan
from etlgen.kinds.file.spec import FileResource, FileSource

KIND = Kind(
    name="file",
    source_model=FileSource,
    resource_model=FileResource,
    templates=Path("kinds/file"),
    runtime=(
        Path("runtime/files.py"),
        Path("runtime/csv_files.py"),
        Path("runtime/json_files.py"),
    ),
    plan=plan,
)
