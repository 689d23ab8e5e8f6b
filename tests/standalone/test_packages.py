"""What users have: a project without its generator, and a generator without its checkout."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from etlgen.usecases.new import Request, create

from .conftest import ROOT, SPEC, tree

pytestmark = pytest.mark.package

# Packed into the wheel, and where.
PACKED = {"etlgen": "etlgen", "templates": "etlgen/_templates", "fixtures": "etlgen/_fixtures"}


@pytest.fixture
def outside(tmp_path: Path) -> dict[str, str]:
    """The environment of somebody who has no checkout; packages as in `constraints.txt`."""
    hidden = ("PYTHON", "VIRTUAL_ENV", "PYTEST", "COV", "MAKE", "MFLAGS", "SHOP_ETL")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    return {**kept, "PIP_CONSTRAINT": str(ROOT / "constraints.txt"), "TMPDIR": str(tmp_path)}


def done(*command: str | Path, cwd: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run to the end, successfully."""
    ended = subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, text=True, timeout=900, check=False
    )
    said = f"{' '.join(map(str, command))}\n{ended.stdout}{ended.stderr}"
    assert ended.returncode == 0, said
    return ended


def sources(folder: Path) -> set[str]:
    """The files below a folder of the checkout that are not made by running it."""
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and not any(part.endswith(("_cache", "cache__")) for part in path.parts)
    }


def test_a_project_passes_its_own_commands_without_etlgen(
    tmp_path: Path, outside: dict[str, str]
) -> None:
    root = create(Request(spec=SPEC, base=tmp_path), lambda changes: True).root
    shutil.copytree(ROOT / "fixtures/shop/data", root / "data")
    commands = re.findall(r"^make (\w+)", (root / "README.md").read_text(), re.MULTILINE)
    assert set(commands) >= {"run", "test"}
    for command in commands:
        done("make", command, f"PYTHON={sys.executable}", cwd=root, env=outside)

    programs = root / ".venv/bin"
    find = "import importlib.util as u; print(u.find_spec('etlgen'))"
    assert done(programs / "python", "-c", find, cwd=root, env=outside).stdout == "None\n"
    status = done(programs / "shop-etl", "status", cwd=root, env=outside).stdout
    for resource in ("catalog.products", "webshop.customers", "webshop.orders"):
        assert re.search(rf"^{resource} .* published ", status, re.MULTILINE), status
    done("make", "check", cwd=root, env=outside)


def test_the_wheel_generates_what_the_checkout_generates(
    tmp_path: Path, shop: Path, outside: dict[str, str]
) -> None:
    built, away = tmp_path / "built", tmp_path / "away"
    away.mkdir()
    # The wheel is made of the sdist: what one lacks, so does the other.
    done(sys.executable, "-m", "build", "--outdir", built, ROOT, cwd=away, env=outside)
    [wheel], [sdist] = built.glob("*.whl"), built.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as packed:
        names = {name for name in packed.namelist() if ".dist-info/" not in name}
    assert names == {
        f"{inside}/{file}" for folder, inside in PACKED.items() for file in sources(ROOT / folder)
    }
    with tarfile.open(sdist) as packed_too:
        tops = {Path(name).parts[1] for name in packed_too.getnames()}
    assert tops >= {*PACKED, "tests", "pyproject.toml", "constraints.txt"}

    done(sys.executable, "-m", "venv", away / "venv", cwd=away, env=outside)
    programs = away / "venv/bin"
    done(programs / "pip", "install", "--quiet", wheel, cwd=away, env=outside)
    shutil.copy(SPEC, away)
    done(programs / "etlgen", "new", "--spec", SPEC.name, "--yes", cwd=away, env=outside)
    assert tree(away / shop.name) == tree(shop)
    show = "import etlgen; print(etlgen.__file__)"
    assert str(away) in done(programs / "python", "-c", show, cwd=away, env=outside).stdout
