"""A real PostgreSQL for the tests: a server for the session, a database for each test."""

import importlib.util
import os
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from crm_etl import pipeline
from crm_etl.runtime import embedded
from crm_etl.runtime.connect import Destination
from crm_etl.runtime.resource import find_resource
from crm_etl.runtime.testing import for_samples, fresh_destination
from crm_etl.settings import HASH_KEY

DAGS = Path(__file__).parents[1] / "dags"


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        yield embedded.start(data)
        embedded.stop(data)


@pytest.fixture
def destination(server: str) -> Iterator[Destination]:
    with fresh_destination(server, f"test_{uuid4().hex}") as destination:
        yield destination


@pytest.fixture(autouse=True)
def settings_of_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test needs a secret."""
    monkeypatch.setenv(HASH_KEY, "a key for made-up rows")


@pytest.fixture(scope="session")
def airflow_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An Airflow of its own, with its metadata in SQLite."""
    if importlib.util.find_spec("airflow") is None:
        pytest.skip("needs the extra `airflow`")
    home = tmp_path_factory.mktemp("airflow")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AIRFLOW_")]:
            patch.delenv(name)
        patch.setenv("AIRFLOW_HOME", str(home))
        patch.setenv("AIRFLOW__CORE__DAGS_FOLDER", str(DAGS))
        patch.setenv("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
        patch.setenv("AIRFLOW__LOGGING__LOGGING_LEVEL", "ERROR")
        yield home


@pytest.fixture
def read_dag(airflow_home: Path) -> Callable[[str], Any]:
    """Reads a DAG afresh, as a worker does."""
    from airflow.dag_processing.dagbag import DagBag

    def read(dag_id: str) -> Any:
        bag = DagBag(DAGS)
        assert bag.import_errors == {}
        return bag.dags[dag_id]

    return read


@pytest.fixture
def run_dag(
    read_dag: Callable[[str], Any],
    destination: Destination,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[str], Any]:
    """Runs a DAG into the test's database; its retries do not wait."""
    from airflow.utils.db import initdb

    initdb()
    monkeypatch.setattr(pipeline, "open_destination", lambda: destination)
    monkeypatch.setattr(
        pipeline, "find_resource", lambda *names: for_samples(find_resource(*names))
    )

    def run(dag_id: str) -> Any:
        dag = read_dag(dag_id)
        for task in dag.tasks:
            task.retry_delay = timedelta(0)
        return dag.test()

    return run
