"""The streams of the Singer SDK, as what they are to files of JSON Lines: messages."""

import json
from collections import Counter
from typing import Any

import pytest

from .conftest import MakeProject
from .data import FOLDER, has_nul, ids, needed, truth
from .project import Load, Project, accounts

pytestmark = [needed, pytest.mark.slow]
DATA = FOLDER / "sdk/singer_sdk/testing/target_test_streams"
CASES = ids("S04-singer-")

Loaded = tuple[Project, Load, Load]


@pytest.fixture(scope="module")
def loaded(make_project: MakeProject) -> Loaded:
    """Loaded twice."""
    project = make_project("singer.yaml", SINGER_PATH=DATA)
    return project, project.run(), project.run()


def messages(case: str) -> list[dict[str, Any]]:
    lines = (FOLDER / truth(case)["file"]).read_text().splitlines()
    return [json.loads(line) for line in lines if line.strip()]


@pytest.mark.parametrize("case", CASES)
def test_every_message_is_loaded_but_those_with_a_nul(loaded: Loaded, case: str) -> None:
    project, _, _ = loaded
    known = truth(case)
    file = known["file"].rpartition("/")[2]
    rows = [row for row in project.rows("messages") if row["_source_file"] == file]
    sent = messages(case)
    assert Counter(message["type"] for message in sent) == known["messages"]
    assert [
        {name: row[name] for name in ("type", "stream", "record", "value")} for row in rows
    ] == [
        {name: message.get(name) for name in ("type", "stream", "record", "value")}
        for message in sent
        if not has_nul(message.get("record"))
    ]


def test_the_accounts_of_all_files(loaded: Loaded) -> None:
    project, first, second = loaded
    read = sum(sum(truth(case)["messages"].values()) for case in CASES)
    with_nul = [one for case in CASES for one in messages(case) if has_nul(one.get("record"))]
    line = accounts(read=read, loaded=read - len(with_nul), quarantined=len(with_nul))
    assert first.counts == second.counts == {"singer.messages": line}
    assert first.data == second.data
    assert len(with_nul) == len(project.quarantined("singer.messages")) > 0
