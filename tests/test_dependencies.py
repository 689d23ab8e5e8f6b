"""One list of what a generated project needs: the extra `demo` is what its own file says."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from etlgen.taken import TAKEN
from etlgen.usecases.demo import NEEDED

ROOT = Path(__file__).parents[1]
PROJECT = ROOT / "tests" / "golden" / "shop" / "expected" / "pyproject.toml"


def project(file: Path) -> dict[str, dict[str, list[str]] | list[str]]:
    return tomllib.loads(file.read_text())["project"]  # type: ignore[no-any-return]


def listed(lines: list[str]) -> set[str]:
    return {line for line in lines if not line.startswith("etlgen[")}


def generated() -> set[str]:
    described = project(PROJECT)
    extras = described["optional-dependencies"]
    assert isinstance(extras, dict)
    assert isinstance(described["dependencies"], list)
    return listed(described["dependencies"]) | listed(extras["dev"])


def test_the_demo_brings_what_the_generated_project_asks_for() -> None:
    described = project(ROOT / "pyproject.toml")
    extras = described["optional-dependencies"]
    assert isinstance(extras, dict)
    assert isinstance(described["dependencies"], list)
    assert generated() <= listed(extras["demo"]) | listed(described["dependencies"])


def test_the_demo_looks_for_what_the_project_needs() -> None:
    modules = {name: set(found) for name, found in packages_distributions().items()}
    needed = {
        re.sub(r"[-_.]+", "-", Requirement(line).name).lower()
        for line in generated()
        if not line.startswith(("black", "openpyxl", "ruff", "pytest", "typer", "tzdata"))
    }
    looked_for = {
        re.sub(r"[-_.]+", "-", distribution).lower()
        for name in NEEDED
        for distribution in modules[name]
    }
    assert looked_for == needed


def closure(names: set[str]) -> set[str]:
    """The distributions that these bring along, as installed here."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        try:
            lines = requires(name) or []
        except PackageNotFoundError:
            continue
        found.add(name)
        wanted = [Requirement(line) for line in lines]
        waiting += [
            one.name for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""})
        ]
    return found


def top_level_modules(distributions: set[str]) -> set[str]:
    wanted = {re.sub(r"[-_.]+", "-", name).lower() for name in distributions}
    return {
        module
        for module, found in packages_distributions().items()
        if module.isidentifier()
        and "__" not in module.strip("_")
        and not module.startswith("_")
        and any(re.sub(r"[-_.]+", "-", name).lower() in wanted for name in found)
    }


def test_no_project_can_hide_a_module_that_it_needs() -> None:
    needed = closure({Requirement(line).name for line in generated()})
    assert top_level_modules(needed) - TAKEN == set()


@pytest.mark.airflow
def test_no_project_can_hide_a_module_that_airflow_needs() -> None:
    assert top_level_modules(closure({"apache-airflow"})) - TAKEN == set()
