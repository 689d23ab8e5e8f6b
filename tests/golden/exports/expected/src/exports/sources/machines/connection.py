"""Where the files of machines are."""

from exports.runtime.folders import Folder, open_folder
from exports.settings import environment


def connect() -> Folder:
    """The folder that the patterns of the resources start from."""
    return open_folder(
        environment.get("MACHINES_URL", "data/machines"), environment.folder
    )
