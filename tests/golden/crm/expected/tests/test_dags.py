"""The DAGs parse quickly and have the shape that a load needs; `sources/` runs them."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crm_etl import sources
from crm_etl.runtime.resource import resource_names

FILES = sorted((Path(__file__).parents[1] / "dags").glob("*.py"))
DAG_IDS = [file.stem for file in FILES]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_parsing_imports_nothing_heavy(file: Path, airflow_home: Path) -> None:
    heavy = {"pandas", "pyarrow", "crm_etl.pipeline"}
    probe = (
        "import runpy, sys; runpy.run_path(sys.argv[1]);"
        f"print(sorted({heavy!r} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe, file], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]"


def test_every_resource_is_in_the_dag_of_its_source(
    read_dag: Callable[[str], Any],
) -> None:
    loaded = {
        f"{dag_id.rpartition('__')[2]}.{task.task_group.group_id}"
        for dag_id in DAG_IDS
        for task in read_dag(dag_id).tasks
    }
    assert loaded == set(resource_names(sources))


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_runs_do_not_overlap_and_errors_are_judged(
    dag_id: str, read_dag: Callable[[str], Any]
) -> None:
    dag = read_dag(dag_id)
    assert dag.max_active_runs == 1
    assert all(task.has_retry_policy for task in dag.tasks)


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_what_is_written_in_parts_is_always_audited(
    dag_id: str, read_dag: Callable[[str], Any]
) -> None:
    tasks = read_dag(dag_id).tasks
    written = {
        task.task_group.group_id for task in tasks if task.task_id.endswith(".write")
    }
    audited = {
        task.task_group.group_id
        for task in tasks
        if task.task_id.endswith(".audit") and task.trigger_rule == "none_failed"
    }
    assert written == audited
