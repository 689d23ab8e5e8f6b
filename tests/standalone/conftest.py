"""The shop project as this checkout generates it."""

from pathlib import Path

import pytest

from etlgen.usecases.new import Request, create

ROOT = Path(__file__).parents[2]
SPEC = ROOT / "fixtures/shop/shop.yaml"

Tree = dict[str, bytes]


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For reading only."""
    request = Request(spec=SPEC, base=tmp_path_factory.mktemp("generated"))
    return create(request, lambda changes: True).root


def tree(folder: Path) -> Tree:
    """Every file below a folder, and every folder that is empty."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else b""
        for path in sorted(folder.rglob("*"))
        if path.is_file() or not any(path.iterdir())
    }
