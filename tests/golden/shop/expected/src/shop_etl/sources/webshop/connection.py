"""Where the files of webshop are."""

from pathlib import Path

from shop_etl.settings import environment


def connect() -> Path:
    """The folder that the patterns of the resources start from."""
    return environment.path(environment.get("WEBSHOP_PATH", "data/webshop"))
