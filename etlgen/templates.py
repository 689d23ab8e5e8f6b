"""Where the templates are."""

from pathlib import Path


def templates_root() -> Path:
    """`templates/` of a checkout, or `etlgen/_templates` of an installed wheel."""
    package = Path(__file__).resolve().parent
    installed = package / "_templates"
    return installed if installed.is_dir() else package.parent / "templates"
