"""Projects of specs that stand in the test, each with a database and folders of its own."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from ..real_data.data import Row
from ..real_data.project import Project

MakeProject = Callable[..., Project]
LINEAGE = ("_run_id", "_loaded_at", "_source_file", "_source_row", "_extra")


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    """The folder that a source reads."""
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


@pytest.fixture
def make_project(tmp_path: Path, postgres_url: str, inbox: Path) -> MakeProject:
    """A project whose source `box` has these resources, in YAML, and reads `inbox`."""

    def make(resources: str, **settings: Path | str) -> Project:
        spec = {
            "name": "box-etl",
            "destination": {"schema": "box"},
            "sources": {
                "box": {
                    "kind": "file",
                    "path": "${BOX_PATH}",
                    "resources": yaml.safe_load(resources),
                }
            },
        }
        (tmp_path / "spec.yaml").write_text(yaml.safe_dump(spec, sort_keys=False))
        return Project(
            tmp_path / "spec.yaml", tmp_path, postgres_url, {"BOX_PATH": inbox, **settings}
        )

    return make


def contents(project: Project, table: str) -> list[Row]:
    """The rows of a table in the order of their files."""
    return [
        {name: value for name, value in row.items() if name not in LINEAGE}
        for row in project.rows(table)
    ]
