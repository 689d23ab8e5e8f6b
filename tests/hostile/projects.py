"""Projects generated from hostile specs through the command line, and what came out of it."""

import ast
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pytest
import yaml
from sqlalchemy import Row, create_engine, text

from etlgen.cli import run

Spec = dict[str, Any]


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Etlgen:
    """The command line, in this process."""

    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: object) -> Result:
        code = run([str(argument) for argument in arguments])
        captured = self.capsys.readouterr()
        return Result(code, captured.out, captured.err)


@dataclass(frozen=True)
class Project:
    """A generated project."""

    PREFIX: ClassVar = "hostile_"
    root: Path

    @property
    def package(self) -> str:
        return self.root.name.replace("-", "_")

    @property
    def files(self) -> list[Path]:
        """All that was generated, without what etlgen keeps for itself."""
        kept = self.root / ".etlgen"
        found = sorted(path for path in self.root.rglob("*") if path.is_file())
        return [path for path in found if not path.is_relative_to(kept)]

    def text(self, path: str) -> str:
        return (self.root / path.replace("PACKAGE", self.package)).read_text(encoding="utf-8")

    def constants(self, path: str) -> list[str]:
        """Every text constant of a Python file; docstrings as `inspect` would show them."""
        return [
            node.value
            for node in ast.walk(ast.parse(self.text(path)))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]

    def import_module(self, name: str) -> ModuleType:
        """A module of the package, in this process."""
        source = str(self.root / "src")
        if source not in sys.path:
            sys.path.insert(0, source)
        try:
            return importlib.import_module(f"{self.package}.{name}")
        finally:
            sys.path.remove(source)

    def load(self, url: str, resource: str) -> Any:
        """Load a resource from the files in `data`; gives the counts."""
        runtime = self.import_module("runtime.loading")
        connect = self.import_module("runtime.connect")
        found = self.import_module("runtime.resource").find_resource(
            self.import_module("sources"), resource
        )
        destination = connect.connect(connect.postgresql_url(url), "work", "tests")
        try:
            return runtime.load(destination, found, runtime.new_run_id())
        finally:
            destination.engine.dispose()

    def python(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """A Python that sees the project, in a process of its own."""
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": "src", **environment},
            capture_output=True,
            text=True,
            timeout=900,
        )

    def passes_its_tests(self) -> None:
        done = self.python("-m", "pytest", "-q", "-p", "no:cacheprovider")
        assert done.returncode == 0, done.stdout + done.stderr


@dataclass(frozen=True)
class Workshop:
    """A folder with the specs of a test and what became of them."""

    folder: Path
    etlgen: Etlgen

    def write(self, spec: Spec | str, name: str = "spec.yaml") -> Path:
        dumped = spec if isinstance(spec, str) else dumped_spec(spec)
        path = self.folder / name
        path.write_text(dumped, encoding="utf-8")
        return path

    def new(self, spec: Spec | str) -> Result:
        return self.etlgen("new", "--spec", self.write(spec), "--yes")

    def project(self, spec: Spec) -> Project:
        """The project of a spec that is accepted."""
        result = self.new(spec)
        assert result.code == 0, result.err
        return Project(self.folder / spec["name"])

    def refused(self, spec: Spec | str, *, code: int = 3) -> str:
        """What is said of a spec that is not, and of which nothing was written."""
        before = sorted(self.folder.rglob("*"))
        result = self.new(spec)
        assert result.code == code, result.out + result.err
        assert sorted(self.folder.rglob("*")) in (
            before,
            sorted([*before, self.folder / "spec.yaml"]),
        )
        assert "Traceback" not in result.err
        return result.err


def dumped_spec(spec: Spec) -> str:
    tree = json.loads(json.dumps(spec))  # PyYAML writes an anchor for what stands in it twice
    return yaml.safe_dump(tree, allow_unicode=True, sort_keys=False, width=1_000_000)


def shop(name: str, columns: Mapping[str, Any] | None = None, **resource: Any) -> Spec:
    """A small spec: one source, one resource of CSV files."""
    return {
        "name": name,
        "sources": {
            "box": {
                "kind": "file",
                "path": "data",
                "resources": {
                    "things": {
                        "path": "things.csv",
                        "columns": columns or {"id": {"type": "bigint"}},
                        **resource,
                    }
                },
            }
        },
    }


def rows(url: str, query: str) -> list[Row[Any]]:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return list(connection.execute(text(query)))
    finally:
        engine.dispose()
