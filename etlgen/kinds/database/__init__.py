"""Kind `database`: tables and queries of a database."""

from __future__ import annotations

from pathlib import Path

from etlgen.kinds import Kind
from etlgen.kinds.database.plan import plan
from etlgen.kinds.database.reflection import reflect
from etlgen.kinds.database.spec import DatabaseResource, DatabaseSource

KIND = Kind(
    name="database",
    source_model=DatabaseSource,
    resource_model=DatabaseResource,
    templates=Path("kinds/database"),
    runtime=tuple(
        Path("runtime") / f"{name}.py"
        for name in (
            "sample_database",
            "sql_bounds",
            "sql_copy",
            "sql_database",
            "sql_fetch",
            "sql_rows",
            "sql_sqlite",
        )
    ),
    plan=plan,
    reflect=reflect,
)
