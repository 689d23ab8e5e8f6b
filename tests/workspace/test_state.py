import hashlib
import json

import pytest

from etlgen import __version__
from etlgen.errors import InternalError
from etlgen.rendered import RenderedFile
from etlgen.workspace.state import state_files

INPUTS = {"etlgen": "name: shop\n", "sources/crm": "kind: file\n"}


def files() -> list[RenderedFile]:
    return [
        RenderedFile("etlgen.yaml", "name: shop\n", None, "spec"),
        RenderedFile("README.md", "# Shop\n", "etlgen", "README.md.jinja"),
        RenderedFile(
            "src/b.py", "b\n", "sources/crm", "r.py.jinja", "b", unstyled_sha256="before-black"
        ),
        RenderedFile("src/a.py", "a\n", "sources/crm", "r.py.jinja", "a"),
    ]


def test_a_unit_remembers_what_it_made() -> None:
    state = json.loads(state_files(files(), INPUTS)[".etlgen/units/sources/crm.json"])
    assert state["etlgen"] == __version__
    assert state["black"]
    assert state["input_sha256"] == hashlib.sha256(b"kind: file\n").hexdigest()
    assert state["files"] == [
        {
            "template": "r.py.jinja",
            "resource": "a",
            "path": "src/a.py",
            "sha256": hashlib.sha256(b"a\n").hexdigest(),
            "unstyled_sha256": None,
        },
        {
            "template": "r.py.jinja",
            "resource": "b",
            "path": "src/b.py",
            "sha256": hashlib.sha256(b"b\n").hexdigest(),
            "unstyled_sha256": "before-black",
        },
    ]


def test_the_text_as_generated_is_kept_as_base_by_unit() -> None:
    texts = state_files(files(), INPUTS)
    assert texts[".etlgen/base/sources/crm/src/a.py.base"] == "a\n"
    assert texts[".etlgen/base/etlgen/README.md.base"] == "# Shop\n"


def test_the_spec_files_are_the_teams_own() -> None:
    texts = state_files(files(), INPUTS)
    assert not any(path.endswith("etlgen.yaml.base") for path in texts)
    assert not any('"etlgen.yaml"' in text for text in texts.values())


def test_git_and_search_tools_are_told() -> None:
    texts = state_files(files(), INPUTS)
    assert texts[".etlgen/.gitattributes"] == "** -text -merge linguist-generated\n"
    assert texts[".etlgen/.gitignore"] == "tx-*\nlock\n"
    assert texts[".etlgen/.ignore"] == "*\n"


def test_the_state_does_not_depend_on_the_order() -> None:
    backwards = state_files(files()[::-1], dict(reversed(INPUTS.items())))
    assert list(backwards.items()) == list(state_files(files(), INPUTS).items())


def test_a_unit_does_not_depend_on_the_others() -> None:
    alone = state_files(
        [f for f in files() if f.unit == "sources/crm"], {"sources/crm": "kind: file\n"}
    )
    together = state_files(files(), INPUTS)
    assert alone.items() <= together.items()


def test_a_unit_without_input_is_a_fault() -> None:
    with pytest.raises(InternalError, match="has no input"):
        state_files(files(), {"etlgen": ""})


def test_template_and_resource_name_one_file_of_a_unit() -> None:
    twice = RenderedFile("src/c.py", "c\n", "sources/crm", "r.py.jinja", "a")
    with pytest.raises(InternalError, match="same unit, template and resource"):
        state_files([*files(), twice], INPUTS)
