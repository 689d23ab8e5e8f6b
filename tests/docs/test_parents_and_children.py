"""The page on parents and children works as it is written."""

from pathlib import Path
from textwrap import indent

import pytest

from etlgen.kinds import load_kinds
from etlgen.spec.reading import read_project_file
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


def test_its_other_examples_are_sources_that_can_be_read() -> None:
    (example,) = [block for block in blocks(PAGE) if block.attributes.get("part") == "source"]
    text = f"name: shop\nsources:\n  erp:\n{indent(example.text, ' ' * 4)}"
    (source,) = read_project_file(text, "spec.yaml", load_kinds()).sources
    assert list(source.resources) == ["orders", "payments"]
