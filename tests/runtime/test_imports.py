"""The runtime goes into every project as it is: it must stand on its own."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

RUNTIME = Path(__file__).parents[2] / "templates" / "runtime"
MODULES = sorted(RUNTIME.rglob("*.py"))


def imported(module: Path) -> Iterator[str]:
    """The packages that a module imports by an absolute name."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield (node.module or "").split(".")[0]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(RUNTIME)))
def test_a_runtime_module_knows_neither_the_generator_nor_its_own_package_by_name(
    module: Path,
) -> None:
    assert {"etlgen", "runtime"}.isdisjoint(imported(module))
