"""Where the files of office are."""

from pathlib import Path

from club.settings import environment


def connect() -> Path:
    """The folder that the patterns of the resources start from."""
    return environment.path(environment.get("OFFICE_PATH", "data/office"))
