"""Where the files of catalog are."""

from pathlib import Path

from shop_etl.settings import environment


def connect() -> Path:
    """The folder that the patterns of the resources start from."""
    return environment.path(environment.get("CATALOG_PATH", "data/catalog"))
