"""Where the files of office are."""

from exports.runtime.folders import Folder, open_folder
from exports.settings import environment


def connect() -> Folder:
    """The folder that the patterns of the resources start from."""
    return open_folder("data/office", environment.folder)
