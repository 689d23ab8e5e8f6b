"""F38: files with nothing in them are no error, and empty no table."""

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from .conftest import MakeProject, contents

pytestmark = pytest.mark.slow

RESOURCE = """
things:
  path: things.{suffix}
  write_disposition: {disposition}
  {more}
  columns:
    a: {{type: integer}}
    b: {{type: text}}
"""
NOTHING = pa.table({"a": pa.array([], pa.int64()), "b": pa.array([], pa.string())})
SOMETHING = pa.table({"a": [1], "b": ["x"]})


def csv(rows: pa.Table) -> bytes:
    lines = [f"{row['a']},{row['b']}\n" for row in rows.to_pylist()]
    return "".join(["a,b\n", *lines]).encode()


def json_lines(rows: pa.Table) -> bytes:
    return "".join(f"{json.dumps(row)}\n" for row in rows.to_pylist()).encode()


def parquet(rows: pa.Table) -> bytes:
    file = io.BytesIO()
    pq.write_table(rows, file)
    return file.getvalue()


def arrow(rows: pa.Table) -> bytes:
    file = io.BytesIO()
    feather.write_feather(rows, file)
    return file.getvalue()


def excel(rows: pa.Table) -> bytes:
    book, file = openpyxl.Workbook(), io.BytesIO()
    for row in [rows.column_names, *(list(row.values()) for row in rows.to_pylist())]:
        book.worksheets[0].append(row)
    book.save(file)
    return file.getvalue()


EMPTY = {
    "no bytes": ("csv", csv, b""),
    "header only": ("csv", csv, b"a,b\n"),
    "header without an end": ("csv", csv, b"a,b"),
    "blank lines": ("csv", csv, b"\r\n\r\n"),
    "nothing compressed": ("csv.gz", lambda rows: gzip.compress(csv(rows)), gzip.compress(b"")),
    "no line": ("jsonl", json_lines, b""),
    "an empty array": ("json", lambda rows: json.dumps(rows.to_pylist()).encode(), b" [ ] "),
    "parquet": ("parquet", parquet, parquet(NOTHING)),
    "arrow": ("arrow", arrow, arrow(NOTHING)),
    "excel": ("xlsx", excel, excel(NOTHING)),
}
each = pytest.mark.parametrize(("suffix", "write", "empty"), EMPTY.values(), ids=EMPTY)


@each
def test_f38_replace_keeps_its_rows_and_warns(
    make_project: MakeProject,
    inbox: Path,
    suffix: str,
    write: Callable[[pa.Table], bytes],
    empty: bytes,
) -> None:
    project = make_project(RESOURCE.format(suffix=suffix, disposition="replace", more=""))
    (inbox / f"things.{suffix}").write_bytes(write(SOMETHING))
    project.run()
    (inbox / f"things.{suffix}").write_bytes(empty)
    done = project.command("run")
    assert done.returncode == 0, done.stderr
    assert contents(project, "things") == [{"a": 1, "b": "x"}]
    assert "there are no records" in done.stderr
    assert "nothing was read, and box.things keeps what it has" in done.stderr


def test_f38_replace_empties_the_table_where_that_is_allowed(
    make_project: MakeProject, inbox: Path
) -> None:
    project = make_project(RESOURCE.format(suffix="csv", disposition="replace", more=""))
    (inbox / "things.csv").write_bytes(csv(SOMETHING))
    project.run()
    module = project.root / "src/box_etl/sources/box/things.py"
    allowed = module.read_text().replace("Replace(TABLE)", "Replace(TABLE, allow_empty=True)")
    module.write_text(allowed)
    (inbox / "things.csv").write_bytes(csv(NOTHING))
    project.run()
    assert contents(project, "things") == []


def test_f38_a_rule_may_say_that_nothing_is_too_little(
    make_project: MakeProject, inbox: Path
) -> None:
    rule = "checks: [{row_count: {at_least: 1}}]"
    project = make_project(RESOURCE.format(suffix="csv", disposition="replace", more=rule))
    (inbox / "things.csv").write_bytes(csv(NOTHING))
    done = project.command("run")
    assert done.returncode == 1
    assert "Nothing was published" in done.stderr


@pytest.mark.parametrize("disposition", ["append", "merge"])
def test_f38_an_empty_file_adds_nothing_and_is_read_once(
    make_project: MakeProject, inbox: Path, disposition: str
) -> None:
    key = "primary_key: [a]" if disposition == "merge" else ""
    more = f"read: new_files\n  {key}"
    project = make_project(RESOURCE.format(suffix="csv", disposition=disposition, more=more))
    (inbox / "things.csv").write_bytes(csv(NOTHING))
    first, second = project.command("run"), project.command("run")
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert "there are no records" in first.stderr
    assert "there are no records" not in second.stderr
    assert contents(project, "things") == []
