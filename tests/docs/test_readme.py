"""The README shows what really happens, and no document leads nowhere or names a machine."""

import re
import socket
from pathlib import Path

import pytest

from tests.docs.conftest import Demo
from tests.docs.markdown import PAGES, ROOT, anchors, blocks, links
from tests.docs.transcript import lines, matches

README = ROOT / "README.md"
MACHINE_PATH = re.compile(r"(?<![\w.$}])/(?:home|root|tmp|work|workspace|Users|mnt|var)/")


@pytest.mark.slow
def test_the_transcript_is_what_the_demo_prints(demo: Demo) -> None:
    [transcript] = [block for block in blocks(README) if block.language == "console"]
    command, *shown = lines(transcript.text)
    assert command == "$ make demo"
    assert matches([*shown, "…"], lines(demo.printed)), demo.printed


@pytest.mark.slow
def test_the_code_is_what_the_demo_generates(demo: Demo) -> None:
    [shown] = [block for block in blocks(README) if block.language == "python"]
    orders = (demo.root / "src/shop_etl/sources/webshop/orders.py").read_text()
    assert matches(["…", *lines(shown.text), "…"], lines(orders)), orders


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for path, anchor in links(page):
        target = page.parent / path if path else page
        assert target.exists(), f"{page.name} links to {path}, which is not there"
        if anchor:
            assert anchor in anchors(target), f"{page.name}: {target.name} has no heading #{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_machine_is_named(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not MACHINE_PATH.search(text)
    assert not re.search(rf"\b{re.escape(socket.gethostname())}\b", text)
