"""The tutorial works as it is written: its files, its commands, what they print."""

from pathlib import Path

import pytest

from runtime import embedded
from tests.docs.markdown import DOCS, blocks
from tests.docs.shell import Shell

TUTORIAL = DOCS / "tutorial.md"
# What needs a package registry or Airflow is left to the reader: it is `sh`, not `console`.
LEFT_TO_THE_READER = 4


@pytest.mark.slow
def test_every_step_does_what_the_tutorial_says(tmp_path: Path) -> None:
    shell = Shell(tmp_path, "bikes-etl")
    database = shell.folder / "bikes-etl" / ".postgres" / "data"
    try:
        for block in blocks(TUTORIAL):
            shell.do(block)
        assert database.is_dir()
        assert not embedded.running(database)
    finally:
        embedded.stop(database)


def test_few_commands_are_left_to_the_reader() -> None:
    left = [block for block in blocks(TUTORIAL) if block.language == "sh"]
    assert len(left) <= LEFT_TO_THE_READER
