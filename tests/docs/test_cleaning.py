"""The page on cleaning and checks works as it is written, and gives no personal data away."""

from pathlib import Path

import pytest

from runtime import embedded
from tests.docs.markdown import DOCS, blocks
from tests.docs.shell import Shell

PAGE = DOCS / "cleaning-and-checks.md"
SECRETS = ("Lovelace", "Turing", "alan@", "grace@", "GB33BUKB", "hunter2", "enigma", "battery")


@pytest.mark.slow
def test_every_step_does_what_the_page_says(tmp_path: Path) -> None:
    shell = Shell(tmp_path, "club")
    home = shell.folder
    try:
        for block in blocks(PAGE):
            shell.do(block)
    finally:
        embedded.stop(home / "club" / ".postgres" / "data")


def test_nothing_that_a_command_prints_is_personal() -> None:
    printed = "".join(
        line
        for block in blocks(PAGE)
        if block.language == "console"
        for line in block.text.splitlines()
        if not line.startswith("$ ")
    )
    assert "(hidden)" in printed
    assert not [secret for secret in SECRETS if secret in printed]
