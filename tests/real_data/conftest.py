"""Projects of this folder's specs, each with a database of its own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ..conftest import Databases
from .project import Project

MakeProject = Callable[..., Project]


@pytest.fixture(scope="session")
def make_project(
    embedded_databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MakeProject]:
    """Generate a project from a spec, give it an empty database and say where its files are."""
    with ExitStack() as databases:

        def make(spec: str | Path, **settings: Path | str) -> Project:
            url = databases.enter_context(embedded_databases.one())
            return Project(spec, tmp_path_factory.mktemp("project"), url, settings)

        yield make
