"""The page on databases works as it is written."""

from pathlib import Path

import pytest

from runtime import embedded
from tests.docs.markdown import DOCS, blocks
from tests.docs.shell import Shell

PAGE = DOCS / "sources/databases.md"


@pytest.mark.slow
def test_every_step_does_what_the_page_says(tmp_path: Path) -> None:
    shell = Shell(tmp_path, "till-etl")
    database = shell.folder / "till-etl" / ".postgres" / "data"
    try:
        for block in blocks(PAGE):
            shell.do(block)
    finally:
        embedded.stop(database)
