"""What holds for all that is copied or rendered into a project."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from black import FileMode, TargetVersion, format_str

from etlgen.kinds import load_kinds
from etlgen.render.project import CORE_RUNTIME
from etlgen.style import LINE_LENGTH

from .contexts import ROOT, SHOP

TEMPLATES = ROOT / "templates"
RUNTIME = TEMPLATES / "runtime"
MODULES = sorted(RUNTIME.glob("*.py"))
# How a distribution's package is called, where it is not by its name.
PACKAGES = {"psycopg2-binary": "psycopg2", "python-dotenv": "dotenv"}
# What differs from one generation to the next.
UNSTABLE = re.compile(
    r"\b(now|today|utcnow|time\.time|random|uuid[0-9]?|secrets|gethostname|getuser|token_hex)\b"
)


def imported(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield str(node.module).split(".")[0]


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a generated project says of itself."""
    from etlgen.usecases.new import Request, create

    folder = tmp_path_factory.mktemp("declared")
    spec = folder / "spec.yaml"
    spec.write_text(SHOP, encoding="utf-8")
    root = create(Request(spec, folder), lambda changes: True).root
    project: dict[str, Any] = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    return project


def packages(requirements: list[str]) -> set[str]:
    names = {re.split(r"[<>=~!\[; ]", requirement)[0] for requirement in requirements}
    return {PACKAGES.get(name, name.replace("-", "_")) for name in names}


@pytest.fixture(scope="module")
def declared(described: dict[str, Any]) -> set[str]:
    """The packages that a generated project declares to need."""
    return packages(described["dependencies"])


@pytest.fixture(scope="module")
def optional(described: dict[str, Any]) -> set[str]:
    """Those that only some sources need, or only the tests."""
    return packages(
        [line for extra in described["optional-dependencies"].values() for line in extra]
    )


def test_every_runtime_module_belongs_to_the_core_or_to_one_kind() -> None:
    of_kinds = [TEMPLATES / path for kind in load_kinds().values() for path in kind.runtime]
    copied = [*(RUNTIME / name for name in CORE_RUNTIME), *of_kinds]
    assert sorted(copied) == MODULES
    assert list(CORE_RUNTIME) == sorted(CORE_RUNTIME)


def test_the_core_imports_nothing_of_a_kind() -> None:
    core = {name.removesuffix(".py") for name in CORE_RUNTIME}
    for name in CORE_RUNTIME:
        for node in ast.walk(ast.parse((RUNTIME / name).read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level == 1:
                names = [node.module] if node.module else [alias.name for alias in node.names]
                assert core.issuperset(names), name


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_a_runtime_module_imports_what_the_project_declares(
    module: Path, declared: set[str], optional: set[str]
) -> None:
    known = declared | optional | sys.stdlib_module_names
    assert set(imported(module)) - known == set()


FOR_EVERY_FILE = [TEMPLATES / path for path in load_kinds()["file"].runtime]


@pytest.mark.parametrize("module", FOR_EVERY_FILE, ids=lambda path: path.name)
def test_what_only_some_files_need_is_imported_where_it_is_used(
    module: Path, declared: set[str], optional: set[str]
) -> None:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    at_the_top = {
        str(node.module or "").split(".")[0] if isinstance(node, ast.ImportFrom) else name.name
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
    }
    assert at_the_top & (optional - declared) == set()


def test_every_declared_dependency_is_imported(declared: set[str]) -> None:
    templates = [path for path in TEMPLATES.rglob("*.py.jinja") if "tests" not in path.parts]
    text = "\n".join(path.read_text(encoding="utf-8") for path in templates)
    used = {name for module in MODULES for name in imported(module)}
    used |= set(re.findall(r"^(?:import|from) (\w+)", text, re.MULTILINE))
    assert declared - used <= {"tzdata"}  # the time zones of `zoneinfo`, which imports it


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_the_runtime_is_as_black_would_leave_it_in_a_project(module: Path) -> None:
    text = module.read_text(encoding="utf-8")
    mode = FileMode(target_versions={TargetVersion.PY311}, line_length=LINE_LENGTH)
    assert format_str(text, mode=mode) == text


@pytest.mark.parametrize(
    "template",
    sorted(TEMPLATES.rglob("*.jinja")),
    ids=lambda path: path.relative_to(TEMPLATES).as_posix(),
)
def test_nothing_in_a_template_differs_from_day_to_day(template: Path) -> None:
    inside = re.findall(r"\{[{%].*?[%}]\}", template.read_text(encoding="utf-8"), re.DOTALL)
    assert [expression for expression in inside if UNSTABLE.search(expression)] == []


def test_templates_are_text_with_an_end() -> None:
    for path in sorted(TEMPLATES.rglob("*")):
        if path.suffix in (".jinja", ".py") and path.stat().st_size:
            raw = path.read_bytes()
            assert raw.decode("utf-8").endswith("\n"), path
            assert b"\r" not in raw, path
            assert b"\t" not in raw or "Makefile" in path.name, path
