"""The reference lists what there is, and its examples are right."""

from collections.abc import Mapping
from pathlib import Path
from textwrap import indent

import pytest
from pydantic import BaseModel

from etlgen.cli.run import INTERRUPTED
from etlgen.errors import EtlgenError
from etlgen.kinds import load_kinds
from etlgen.kinds.file.spec import FORMATS, FileResource, FileSource
from etlgen.spec.column import ColumnSpec
from etlgen.spec.cursor import Cursor
from etlgen.spec.deletions import Deleted, DeleteMissing
from etlgen.spec.explain import keys_of
from etlgen.spec.models import ProjectSpec
from etlgen.spec.reading import read_project_file
from etlgen.spec.schedule import PRESETS
from tests.docs.markdown import DOCS, Block, blocks, names, prose, rows
from tests.docs.reference import COMMAND, pages
from tests.docs.shell import Shell

SPEC = DOCS / "spec.md"
MODELS: Mapping[str, type[BaseModel]] = {
    "## Project": ProjectSpec,
    "## Source": FileSource,
    "## Resource": FileResource,
    "## Cursor": Cursor,
    "### deleted": Deleted,
    "### delete_missing": DeleteMissing,
    "## Column": ColumnSpec,
}
PARTS = [block for block in blocks(SPEC) if "part" in block.attributes]
SOURCE = "kind: file\npath: data\nresources:\n"
RESOURCE = "path: things.csv\ncolumns:\n"


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_what_is_made_from_the_code_is_current(page: Path) -> None:
    assert page.read_text(encoding="utf-8") == pages()[page], f"the code says otherwise: {COMMAND}"


@pytest.mark.parametrize("heading", MODELS)
def test_every_key_is_in_its_table_and_no_other(heading: str) -> None:
    assert sorted(names(rows(SPEC, heading))) == sorted(keys_of(MODELS[heading]))


@pytest.mark.parametrize("heading", MODELS)
def test_only_needed_keys_are_called_needed(heading: str) -> None:
    needed = {row[0].strip("`") for row in rows(SPEC, heading) if row[1] == "needed"}
    assert needed == {key for key, field in keys_of(MODELS[heading]).items() if field.is_required()}


@pytest.mark.parametrize("part", PARTS, ids=lambda part: f"line{part.line}")
def test_the_examples_are_good_specs(part: Block) -> None:
    read_project_file(_whole(part), "spec.md", load_kinds())


def test_there_is_an_example_of_each_part() -> None:
    kinds = {part.attributes["part"] for part in PARTS}
    assert kinds == {"project", "source", "resource", "column"}


@pytest.mark.slow
def test_the_commands_print_what_is_shown(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    for block in blocks(SPEC):
        shell.do(block)


def test_all_exit_codes_are_listed() -> None:
    codes = {0, INTERRUPTED, *(kind.exit_code for kind in EtlgenError.__subclasses__())}
    assert [int(row[0]) for row in rows(SPEC, "## Errors and exit codes")] == sorted(codes)


def test_suffixes_and_presets_are_listed() -> None:
    text = prose(SPEC)
    assert [word for word in (*FORMATS, *PRESETS) if word not in text] == []


def _whole(part: Block) -> str:
    """A spec with this part in it."""
    match part.attributes["part"]:
        case "project":
            sources = indent(f"{SOURCE}{_resource('a: {type: text}')}", "    ")
            return f"{part.text}sources:\n  files:\n{sources}"
        case "source":
            return f"name: shop-etl\nsources:\n  files:\n{indent(part.text, '    ')}"
        case "resource":
            resource = f"  things:\n{indent(part.text, '    ')}"
        case _:
            resource = _resource(f"a:\n{indent(part.text, '  ')}")
    return f"name: shop-etl\nsources:\n  files:\n{indent(SOURCE + resource, '    ')}"


def _resource(columns: str) -> str:
    return f"  things:\n{indent(RESOURCE + indent(columns, '  '), '    ')}\n"
