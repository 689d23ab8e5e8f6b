"""etlgen's side: projects of few and of many sources, and the commands that are run in them."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from benchmarks.generate.measure import Timed, cpu

ETLGEN = (sys.executable, "-m", "etlgen")
ADDED = "added"


def spec(sources: int) -> dict[str, Any]:
    """A project with so many sources, each a file of four columns."""
    return {
        "name": "many-etl",
        "destination": {"schema": "many"},
        "sources": {f"s{number:04}": source(f"orders_{number:04}") for number in range(sources)},
    }


def source(table: str) -> dict[str, Any]:
    """A source with one resource, as somebody who cares would describe it."""
    return {
        "kind": "file",
        "path": "${DATA_PATH}",
        "resources": {
            "orders": {
                "path": "orders.csv",
                "table": table,
                "write_disposition": "merge",
                "primary_key": ["order_id"],
                "columns": {
                    "order_id": {"type": "bigint"},
                    "customer": {"type": "text", "clean": ["strip"], "nullable": False},
                    "placed_on": {"type": "date"},
                    "total": {"type": "numeric(12,2)", "checks": [{"at_least": 0}]},
                },
            }
        },
    }


def new_project(folder: Path, sources: int) -> tuple[Path, float, float]:
    """The project, and how many CPU seconds `etlgen new` took for it, and Black in there."""
    folder.mkdir()
    file, root = written(folder / f"{sources}.yaml", spec(sources)), folder / str(sources)
    module = "benchmarks.generate.blackened"
    words = (sys.executable, "-m", module, "new", str(root), "--spec", str(file), "--yes")
    checkout = str(Path(__file__).parents[2])
    seconds, said = cpu(words, folder, {"PYTHONPATH": checkout})
    return root, seconds, float(said.split()[-1])


def help_command(folder: Path) -> Timed:
    """What every command pays before it begins."""
    return Timed((*ETLGEN, "--help"), folder)


def new_command(folder: Path) -> Timed:
    """A project with one source."""
    file, root = written(folder / "new.yaml", spec(1)), folder / "new"
    words = (*ETLGEN, "new", str(root), "--spec", str(file), "--yes")
    return Timed(words, folder, after=lambda: _removed(root))


def add_command(root: Path) -> Timed:
    """One more source; it is removed again before the next run."""
    file = written(root.parent / "added.yaml", source(ADDED))
    words = (*ETLGEN, "add-source", ADDED, "--spec", str(file), "--yes")
    undo = (*ETLGEN, "remove-source", ADDED, "--yes")

    def removed() -> None:
        cpu(undo, root)

    return Timed(words, root, after=removed)


def check_command(root: Path) -> Timed:
    """Every file of the project is looked at."""
    return Timed((*ETLGEN, "check"), root)


def generate_command(root: Path) -> Timed:
    """Nothing has changed, so nothing is to be written."""
    return Timed((*ETLGEN, "generate", "--yes"), root)


def written(file: Path, data: dict[str, Any]) -> Path:
    """The file with the data as JSON, which is YAML; a line for each value."""
    file.write_text(json.dumps(data, indent=2))
    return file


def _removed(root: Path) -> None:
    shutil.rmtree(root)
