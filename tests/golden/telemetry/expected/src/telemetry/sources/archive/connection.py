"""Where the files of archive are."""

from telemetry.runtime.folders import Folder, open_folder
from telemetry.settings import environment


def connect() -> Folder:
    """The folder that the patterns of the resources start from."""
    return open_folder("data/archive", environment.folder)
