"""The page on parents and children works as it is written."""

from pathlib import Path

import pytest

from runtime import embedded
from tests.docs.markdown import DOCS, blocks
from tests.docs.shell import Shell

PAGE = DOCS / "sources/parents-and-children.md"


@pytest.mark.slow
def test_every_step_does_what_the_page_says(tmp_path: Path) -> None:
    shell = Shell(tmp_path, "desk")
    database = shell.folder / "desk" / ".postgres" / "data"
    try:
        for block in blocks(PAGE):
            shell.do(block)
    finally:
        embedded.stop(database)
