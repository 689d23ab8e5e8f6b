"""Files move to the archive in Airflow's publish task, also when it is tried again."""

import subprocess
import sys
from pathlib import Path

import pytest

from ..real_data.project import Project
from .conftest import MakeProject, contents

pytestmark = pytest.mark.airflow

RESOURCE = """
things:
  path: "things_{day:%Y%m%d}.csv"
  write_disposition: append
  archive: done
  columns:
    day: {type: date, from: "{day}"}
    id: {type: integer}
"""
# The DAG runs in this process; moving fails as often as is said.
RUN = """
import logging, sys
from datetime import datetime, timedelta, UTC
from airflow.dag_processing.dagbag import DagBag
from airflow.utils.db import initdb
from box_etl.runtime.folders import LocalFolder

initdb()
move, failures = LocalFolder.move, int(sys.argv[1])

def failing(self, name, to):
    global failures
    failures -= 1
    if failures >= 0:
        raise OSError("the archive cannot be reached")
    move(self, name, to)

LocalFolder.move = failing
bag = DagBag(sys.argv[2])
dag = bag.dags["box_etl__box"]
for task in dag.tasks:
    task.retry_delay = timedelta(0)
run = dag.test(logical_date=datetime.fromisoformat(sys.argv[3]))
tasks = {one.task_id: (str(one.state), one.try_number) for one in run.get_task_instances()}
print("RUN", run.state, tasks["things.publish"])
"""


@pytest.fixture
def project(make_project: MakeProject, tmp_path: Path) -> Project:
    project = make_project(RESOURCE)
    kept = {k: v for k, v in project.environment.items() if not k.startswith("AIRFLOW_")}
    project.environment = kept | {
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(project.root / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }
    return project


def run(project: Project, day: str, failures: int = 0) -> str:
    """Run the DAG; gives its state, and that of `publish` with the number of its tries."""
    command = [sys.executable, "-c", RUN, str(failures), str(project.root / "dags"), day]
    done = subprocess.run(
        command, cwd=project.root, env=project.environment, capture_output=True, text=True
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("RUN ")]
    assert lines, done.stdout + done.stderr
    return lines[-1]


def files(inbox: Path) -> list[str]:
    found = (path for path in inbox.rglob("*") if path.is_file())
    return sorted(path.relative_to(inbox).as_posix() for path in found)


def test_a_published_file_is_in_the_archive_and_a_backfill_finds_the_next(
    project: Project, inbox: Path
) -> None:
    (inbox / "things_20260115.csv").write_text("id\n1\n2\n")
    assert run(project, "2026-01-16T00:00:00+00:00") == "RUN success ('success', 1)"
    assert files(inbox) == ["done/things_20260115.csv"]
    (inbox / "things_20260114.csv").write_text("id\n3\n")
    assert run(project, "2026-01-15T00:00:00+00:00").startswith("RUN success")
    assert files(inbox) == ["done/things_20260114.csv", "done/things_20260115.csv"]
    assert run(project, "2026-01-14T00:00:00+00:00").startswith("RUN success")
    assert [row["id"] for row in contents(project, "things")] == [3, 1, 2]


def test_a_publish_that_is_tried_again_moves_what_is_left(project: Project, inbox: Path) -> None:
    for day in ("20260115", "20260116"):
        (inbox / f"things_{day}.csv").write_text("id\n1\n")
    assert run(project, "2026-01-16T00:00:00+00:00", failures=1) == "RUN success ('success', 2)"
    assert files(inbox) == ["done/things_20260115.csv", "done/things_20260116.csv"]
    assert len(contents(project, "things")) == 2


def test_what_no_try_could_move_is_moved_by_the_next_run(project: Project, inbox: Path) -> None:
    (inbox / "things_20260115.csv").write_text("id\n1\n")
    assert run(project, "2026-01-16T00:00:00+00:00", failures=99).startswith("RUN failed")
    assert (files(inbox), len(contents(project, "things"))) == (["things_20260115.csv"], 1)
    assert run(project, "2026-01-17T00:00:00+00:00").startswith("RUN success")
    assert (files(inbox), len(contents(project, "things"))) == (["done/things_20260115.csv"], 1)
