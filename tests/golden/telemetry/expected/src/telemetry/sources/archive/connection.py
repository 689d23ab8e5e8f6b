"""Where the files of archive are."""

from pathlib import Path

from telemetry.settings import environment


def connect() -> Path:
    """The folder that the patterns of the resources start from."""
    return environment.path("data/archive")
