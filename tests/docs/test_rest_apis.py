"""The page on REST APIs works as it is written."""

import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from runtime import embedded
from tests.docs.markdown import DOCS, blocks
from tests.docs.shell import Shell

PAGE = DOCS / "sources/rest-apis.md"


@pytest.mark.slow
def test_every_step_does_what_the_page_says(tmp_path: Path) -> None:
    shell = Shell(tmp_path, "store-etl")
    home = shell.folder
    try:
        for block in blocks(PAGE):
            shell.do(block)
    finally:
        embedded.stop(home / "store-etl" / ".postgres" / "data")
        with suppress(FileNotFoundError, ProcessLookupError):
            os.kill(int((home / "api.pid").read_text()), signal.SIGTERM)
