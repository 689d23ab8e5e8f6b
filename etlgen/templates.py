"""Where the data that etlgen brings is: in a checkout and in an installed wheel."""

from pathlib import Path


def templates_root() -> Path:
    """`templates/` of a checkout, or `etlgen/_templates` of an installed wheel."""
    return _beside_the_code("templates")


def fixtures_root() -> Path:
    """`fixtures/` of a checkout, or `etlgen/_fixtures` of an installed wheel: the demo's data."""
    return _beside_the_code("fixtures")


def _beside_the_code(name: str) -> Path:
    package = Path(__file__).resolve().parent
    installed = package / f"_{name}"
    return installed if installed.is_dir() else package.parent / name
