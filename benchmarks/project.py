"""The generated project that is measured: the same file as three resources, one a disposition."""

import json
import os
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import URL

from benchmarks.data import COLUMNS, FILE, KEY, LINE_STATUSES, RETURN_FLAGS
from benchmarks.measure import Command
from etlgen.usecases.new import Request, create

PACKAGE = "lineitem_etl"
SCHEMA = "lineitem"
WORK_SCHEMA = "etl_lineitem_etl"
SOURCE = "tpch"
LOADS = ("replace", "append", "merge")  # each is a resource, and its table

# What somebody who cares would ask of such a file; `\copy` does none of it.
RULES: dict[str, dict[str, Any]] = {
    "l_quantity": {"checks": [{"at_least": 1}]},
    "l_extendedprice": {"checks": [{"at_least": 0}]},
    "l_discount": {"checks": [{"between": [0, 1]}]},
    "l_returnflag": {"checks": [{"one_of": list(RETURN_FLAGS)}]},
    "l_linestatus": {"checks": [{"one_of": list(LINE_STATUSES)}]},
    "l_comment": {"clean": ["strip"]},
}


def write_project(folder: Path) -> Path:
    """Generate the project into a new folder; gives what belongs on its `PYTHONPATH`."""
    spec = folder / "lineitem.yaml"
    spec.write_text(json.dumps(_spec()))
    return create(Request(spec, base=folder), lambda _: True).root / "src"


def run_command(python_path: Path, load: str, file: Path, url: URL) -> Command:
    """Load the file as this resource, as the project's user would."""
    settings = {
        "PYTHONPATH": str(python_path),
        "LINEITEM_PATH": str(file.parent),
        f"{PACKAGE.upper()}_DATABASE_URL": url.render_as_string(hide_password=False),
    }
    words = (sys.executable, "-m", PACKAGE, "run", f"{SOURCE}.{load}")
    return Command(words, os.environ | settings)


def _spec() -> dict[str, Any]:
    return {
        "name": "lineitem-etl",
        "destination": {"schema": SCHEMA, "work_schema": WORK_SCHEMA},
        "sources": {
            SOURCE: {
                "kind": "file",
                "path": "${LINEITEM_PATH}",
                "resources": {load: _resource(load) for load in LOADS},
            }
        },
    }


def _resource(load: str) -> dict[str, Any]:
    return {
        "path": FILE,
        "write_disposition": load,
        "read": "all_files",  # a run that loads nothing is fast
        **({"primary_key": list(KEY)} if load == "merge" else {}),
        "columns": {
            name: {"type": kind, "nullable": False, **RULES.get(name, {})}
            for name, kind in COLUMNS.items()
        },
    }
