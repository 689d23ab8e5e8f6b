import subprocess
from pathlib import Path

import pytest

from etlgen import style
from etlgen.errors import InternalError
from etlgen.rendered import RenderedFile, sha256
from etlgen.style import normalised, styled

MESSY = """import sys, os
from shop.runtime.convert import (to_date, to_decimal,)
import pandas as pd
from decimal import Decimal
from __future__ import annotations

def f( x ):
    return pd.concat([x, sys.argv, to_decimal('1')])
"""

TIDY = """from __future__ import annotations

import sys

import pandas as pd

from shop.runtime.convert import to_decimal


def f(x):
    return pd.concat([x, sys.argv, to_decimal("1")])
"""


def file(text: str, path: str = "src/shop/a.py", *, verbatim: bool = False) -> RenderedFile:
    return RenderedFile(path, text, "etlgen", "a.jinja", verbatim=verbatim)


def test_imports_are_pruned_and_sorted_and_black_has_its_way() -> None:
    (done,) = styled([file(MESSY)], package="shop")
    assert done.text == TIDY
    assert done.unstyled_sha256 not in (None, sha256(TIDY))


def test_styling_again_changes_nothing() -> None:
    once = styled([file(MESSY)], package="shop")
    assert [f.text for f in styled(once, package="shop")] == [f.text for f in once]


def test_the_order_and_the_rest_of_the_files_stay() -> None:
    files = [file("a\n", "b.md"), file(MESSY), file("x = 1\n", "a.py")]
    done = styled(files, package="shop")
    assert [(f.path, f.unit, f.template) for f in done] == [
        (f.path, f.unit, f.template) for f in files
    ]


def test_a_verbatim_file_keeps_its_bytes() -> None:
    copied = file("import os\r\nx = {  'a':1 }   ", verbatim=True)
    assert styled([copied], package="shop") == [copied]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a  \r\nb\t\n\n\n", "a\nb\n"),
        ("a", "a\n"),
        ("", ""),
        ("\n\n", ""),
        ("\n a\n", " a\n"),
    ],
)
def test_other_files_are_normalised(text: str, expected: str) -> None:
    assert normalised(text) == expected
    assert styled([file(text, "a.toml")], package="shop")[0].text == expected


def test_the_styles_around_the_generator_do_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ruff.toml").write_text('line-length = 40\n[lint]\nselect = ["ALL"]\n')
    (tmp_path / "pyproject.toml").write_text("[tool.black]\nline-length = 40\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    (done,) = styled([file(MESSY)], package="shop")
    assert done.text == TIDY


@pytest.mark.parametrize("name", ["build", "dist", "venv", "node_modules", ".hidden"])
def test_a_folder_that_ruff_would_pass_over_is_styled(name: str) -> None:
    (done,) = styled([file(MESSY, f"src/{name}/a.py")], package="shop")
    assert done.text == TIDY


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("x = 1\ny = (\n", 2, "was never closed"),
        ("x = '\\d'\n", 1, "invalid escape"),
        ("x = 1\nprint(missing)\n", 2, "F821"),
        ("def f(a=[]):\n    return a\n", 1, "B006"),
    ],
)
def test_a_finding_names_template_and_line(text: str, line: int, says: str) -> None:
    with pytest.raises(InternalError) as caught:
        styled([file("x = 1\n", "fine.py"), file(text)], package="shop")
    (finding,) = caught.value.findings
    assert (finding.file, finding.line) == ("src/shop/a.py", line)
    assert says in finding.message
    assert finding.hint == "a fault of the template a.jinja"
    assert finding.source_line


def test_an_unused_import_that_cannot_be_pruned_is_a_finding() -> None:
    with pytest.raises(InternalError, match="F401"):
        styled([file("import os\n", "src/shop/__init__.py")], package="shop")


def test_ruff_runs_twice_however_many_files(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = []
    real = subprocess.run

    def counted(*args: object, **kwargs: object) -> object:
        runs.append(args)
        return real(*args, **kwargs)  # type: ignore[call-overload]

    monkeypatch.setattr(style.subprocess, "run", counted)
    styled([file("x = 1\n", f"a{n}.py") for n in range(20)], package="shop")
    assert len(runs) == 2
