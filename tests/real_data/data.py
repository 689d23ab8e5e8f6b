"""The shared data and what its manifest says of it. Nothing of it is in the repository."""

import csv
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[3] / "shared" / "data"
MANIFEST = FOLDER / "manifest.json"
needed = pytest.mark.skipif(not MANIFEST.is_file(), reason=f"there is no {MANIFEST}")

Row = dict[str, Any]


def truth(case: str) -> dict[str, Any]:
    """What the manifest says of a case, once the file is the one that it speaks of."""
    cases = {one["id"]: one for one in json.loads(MANIFEST.read_text())["cases"]}
    known: dict[str, Any] = cases[case]
    if "sha256" in known:
        digest = hashlib.sha256((FOLDER / known["file"]).read_bytes()).hexdigest()
        assert digest == known["sha256"], f"{known['file']} is not the file of the manifest"
    return known


def ids(start: str) -> list[str]:
    """The cases whose names start so; none where there is no manifest."""
    if not MANIFEST.is_file():
        return []
    cases = json.loads(MANIFEST.read_text())["cases"]
    return [case["id"] for case in cases if case["id"].startswith(start)]


def records(file: Path, delimiter: str = ",") -> list[dict[str, str]]:
    """A CSV file as Python's own reader sees it; one with too many fields is cut."""
    with file.open(encoding="utf-8", newline="") as lines:
        header, *rows = csv.reader(lines, delimiter=delimiter)
    return [dict(zip(header, row, strict=False)) for row in rows if row]


def rows_md5(rows: Sequence[Sequence[str | None]]) -> str:
    """The manifest's digest of rows, whatever their order: cells as text, nothing for NULL."""
    return _md5(["\x1f".join(cell or "" for cell in row) for row in rows])


def cells_md5(cells: Sequence[str | None]) -> str:
    """The manifest's digest of one column: of the cells that are not empty."""
    return _md5([cell for cell in cells if cell])


def has_nul(document: Any) -> bool:
    """Whether U+0000 is in it, which jsonb cannot hold."""
    return "\\u0000" in json.dumps(document).replace("\\\\", "")


def _md5(texts: list[str]) -> str:
    return hashlib.md5("\x1e".join(sorted(texts)).encode()).hexdigest()
