"""What data calls its columns is as hostile as what a spec does."""

import csv
import json

import pytest

from tests.hostile.projects import Project, Workshop, rows, shop

HOSTILE = [
    "a\"\"\"\n__import__('pathlib').Path('canary_I30').touch()\n",
    "{{ cycler.__init__.__globals__.os.system('touch canary_I30') }}",
    "\x1b[2J\x1b]0;x\x07",
    "=cmd|' /C calc'!A0",
    '"; DROP TABLE things; --',
    "%(a)s %s :x",
    "a\u202eb",
    "_extra",
    "_run_id",
    "_source_row",
    "__class__",
    "日本語",
    " ",
    "x" * 5_000,
]


def write(project: Project, suffix: str, record: dict[str, str]) -> None:
    """The record as the file that the project reads."""
    folder = project.root / "data"
    folder.mkdir()
    with (folder / f"things.{suffix}").open("w", newline="", encoding="utf-8") as file:
        if suffix == "csv":
            writer = csv.DictWriter(file, list(record))
            writer.writeheader()
            writer.writerow(record)
        else:
            file.write(json.dumps(record))


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_I30_columns_that_nobody_declared_are_kept_as_data(
    workshop: Workshop, postgres_url: str, suffix: str
) -> None:
    project = workshop.project(shop("hostile-data", path=f"things.{suffix}"))
    record = {"id": "1"} | {name: f"of {name}" for name in HOSTILE}
    write(project, suffix, record)
    counts = project.load(postgres_url, "box.things")
    assert (counts.loaded, counts.quarantined) == (1, 0)
    (found,) = rows(postgres_url, "SELECT id, _extra, _source_row FROM things")
    assert found == (1, {name: f"of {name}" for name in HOSTILE}, 1)


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_I30_a_name_in_the_source_is_a_literal(
    workshop: Workshop, suffix: str, postgres_url: str
) -> None:
    columns = {
        f"c{number}": {"type": "text", "from": [f"{name}2", name]}
        for number, name in enumerate(HOSTILE)
    }
    project = workshop.project(shop("hostile-from", columns, path=f"things.{suffix}"))
    constants = project.constants("src/PACKAGE/sources/box/things.py")
    assert {*HOSTILE, *(f"{name}2" for name in HOSTILE)} <= {*constants}
    write(project, suffix, {name: f"of {name}" for name in HOSTILE})
    assert project.load(postgres_url, "box.things").loaded == 1
    (found,) = rows(postgres_url, "SELECT * FROM things")
    assert [*found][: len(HOSTILE)] == [f"of {name}" for name in HOSTILE]
