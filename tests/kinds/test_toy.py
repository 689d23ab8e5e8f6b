"""A fourth kind of source, which lives in the tests alone: nothing else knows of it."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

import etlgen.kinds
from etlgen import cli
from etlgen.kinds import load_kinds
from etlgen.plan import plan_project
from etlgen.render import Renderer
from etlgen.render.lint import Linter
from etlgen.render.project import render_project
from etlgen.rendered import RenderedFile
from etlgen.spec.reading import read_project_file
from etlgen.templates import templates_root

pytestmark = pytest.mark.slow

TOY = Path(__file__).parent / "toy"
SPEC = """\
name: toy-etl
sources:
  box:
    kind: counter
    description: A box of numbers
    schedule: "@daily"
    start: 5
    resources:
      blocks:
        count: 7
        primary_key: [number]
        columns:
          number: {type: bigint, from: n, checks: [{at_least: 6, severity: warn}]}
          again: {type: text, default: none}
      class:
        count: 2
        columns: {id: {type: text}}
"""


@pytest.fixture(autouse=True)
def the_kind_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    folders = [*etlgen.kinds.__path__, str(TOY / "kind")]
    monkeypatch.setattr(etlgen.kinds, "__path__", folders)
    monkeypatch.delitem(sys.modules, "etlgen.kinds.counter", raising=False)


@pytest.fixture
def project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    (tmp_path / "spec.yaml").write_text(SPEC)
    command = ["new", "--spec", "spec.yaml", "--yes", "-C", str(tmp_path)]
    assert cli.run(command) == 0, capsys.readouterr().err
    return tmp_path / "toy-etl"


def python(project: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        env={"PATH": "/usr/bin:/bin", "HOME": str(project), "PYTHONPATH": "src"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_toy_kind_is_found_and_its_keys_are_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert list(load_kinds()) == ["counter", "database", "file", "rest_api"]
    (tmp_path / "spec.yaml").write_text(SPEC.replace("count: 7", "cuont: 7"))
    assert cli.run(["new", "--spec", str(tmp_path / "spec.yaml")]) == 3
    assert "10:9: unknown key 'cuont'; did you mean 'count'?" in capsys.readouterr().err
    assert cli.run(["schema"]) == 0
    assert "CounterSource" in capsys.readouterr().out


def test_a_toy_project_has_what_every_project_has(project: Path) -> None:
    files = {path.relative_to(project).as_posix() for path in project.rglob("*.*")}
    package = "src/toy_etl"
    assert files >= {
        "dags/toy_etl__box.py",
        "sources/box.yaml",
        f"{package}/runtime/numbers.py",
        f"{package}/sources/box/blocks.py",
        f"{package}/sources/box/class_.py",
        f"{package}/sources/box/connection.py",
        "tests/sources/test_box.py",
        ".etlgen/units/sources/box.json",
        ".etlgen/units/kinds/counter.json",
        ".etlgen/base/kinds/counter/src+toy_etl+runtime+numbers.py.base",
    }
    assert f"{package}/runtime/files.py" not in files
    numbers = (project / package / "runtime/numbers.py").read_bytes()
    assert numbers == (TOY / "runtime/numbers.py").read_bytes()


def test_a_toy_project_passes_its_tests(project: Path) -> None:
    # With Airflow installed the DAG is tested, too.
    said = python(project, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert "2 passed" in said or "6 passed" in said


def test_a_toy_project_loads_rows(project: Path, postgres_url: str) -> None:
    (project / ".env").write_text(f"TOY_ETL_DATABASE_URL={postgres_url}\n")
    python(project, "-m", "toy_etl", "run")
    python(project, "-m", "toy_etl", "run")
    engine = create_engine(postgres_url)
    with engine.connect() as connection:
        found = connection.execute(text("SELECT number, again FROM blocks ORDER BY number")).all()
        names = connection.execute(text('SELECT id FROM "class" ORDER BY id')).scalars().all()
    engine.dispose()
    assert [tuple(row) for row in found] == [(n, str(n)) for n in range(5, 12)]
    assert names == ["5", "6"]


def test_toy_templates_are_linted_as_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    contexts: dict[str, Any] = {}

    def keep(self: Renderer, template: str, path: str, context: Any, *_: Any, **__: Any) -> Any:
        contexts[template.removeprefix("templates/")] = context
        return RenderedFile(path, "", "etlgen", template)

    monkeypatch.setattr(Renderer, "render", keep)
    kinds = load_kinds()
    spec = read_project_file(SPEC, "spec.yaml", kinds)
    render_project(plan_project(spec, kinds))
    monkeypatch.undo()

    linter = Linter([TOY / "templates", templates_root()])
    templates = [name for name in linter.templates() if (TOY / "templates" / name).is_file()]
    assert len(templates) == 3
    for template in templates:
        assert linter.misplaced(template, contexts[template]) == []
