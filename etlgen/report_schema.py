"""The JSON Schema of what `--json` prints: published, so that programs can rely on it."""

from typing import Any

from etlgen.workspace.changes import Verb

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_TEXT = {"type": "string"}
_TEXT_OR_NULL = {"type": ["string", "null"]}
_PLACE = {"type": ["integer", "null"], "minimum": 1}
_COUNT = {"type": "integer", "minimum": 0}


def report_schema() -> dict[str, Any]:
    """Of one document of any command: what happened, what was checked, or what went wrong."""
    return {
        "$schema": DIALECT,
        "type": "object",
        "properties": {
            "ok": {"type": "boolean", "description": "Whether exit_code is 0."},
            "exit_code": {"enum": [0, 1, 2, 3, 4, 5, 6, 130]},
            "findings": {"type": "array", "items": _finding()},
        },
        "required": ["ok", "exit_code", "findings"],
        "oneOf": [_changed(), _checked(), _failed()],
    }


def _changed() -> dict[str, Any]:
    return {
        "title": "What a command did to a project, or with --dry-run would do",
        "properties": {
            "root": {**_TEXT, "description": "The project's folder."},
            "written": {"type": "boolean"},
            "changes": {"type": "array", "items": _change()},
            "next": {"type": "array", "items": _TEXT, "description": "What to type next."},
        },
        "required": ["root", "written", "changes", "next"],
    }


def _checked() -> dict[str, Any]:
    return {
        "title": "What check found",
        "properties": {
            "root": _TEXT,
            "notes": {"type": "array", "items": _TEXT, "description": "What was not judged."},
            "units": _COUNT,
            "files": _COUNT,
            "edited": {**_COUNT, "description": "Files that the team changed."},
        },
        "required": ["root", "notes", "units", "files", "edited"],
    }


def _failed() -> dict[str, Any]:
    return {
        "title": "What went wrong",
        "properties": {
            "ok": {"const": False},
            "error": {**_TEXT, "description": "The kind of error."},
            "skeleton": {**_TEXT, "description": "YAML to fill in, where answers are missing."},
        },
        "required": ["error"],
    }


def _change() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "path": {**_TEXT, "description": "In the project, with slashes."},
            "verb": {"enum": [str(verb) for verb in Verb]},
            "unit": {**_TEXT_OR_NULL, "description": "null for a file of the team's own."},
            "origin": {**_TEXT, "description": "Where the file was, if it moves."},
            "note": _TEXT,
            "diff": {**_TEXT, "description": "With --diff: a unified diff."},
        },
        "required": ["path", "verb", "unit"],
        "additionalProperties": False,
    }


def _finding() -> dict[str, Any]:
    properties = {
        "file": _TEXT_OR_NULL,
        "line": _PLACE,
        "column": _PLACE,
        "code": _TEXT,
        "message": _TEXT,
        "hint": _TEXT_OR_NULL,
    }
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
