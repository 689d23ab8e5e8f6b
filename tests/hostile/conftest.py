"""Each test generates into a folder of its own, stands in it, and leaves no canary behind."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from tests.hostile.projects import Etlgen, Project, Workshop


@pytest.fixture
def workshop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Workshop]:
    """A folder to generate in. Afterwards nothing that a spec or data said has been run."""
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)
    yield Workshop(tmp_path, Etlgen(capsys))
    structlog.reset_defaults()  # a project's logs go to where they went during the test
    for name in set(sys.modules) - before:
        if name.split(".")[0].startswith(Project.PREFIX):
            del sys.modules[name]
    assert [path for path in tmp_path.rglob("*canary*") if path.is_file()] == []
