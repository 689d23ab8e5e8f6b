"""A generated project loads from an API that has every fault there is (F30 to F32)."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import NullPool, create_engine, text

from etlgen.usecases.new import Request, create
from tests.kinds.hostile_api import FAULTS, STYLES, HostileApi, serve

# Without the part of a wait that only spreads the load.
HURRY = """
import tenacity
from things.runtime import http, loading
http.wait_random_exponential = lambda *_, **__: lambda state: 0.001
loading.wait_exponential = loading.wait_random = lambda *_, **__: tenacity.wait_none()
from things.cli import main
main()
"""
SPEC = """
name: things
destination: {schema: things}
sources:
  api:
    kind: rest_api
    url: ${API_URL}
    auth: {type: refresh_token, token_url: "${API_TOKEN_URL}", client_id: me,
           client_secret: "${API_SECRET}", refresh_token: "${API_REFRESH_TOKEN}"}
    rate_limit: 1000
    timeout: 1s
    resources:
"""
RESOURCE = """
      {style}:
        path: /{style}
        records: $.data[*]
        pages: {pages}
        primary_key: [id]
        write_disposition: {disposition}
        {cursor}
        columns:
          id: {{type: bigint}}
          name: {{type: text}}
          at: {{type: timestamptz}}
"""
# Half of them replace their table, half go on from a cursor.
MERGED = [style for number, style in enumerate(STYLES) if number % 2]


class Project:
    """Generated, and run in a process of its own against an API and a database."""

    def __init__(self, folder: Path, database: str) -> None:
        spec = folder / "spec.yaml"
        spec.write_text(SPEC + "".join(map(_resource, STYLES)))
        self.root = create(Request(spec, base=folder), lambda _: True).root
        self.database = database

    def run(self, api: HostileApi) -> subprocess.CompletedProcess[str]:
        settings = {
            "API_URL": api.url,
            "API_TOKEN_URL": f"{api.url}/token",
            "API_SECRET": "S3cr3t-canary",
            "API_REFRESH_TOKEN": "refresh-0",
            "THINGS_DATABASE_URL": self.database,
            "PYTHONPATH": str(self.root / "src"),
        }
        return subprocess.run(
            [sys.executable, "-c", HURRY, "run"],
            env=os.environ | settings,
            cwd=self.root,
            capture_output=True,
            text=True,
            timeout=300,
        )

    def keys(self) -> dict[str, list[int]]:
        """Of each style's table."""
        return {
            style: self._column(f"SELECT id FROM things.{style} ORDER BY id") for style in STYLES
        }

    def cursors(self) -> list[Any]:
        return self._column("SELECT cursor FROM etl_things.resources ORDER BY resource")

    def _column(self, sql: str) -> list[Any]:
        with create_engine(self.database, poolclass=NullPool).connect() as connection:
            return list(connection.execute(text(sql)).scalars())


def _resource(style: str) -> str:
    is_merged = style in MERGED
    return RESOURCE.format(
        style=style,
        pages=STYLES[style],
        disposition="merge" if is_merged else "replace",
        cursor="cursor: {field: at}" if is_merged else "",
    )


def everywhere(size: int) -> dict[str, list[int]]:
    return {style: list(range(1, size + 1)) for style in STYLES}


@pytest.fixture
def project(tmp_path: Path, postgres_url: str) -> Project:
    return Project(tmp_path, postgres_url)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_all_faults_at_once_lose_and_double_nothing(project: Project, seed: int) -> None:
    with serve(HostileApi(seed)) as api:
        done = project.run(api)

    assert done.returncode == 0, done.stderr
    assert project.keys() == everywhere(api.size)
    assert set(api.served) == {*FAULTS, "none", "401"}
    assert api.too_early == []
    assert not re.search("S3cr3t-canary|refresh-[0-9]|token-[0-9]", done.stdout + done.stderr)


@pytest.mark.slow
def test_an_api_that_ends_early_changes_nothing_and_the_next_run_starts_anew(
    project: Project,
) -> None:
    with serve(HostileApi(1, faults=False)) as api:
        assert project.run(api).returncode == 0
        before, cursors = project.keys(), project.cursors()

        api.size, api.broken = 90, {*STYLES} - {"one"}
        broken = project.run(api)
        assert broken.returncode == 1
        assert broken.stderr.count("answers 500") >= len(api.broken)
        assert project.keys() == before | {"one": everywhere(90)["one"]}
        assert project.cursors() == cursors

        api.broken = set()
        assert project.run(api).returncode == 0
        assert project.keys() == everywhere(90)


@pytest.mark.slow
@pytest.mark.parametrize("status", ["403", "404"])
def test_a_refusal_is_not_tried_again(project: Project, status: str) -> None:
    with serve(HostileApi(1, faults=False)) as api:
        api.refused = status
        done = project.run(api)

    assert done.returncode == 1
    assert api.served == {status: len(STYLES)}
