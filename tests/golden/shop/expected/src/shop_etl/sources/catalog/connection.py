"""Where the files of catalog are."""

from shop_etl.runtime.folders import Folder, open_folder
from shop_etl.settings import environment


def connect() -> Folder:
    """The folder that the patterns of the resources start from."""
    return open_folder(
        environment.get("CATALOG_PATH", "data/catalog"), environment.folder
    )
