"""YAML is read defensively: no tags, no aliases, no surprise, bounded time and memory."""

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

import etlgen
from tests.hostile.projects import Workshop, shop

SHOP = """\
name: shop-etl
sources:
  box:
    kind: file
    path: data
    resources:
      things:
        path: things.csv
        columns:
          id: {type: bigint}
"""
# Memory has a limit, and what was used of the processor is told.
MEASURED = """\
import resource, sys, time
resource.setrlimit(resource.RLIMIT_DATA, (300_000_000, 300_000_000))
from etlgen.cli import run
code = run(sys.argv[1:])
print(code, time.process_time())
"""


def refused_cheaply(workshop: Workshop, text: str) -> str:
    """What is said of a spec by a process of its own, which takes little time and memory."""
    spec = workshop.write(text)
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, "new", "--spec", str(spec), "--yes"],
        env={**os.environ, "PYTHONPATH": str(Path(etlgen.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=60,
    )
    code, seconds = done.stdout.split()
    assert int(code) == 3, done.stderr
    assert float(seconds) < 2
    assert "Traceback" not in done.stderr
    assert list(workshop.folder.iterdir()) == [spec]
    return done.stderr


@pytest.mark.parametrize(
    "tag",
    [
        "!!python/object/apply:os.system ['touch canary_I21']",
        "!!python/name:os.system",
        "!!python/module:os",
        "!!python/object/new:os.system [touch canary_I21]",
        "!canary text",
        "!!binary Y2FuYXJ5",
        "!!str text",
    ],
)
def test_I21_tags(workshop: Workshop, tag: str) -> None:
    said = refused_cheaply(workshop, f"{SHOP}description: {tag}\n")
    assert "spec.yaml:11:14: tags (" in said


def test_I22_an_alias_bomb(workshop: Workshop) -> None:
    names = "abcdefghi"
    bomb = ["a: &a [x,x,x,x,x,x,x,x,x]"]
    for before, name in pairwise(names):
        bomb.append(f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]")
    said = refused_cheaply(workshop, "\n".join([SHOP, *bomb]))
    assert "spec.yaml:12:4: anchors (&) are not read" in said
    said = refused_cheaply(workshop, f"{SHOP}tags: [*x, *x]\n")
    assert "spec.yaml:11:8: aliases (*) are not read" in said


@pytest.mark.parametrize(
    ("bomb", "message"),
    [
        ("tags: " + "[" * 10_000 + "]" * 10_000, "nested more than 64 levels deep"),
        ("tags: " + "{a: " * 10_000, "nested more than 64 levels deep"),
        ("\n".join(" " * n + "a:" for n in range(2_000)), "nested more than 64 levels deep"),
        ("x: " + "y" * 6_000_000, "a spec file has at most 5,000,000"),
        ("? " * 5_000 + "a", "nested more than 64 levels deep|a key must be text"),
        ("start_date: " + "9" * 1_000_000, "is not"),
    ],
    ids=["lists", "mappings", "blocks", "size", "keys", "number"],
)
def test_I22_depth_and_size_have_limits(workshop: Workshop, bomb: str, message: str) -> None:
    said = refused_cheaply(workshop, f"{SHOP}{bomb}\n")
    assert any(one in said for one in message.split("|"))
    assert len(said) < 2_000


def test_I23_duplicate_and_merge_keys(workshop: Workshop) -> None:
    said = refused_cheaply(workshop, f"{SHOP}name: another\n")
    assert "spec.yaml:11:1: duplicate key 'name', first in line 1" in said
    doubled = SHOP.replace(
        "path: things.csv", "path: things.csv\n        table: a\n        table: b"
    )
    said = refused_cheaply(workshop, doubled)
    assert "spec.yaml:10:9: duplicate key 'table', first in line 9" in said
    assert "merge keys (<<) are not read" in refused_cheaply(workshop, f"{SHOP}<<: {{a: b}}\n")


def test_I23_plain_texts_stay_what_was_typed(workshop: Workshop) -> None:
    words = ["NO", "00501", "12:30:00", "0o17", "0x1F", "1_000", "yes", "on", "2026-01-31", "+1"]
    text = SHOP.replace(
        "{type: bigint}", f"{{type: text, checks: [{{one_of: [{', '.join(words)}]}}], default: NO}}"
    )
    text += f"owner: NO\ndescription: 12:30:00\ntags: [{', '.join(words)}]\n"
    spec = workshop.write(text)
    result = workshop.etlgen("new", "--spec", spec, "--name", "hostile-words", "--yes")
    assert result.code == 3
    assert "spec.yaml:13:69: 1 is not text" in result.err  # +1 is a number, and is said to be one
    text = text.replace(", +1", "")
    assert workshop.etlgen("new", "--spec", workshop.write(text), "--yes").code == 0
    things = (workshop.folder / "shop-etl/src/shop_etl/sources/box/things.py").read_text()
    assert all(f'"{word}"' in things for word in words[:-1])
    assert '.fillna("NO")' in things
    dag = (workshop.folder / "shop-etl/dags/shop_etl__box.py").read_text()
    assert all(f'"{word}"' in dag for word in words[:-1])


def test_I23_the_same_through_a_dumped_spec(workshop: Workshop) -> None:
    spec = shop("hostile-dumped", {"NO": {"type": "text", "default": "00501"}}, table="12:30")
    project = workshop.project(spec)
    assert {"NO", "00501", "12:30"} <= {*project.constants("src/PACKAGE/sources/box/things.py")}
