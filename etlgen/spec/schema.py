"""JSON Schema of the spec's files, for editors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from pydantic import BaseModel

from etlgen.names import RESOURCE_PATTERN, SOURCE_PATTERN
from etlgen.spec.models import ProjectSpec, SourceSpec
from etlgen.spec.named import NAME

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]


class _Kind(Protocol):
    @property
    def source_model(self) -> type[SourceSpec]: ...


def project_schema() -> Schema:
    """Of `etlgen.yaml`."""
    return {"$schema": DIALECT, **_model_schema(ProjectSpec)}


def source_schema(kinds: Mapping[str, _Kind]) -> Schema:
    """Of `sources/<source>.yaml`."""
    return {"$schema": DIALECT, **_any_source(kinds)}


def one_file_schema(kinds: Mapping[str, _Kind]) -> Schema:
    """Of a project with its `sources:` inline."""
    project = _model_schema(ProjectSpec)
    source = _any_source(kinds)
    definitions = {**project.pop("$defs", {}), **source.pop("$defs"), "Source": source}
    project["properties"]["sources"] = {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": SOURCE_PATTERN},
        "additionalProperties": {"$ref": "#/$defs/Source"},
    }
    project["required"] = [*project["required"], "sources"]
    return {"$schema": DIALECT, **project, "$defs": definitions}


def _any_source(kinds: Mapping[str, _Kind]) -> Schema:
    definitions: Schema = {}
    branches: list[Schema] = []
    for name, kind in kinds.items():
        schema = _model_schema(kind.source_model)
        definitions |= schema.pop("$defs", {})
        schema["properties"]["resources"]["propertyNames"] = {"pattern": RESOURCE_PATTERN}
        definitions[kind.source_model.__name__] = schema
        branches.append(
            {
                "if": {"properties": {"kind": {"const": name}}},
                "then": {"$ref": f"#/$defs/{kind.source_model.__name__}"},
            }
        )
    return {
        "type": "object",
        "properties": {"kind": {"enum": list(kinds)}},
        "required": ["kind"],
        "allOf": branches,
        "$defs": definitions,
    }


def _model_schema(model: type[BaseModel]) -> Schema:
    schema: Schema = _tidy(model.model_json_schema(by_alias=True))
    return schema


def _tidy(node: Any) -> Any:
    """Without generated titles, and without the name that stands in the key."""
    if isinstance(node, list):
        return [item for item in map(_tidy, node) if item != NAME]
    if not isinstance(node, dict):
        return node
    return {
        key: _tidy(value)
        for key, value in node.items()
        if key != NAME and not (key == "title" and isinstance(value, str))
    }
