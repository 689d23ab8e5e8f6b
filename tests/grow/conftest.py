"""A project of one source, made once and copied, and command lines that work on it."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import etlgen
from etlgen.cli import run
from etlgen.usecases.new import Request, create
from etlgen.workspace.changes import ChangeSet

SHOP = """\
name: shop-etl
sources:
  shop: # our own
    kind: file
    path: data/shop
    resources:
      orders:
        path: orders.csv
        primary_key: [order_id]
        columns:
          order_id: {type: bigint, nullable: false}
          status: {type: text, clean: [strip, lower]}
          total: {type: numeric(12,2), checks: [{at_least: 0}]}
"""
CRM = """\
# who buys
kind: file
path: data/crm
resources:
  clients:
    path: clients.csv
    primary_key: [client_id]
    columns:
      client_id: {type: bigint}
      name: {type: text}
"""
VISITS = """\
resources:
  visits: # of clients
    path: visits.jsonl
    columns:
      at: {type: timestamptz}
"""
ORDERS = "src/shop_etl/sources/shop/orders.py"


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Project:
    """A project on disk and the command line in it."""

    root: Path
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *words: object) -> Result:
        code = run([str(words[0]), "-C", str(self.root), *map(str, words[1:])])
        captured = self.capsys.readouterr()
        return Result(code, captured.out, captured.err)

    def does(self, *words: object) -> Result:
        result = self(*words)
        assert result.code == 0, result.out + result.err
        return result

    def path(self, name: str) -> Path:
        return self.root / name

    def text(self, name: str) -> str:
        return self.path(name).read_text(encoding="utf-8")

    def write(self, name: str, text: str) -> None:
        self.path(name).parent.mkdir(parents=True, exist_ok=True)
        self.path(name).write_bytes(text.encode())

    def edit(self, name: str, old: str, new: str) -> None:
        text = self.text(name)
        assert old in text, f"{old!r} is not in {name}"
        self.write(name, text.replace(old, new, 1))

    def git(self, *words: str, ok: bool = True) -> str:
        identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
        done = subprocess.run(
            ["git", *identity, *words], cwd=self.root, capture_output=True, text=True
        )
        assert not ok or done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def committed(self, message: str = "as it is") -> None:
        if not self.path(".git").exists():
            self.git("init", "-q", "-b", "main")
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)

    def files(self) -> dict[str, bytes]:
        return tree(self.root)

    def at(self, root: Path) -> "Project":
        return Project(root, self.capsys)


def tree(root: Path) -> dict[str, bytes]:
    """Every file with its bytes, without git's and without caches."""
    found = {}
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in (".git", "__pycache__")]
        for name in names:
            path = Path(folder, name)
            inside = path.relative_to(root).as_posix()
            if inside != ".etlgen/lock":
                found[inside] = path.read_bytes()
    return found


def agree(changes: ChangeSet) -> bool:
    return True


def make(spec: str, folder: Path, name: str = "shop-etl") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "spec.yaml").write_text(spec)
    create(Request(folder / "spec.yaml", target=folder / name), agree)
    return folder / name


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(SHOP, tmp_path_factory.mktemp("made"))


@pytest.fixture
def project(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Project:
    shutil.copytree(made, tmp_path / "shop-etl")
    (tmp_path / "crm.yaml").write_text(CRM)
    (tmp_path / "visits.yaml").write_text(VISITS)
    return Project(tmp_path / "shop-etl", capsys)


@pytest.fixture
def newer(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A newer etlgen, with other templates where asked: `newer(orders=("old", "new"))`."""
    return lambda version="9.0.0", **edits: _become(monkeypatch, version, edits)


def _become(monkeypatch: pytest.MonkeyPatch, version: str, edits: dict[str, Any]) -> None:
    from etlgen import generation, units
    from etlgen.render import project as rendering
    from etlgen.usecases import check
    from etlgen.usecases import project as opening

    for module in (etlgen, generation, units, check, opening):
        monkeypatch.setattr(module, "__version__", version)
    real = _REAL_RENDERED

    def rendered(*arguments: Any, **options: Any) -> Iterator[Any]:
        for file in real(*arguments, **options):
            text = file.text
            for ending, (old, new) in edits.items():
                if file.path.endswith(ending):
                    assert old in text, f"{old!r} is not in {file.path}"
                    text = text.replace(old, new)
            yield type(file)(file.path, text, file.unit, file.template, file.resource)

    monkeypatch.setattr(rendering, "_rendered", rendered)


def _real() -> Any:
    from etlgen.render import project as rendering

    return rendering._rendered


_REAL_RENDERED = _real()
