"""Where the files of webshop are."""

from shop_etl.runtime.folders import Folder, open_folder
from shop_etl.settings import environment


def connect() -> Folder:
    """The folder that the patterns of the resources start from."""
    return open_folder(
        environment.get("WEBSHOP_PATH", "data/webshop"), environment.folder
    )
