"""Delimited text as it comes out of old machines, worksheets of people, and archives of both."""

import bz2
import gzip
import lzma
import zipfile
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from .conftest import MakeProject, contents

pytestmark = pytest.mark.slow


def test_comments_a_footer_and_signs_behind_numbers(make_project: MakeProject, inbox: Path) -> None:
    project = make_project("""
things:
  path: things.txt
  format: csv
  delimiter: ";"
  encoding: cp1252
  header_row: 2
  comment: "#"
  footer_rows: 1
  decimal_mark: ","
  thousands_mark: "."
  columns:
    id: {type: integer}
    size: {type: text}
    amount: {type: "numeric(12,2)", clean: [trailing_minus]}
""")
    lines = [
        "Ledger of 2026; in €",
        "id;size;amount",
        "# January",
        '1;5" x 3;1.234,50-',
        '# February, "open',
        '2;"a ""b""; c";7,00',
        '3;"two',
        '# lines";0,01',
        "",
        "sum;;-1.227,49",
        "",
    ]
    (inbox / "things.txt").write_bytes("\r\n".join(lines).encode("cp1252"))
    done = project.run()
    assert done.counts["box.things"]["read"] == 3
    assert contents(project, "things") == [
        {"id": 1, "size": '5" x 3', "amount": Decimal("-1234.50")},
        {"id": 2, "size": 'a "b"; c', "amount": Decimal("7.00")},
        {"id": 3, "size": "two\r\n# lines", "amount": Decimal("0.01")},
    ]


def test_quotes_around_delimiters_and_lines_that_end_in_cr(
    make_project: MakeProject, inbox: Path
) -> None:
    project = make_project("""
things:
  path: things.csv
  delimiter: "|"
  quote: "'"
  columns:
    id: {type: integer}
    note: {type: text}
""")
    (inbox / "things.csv").write_bytes(b"id|note\r1|'a|b'\r2|'it''s'\r'3'|' '\r4|x|y\r")
    assert project.run().counts["box.things"]["quarantined"] == 1
    assert [row["note"] for row in contents(project, "things")] == ["a|b", "it's", " "]
    [torn] = project.quarantined("box.things")
    assert torn["reasons"] == [{"rule": "has 3 fields instead of 2"}]


def test_a_column_whose_header_changed_over_time(make_project: MakeProject, inbox: Path) -> None:
    project = make_project("""
things:
  path: things_*.csv
  write_disposition: append
  columns:
    id: {type: integer, from: [Id, Number, No.]}
    name: {type: text, from: [Name, Title]}
""")
    (inbox / "things_1.csv").write_text("Id,Name\n1,a\n")
    (inbox / "things_2.csv").write_text("Title,Number\nb,2\n")
    (inbox / "things_3.csv").write_text("No.,Name,New\n3,c,x\n")
    project.run()
    assert contents(project, "things") == [{"id": n, "name": "abc"[n - 1]} for n in (1, 2, 3)]
    assert [row["_extra"] for row in project.rows("things")] == [None, None, {"New": "x"}]
    (inbox / "things_4.csv").write_text("Id,Number,Name\n4,5,d\n")
    done = project.command("run")
    assert done.returncode == 1
    assert "things_4.csv:1: more than one column is 'Id' or 'Number' or 'No.'" in done.stderr


def test_a_range_of_a_worksheet(make_project: MakeProject, inbox: Path) -> None:
    project = make_project("""
things:
  path: book.xlsx
  sheet: Data
  range: B3:C
  footer_rows: 1
  columns:
    id: {type: integer}
    amount: {type: "numeric(8,2)"}
""")
    book = openpyxl.Workbook()
    sheet = book.create_sheet("Data")
    for row in [
        ["title"],
        [],
        ["x", "id", "amount", "y"],
        ["-", 1, 0.1],
        ["-", 2, 20],
        ["", "sum", 20.1],
    ]:
        sheet.append(row)
    book.save(inbox / "book.xlsx")
    project.run()
    assert contents(project, "things") == [
        {"id": 1, "amount": Decimal("0.10")},
        {"id": 2, "amount": Decimal("20.00")},
    ]


def test_each_member_of_an_archive_is_a_file(make_project: MakeProject, inbox: Path) -> None:
    project = make_project("""
things:
  path: "*.zip"
  format: csv
  member: "*.csv"
  write_disposition: append
  columns:
    id: {type: integer}
""")
    with zipfile.ZipFile(inbox / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("b/two.csv", "id\n2\n3\n")
        archive.writestr("one.csv", "id\n1\n")
        archive.writestr("readme.txt", "no rows")
    assert project.run().counts["box.things"]["read"] == 3
    assert project.run().counts["box.things"]["read"] == 0
    origins = [(row["_source_file"], row["id"]) for row in project.rows("things")]
    assert origins == [("all.zip/b/two.csv", 2), ("all.zip/b/two.csv", 3), ("all.zip/one.csv", 1)]


@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz"])
def test_archives_one_after_another_are_one_file(
    make_project: MakeProject, inbox: Path, suffix: str
) -> None:
    project = make_project(f"""
things:
  path: things.csv.{suffix}
  columns:
    id: {{type: integer}}
    note: {{type: text}}
""")
    pack = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}[suffix]
    parts = [b"id,note\n1,a\n", b"2,", b"b\n3,c\n"]
    (inbox / f"things.csv.{suffix}").write_bytes(b"".join(map(pack, parts)))
    project.run()
    assert [row["note"] for row in contents(project, "things")] == ["a", "b", "c"]


def test_f37_an_encoding_in_doubt_is_in_the_log_of_the_run(
    make_project: MakeProject, inbox: Path
) -> None:
    project = make_project("""
things:
  path: things.csv
  encoding: cp1252
  columns:
    id: {type: integer}
    name: {type: text}
""")
    (inbox / "things.csv").write_bytes("id,name\n1,Café für zwei\n".encode("mac_roman"))
    done = project.command("run")
    assert done.returncode == 0
    assert "is the encoding right?" in done.stderr
    assert "there are signs within words" in done.stderr
