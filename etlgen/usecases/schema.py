"""`etlgen schema`: what a spec file may say, as JSON Schema for editors."""

from collections.abc import Mapping
from typing import Any

from etlgen.kinds import Kind, load_kinds
from etlgen.report import document
from etlgen.report_schema import report_schema
from etlgen.spec.schema import one_file_schema, project_schema, source_schema
from etlgen.spec.split import PROJECT_SCHEMA, SOURCE_SCHEMA


def schema_of(what: str) -> dict[str, Any]:
    """Of `project` (etlgen.yaml), `source` (sources/*.yaml), `spec` (both in one) or `report`."""
    kinds = load_kinds()
    match what:
        case "project":
            return project_schema()
        case "source":
            return source_schema(kinds)
        case "report":
            return report_schema()
        case _:
            return one_file_schema(kinds)


def schema_files(kinds: Mapping[str, Kind]) -> dict[str, str]:
    """The schemas that the spec files of a project name in their first line."""
    return {
        PROJECT_SCHEMA: document(project_schema()),
        SOURCE_SCHEMA: document(source_schema(kinds)),
    }
