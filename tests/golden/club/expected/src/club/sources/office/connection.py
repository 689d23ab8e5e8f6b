"""Where the files of office are."""

from club.runtime.folders import Folder, open_folder
from club.settings import environment


def connect() -> Folder:
    """The folder that the patterns of the resources start from."""
    return open_folder(
        environment.get("OFFICE_PATH", "data/office"), environment.folder
    )
