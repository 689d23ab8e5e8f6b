"""Each golden project comes out byte for byte, is well-formed, and passes its own tests."""

import ast
import difflib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from etlgen.usecases.new import Request, create
from tests.golden.cases import CASES, FOLDER, expected, generate

RUNTIME = Path(__file__).parents[2] / "templates" / "runtime"


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def project(case: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp(case) / "project"
    create(Request(FOLDER / case / "spec.yaml", target=target), lambda _: True)
    return target


def test_the_project_is_the_expected_one(case: str, tmp_path: Path) -> None:
    made, golden = generate(case, tmp_path / "project"), expected(case)
    differences = [
        line
        for name in sorted(made.keys() | golden.keys())
        for line in difflib.unified_diff(
            golden.get(name, "").splitlines(),
            made.get(name, "").splitlines(),
            f"tests/golden/{case}/expected/{name}",
            f"made now: {name}",
            lineterm="",
        )
    ]
    shown = "\n".join(differences[:200])
    assert made == golden, f"{shown}\n\nIf this is what you want: make regen"


def test_the_runtime_is_copied_byte_for_byte(project: Path) -> None:
    copied = sorted(project.glob("src/*/runtime/*.py"))
    assert len(copied) > 20
    for module in copied:
        assert module.read_bytes() == (RUNTIME / module.name).read_bytes()


def test_it_does_not_need_etlgen(project: Path) -> None:
    for module in project.rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.Import):
                assert not any(name.name.partition(".")[0] == "etlgen" for name in node.names)
            if isinstance(node, ast.ImportFrom):
                assert (node.module or "").partition(".")[0] != "etlgen"


def test_its_own_check_is_green(project: Path) -> None:
    for command in (["ruff", "check", "."], ["black", "--check", "--quiet", "."]):
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=project, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_its_own_tests_are_green(project: Path) -> None:
    passed = _pytest(project, "not dag")
    assert " passed" in passed
    assert "skipped" not in passed


@pytest.mark.airflow
def test_airflow_runs_its_dags(project: Path) -> None:
    passed = _pytest(project, "dag")
    assert " passed" in passed
    assert "skipped" not in passed


ORDER = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
dag = DagBag(sys.argv[1]).dags["store__erp"]
print(json.dumps({task.task_id: sorted(task.upstream_task_ids) for task in dag.tasks}))
"""


@pytest.mark.airflow
def test_a_dag_loads_first_what_others_are_read_for(tmp_path: Path) -> None:
    project = tmp_path / "store"
    create(Request(FOLDER / "store" / "spec.yaml", target=project), lambda _: True)
    done = subprocess.run(
        [sys.executable, "-c", ORDER, project / "dags"],
        cwd=project,
        env={
            **os.environ,
            "PYTHONPATH": str(project / "src"),
            "AIRFLOW_HOME": str(tmp_path),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    before = json.loads(done.stdout.splitlines()[-1])
    assert before["payments.plan"] == ["orders.load"]
    assert before["orders.load"] == before["customers.load"] == []


def _pytest(project: Path, chosen: str) -> str:
    """What the project's own pytest prints; a red one fails the test that asks."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", chosen],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project / "src")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
