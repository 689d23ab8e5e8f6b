"""Excel: each cell as the text of its value, exactly as the workbook has it."""

import zipfile
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from openpyxl import Workbook

from runtime.errors import ContractError
from runtime.excel_files import ExcelFiles
from runtime.folders import LocalFolder
from runtime.resource import Window


def write(path: Path, *rows: list[Any], **sheets: list[list[Any]]) -> None:
    book = Workbook()
    first = book.worksheets[0]
    first.title = "first"
    for row in rows:
        first.append(row)
    for name, cells in sheets.items():
        sheet = book.create_sheet(name)
        for row in cells:
            sheet.append(row)
    book.save(path / "f.xlsx")


def read(path: Path, columns: list[Any], **options: Any) -> dict[int, list[str | None]]:
    folder, files = LocalFolder(path), ExcelFiles("f.xlsx", columns, **options)
    [partition] = files.partitions(folder, Window())
    return {
        int(number): [None if pd.isna(cell) else cell for cell in cells]
        for batch in files.read(folder, partition)
        for number, *cells in batch.itertuples()
    }


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("007", "007"),
        (" x ", " x "),
        (1, "1"),
        (0.1, "0.1"),
        (Decimal("12.5"), "12.5"),
        (3.0, "3"),
        (1e22, "10000000000000000000000"),
        (-0.000001, "-1e-06"),
        (True, "true"),
        (date(2026, 1, 31), "2026-01-31"),
        (datetime(2026, 1, 31, 9, 30), "2026-01-31 09:30:00"),
        (time(9, 30), "09:30:00"),
        (timedelta(hours=26, minutes=30), "26:30:00"),
        (None, None),
        ("", None),
    ],
)
def test_cells_are_the_text_of_their_value(cell: Any, text: str | None, tmp_path: Path) -> None:
    write(tmp_path, ["a", "b"], [cell, "x"])
    assert read(tmp_path, ["a", "b"]) == {1: [text, "x"]}


@pytest.mark.parametrize("digits", ["9007199254740993", "12345678901234567890"])
def test_no_digit_of_a_big_number_is_lost(digits: str, tmp_path: Path) -> None:
    write(tmp_path, ["a"], [424242])  # openpyxl itself writes 16 digits at most
    with zipfile.ZipFile(tmp_path / "f.xlsx") as book:
        parts = {name: book.read(name) for name in book.namelist()}
    with zipfile.ZipFile(tmp_path / "f.xlsx", "w") as book:
        for name, data in parts.items():
            book.writestr(name, data.replace(b"424242", digits.encode()))
    assert read(tmp_path, ["a"]) == {1: [digits]}


def test_a_formula_is_the_value_that_was_saved(tmp_path: Path) -> None:
    write(tmp_path, ["a", "b"], ["=1+1", "x"])  # openpyxl saves none with it
    assert read(tmp_path, ["a", "b"]) == {1: [None, "x"]}


def test_empty_rows_are_left_out_and_counted(tmp_path: Path) -> None:
    write(tmp_path, ["a"], ["x"], [None], ["y"])
    assert read(tmp_path, ["a"]) == {1: ["x"], 3: ["y"]}


def test_sheet_range_header_and_footer(tmp_path: Path) -> None:
    cells = [["-", "-", "-"], ["-", "title", "-"], ["-", "a", "b"], ["-", 1, 2], ["-", "sum", 2]]
    write(tmp_path, ["other"], data=cells)
    options = {"sheet": "data", "range": "B2:C", "header_row": 2, "footer_rows": 1}
    assert read(tmp_path, ["b", "a"], **options) == {1: ["1", "2"]}
    assert read(tmp_path, ["x", "y"], sheet="data", range="B4:C4", header_row=0) == {1: ["1", "2"]}


def test_null_values(tmp_path: Path) -> None:
    write(tmp_path, ["a"], ["#N/A"], ["x"])
    assert read(tmp_path, ["a"], null_values=["#N/A"]) == {1: [None], 2: ["x"]}


def test_a_sheet_that_is_not_there_is_said_with_those_that_are(tmp_path: Path) -> None:
    write(tmp_path, ["a"])
    with pytest.raises(ContractError, match=r"no sheet 'x'\n  sheets: first"):
        read(tmp_path, ["a"], sheet="x")


def test_a_missing_column_is_said(tmp_path: Path) -> None:
    write(tmp_path, ["amount", "b", "b"])
    with pytest.raises(ContractError, match=r"no column 'amuont'\n  did you mean 'amount'"):
        read(tmp_path, ["amuont"])
    with pytest.raises(ContractError, match="more than one column is 'b'"):
        read(tmp_path, ["b"])


def test_an_empty_sheet_lacks_nothing(tmp_path: Path) -> None:
    write(tmp_path)
    assert read(tmp_path, ["a"]) == {}


@pytest.mark.parametrize("data", [b"", b"a,b\n1,2\n", b"PK\x03\x04"])
def test_what_is_no_workbook_is_refused_by_name(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "f.xlsx").write_bytes(data)
    with pytest.raises(ContractError, match=r"f\.xlsx: it is no workbook"):
        read(tmp_path, ["a"])
