"""Kind `file`: a folder of CSV, JSON, Parquet, Arrow or Excel files, wherever it is."""

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
    runtime=tuple(
        Path("runtime") / f"{name}.py"
        for name in (
            *("files", "folders", "patterns", "compressed", "sample_files"),
            *("csv_files", "csv_lines", "csv_encoding"),
            *("json_files", "arrow_files", "excel_files"),
        )
    ),
    plan=plan,
)
