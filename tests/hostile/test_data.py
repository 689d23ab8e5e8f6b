"""What data calls its columns is as hostile as what a spec does."""

import csv
import json

import pytest

from tests.hostile.projects import Workshop, rows, shop

HOSTILE = [
    'a"""\n__import__(\'pathlib\').Path(\'canary_I30\').touch()\n',
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


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_I30_columns_that_nobody_declared_are_kept_as_data(
    workshop: Workshop, postgres_url: str, suffix: str
) -> None:
    project = workshop.project(shop("hostile-data", path=f"things.{suffix}"))
    record = {"id": "1"} | {name: f"of {name}" for name in HOSTILE}
    folder = project.root / "data"
    folder.mkdir()
    with (folder / f"things.{suffix}").open("w", newline="", encoding="utf-8") as file:
        if suffix == "csv":
            writer = csv.DictWriter(file, list(record))
            writer.writeheader()
            writer.writerow(record)
        else:
            file.write(json.dumps(record))
    counts = project.load(postgres_url, "box.things")
    assert (counts.loaded, counts.quarantined) == (1, 0)
    (found,) = rows(postgres_url, "SELECT id, _extra, _source_row FROM things")
    assert found == (1, {name: f"of {name}" for name in HOSTILE}, 1)


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
@pytest.mark.parametrize("name", [one for one in HOSTILE if one != " "])
def test_I30_a_name_in_the_source_is_a_literal(
    workshop: Workshop, suffix: str, name: str, postgres_url: str
) -> None:
    column = {"type": "text", "from": [name, f"{name} 2"]}
    project = workshop.project(shop("hostile-from", {"id": column}, path=f"things.{suffix}"))
    assert name in project.constants("src/PACKAGE/sources/box/things.py")
    assert f"{name} 2" in project.constants("src/PACKAGE/sources/box/things.py")
