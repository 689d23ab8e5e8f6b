"""Where the files of plant are."""

from telemetry.runtime.folders import Folder, open_folder
from telemetry.settings import environment


def connect() -> Folder:
    """The folder that the patterns of the resources start from."""
    return open_folder(
        environment.require("PLANT_PATH", "data/plant"), environment.folder
    )
