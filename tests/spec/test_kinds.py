"""Kinds are found by being there."""

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

import etlgen.kinds
from etlgen.kinds import load_kinds
from etlgen.spec.reading import read_project_file
from etlgen.spec.schema import one_file_schema

TOY = """
from pathlib import Path
from typing import Literal

from etlgen.kinds import Kind
from etlgen.spec.models import ResourceSpec, SourceSpec


class ToyResource(ResourceSpec):
    rows: int = 3


class ToySource(SourceSpec):
    kind: Literal["toy"]
    resources: dict[str, ToyResource]


HERE = Path(__file__).parent
KIND = Kind("toy", ToySource, ToyResource, HERE / "templates", (HERE / "toy.py",), print)
"""


def test_the_kinds() -> None:
    kinds = load_kinds()
    assert list(kinds) == ["database", "file", "rest_api"]
    assert kinds["file"].templates == Path("kinds/file")


def test_a_toy_kind_needs_no_edit_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "toy_kind").mkdir()
    (tmp_path / "toy_kind/__init__.py").write_text(TOY)
    monkeypatch.setattr(etlgen.kinds, "__path__", [*etlgen.kinds.__path__, str(tmp_path)])
    kinds = load_kinds()
    assert list(kinds) == ["database", "file", "rest_api", "toy"]
    text = """\
        name: shop-etl
        sources:
          box:
            kind: toy
            resources:
              blocks: {rows: 7, columns: {id: {type: bigint}}}
        """
    spec = read_project_file(dedent(text), "spec.yaml", kinds)
    assert spec.sources[0].resources["blocks"].rows == 7  # type: ignore[attr-defined]
    assert "ToySource" in one_file_schema(kinds)["$defs"]
    sys.modules.pop("etlgen.kinds.toy_kind")


def test_the_registry_imports_nothing_heavy() -> None:
    code = "import sys, etlgen.kinds, etlgen.errors; print('pydantic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_only_a_regex_brings_pyarrow() -> None:
    code = (
        "import sys\n"
        "from etlgen.kinds import load_kinds\n"
        "from etlgen.spec.reading import read_project_file\n"
        "from tests.spec.specs import SHOP\n"
        "read_project_file(SHOP, 'spec.yaml', load_kinds())\n"
        "print(sorted({'pyarrow', 'pandas', 'rstr'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
