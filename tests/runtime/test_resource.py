"""How the modules below `sources` become resources."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from runtime.errors import ConfigError
from runtime.resource import (
    EXTRA,
    Partition,
    Reject,
    file_lineage,
    find_resource,
    lineage,
    resource_names,
)

CONNECTION = "def connect():\n    return 'reached'\n"
RESOURCE = """
from runtime.resource import Partition
LOAD = "load"
def partitions(connection, window):
    return [Partition(1, window)]
def extract(connection, partition): ...
def transform(raw, problems): ...
def check(rows, problems): ...
"""
BROKEN = "raise RuntimeError('imported')\n"


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A package with two sources, one of which can't be imported."""
    files = {
        "__init__.py": "",
        "crm/__init__.py": "",
        "crm/connection.py": CONNECTION,
        "crm/customers.py": RESOURCE,
        "crm/class_.py": RESOURCE,
        "crm/_helpers.py": BROKEN,
        "crm/notes.py": "LOAD = 1\n",
        "crm/README.md": "not a module",
        "web/__init__.py": "",
        "web/connection.py": BROKEN,
        "web/orders.py": BROKEN,
    }
    for name, text in files.items():
        file = tmp_path / "made_sources" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("made_sources")
    for name in [name for name in sys.modules if name.split(".")[0] == "made_sources"]:
        del sys.modules[name]


def test_names_are_found_without_importing_anything(sources: ModuleType) -> None:
    assert resource_names(sources) == ["crm.class_", "crm.customers", "crm.notes", "web.orders"]
    assert "made_sources.crm" not in sys.modules


def test_a_resource_is_what_its_module_says(sources: ModuleType) -> None:
    found = find_resource(sources, "crm.customers")
    module = sys.modules["made_sources.crm.customers"]
    assert (found.name, found.load, found.connect()) == ("crm.customers", "load", "reached")
    assert (found.extract, found.check) == (module.extract, module.check)
    assert "made_sources.web" not in sys.modules


@pytest.mark.parametrize(
    "name", ["crm.missing", "customers", "crm", "", "crm.connection", "crm._helpers"]
)
def test_an_unknown_name_is_refused_with_those_that_there_are(
    sources: ModuleType, name: str
) -> None:
    with pytest.raises(
        ConfigError, match=r"(?s)no resource.*Resources: crm\.class_, crm\.customers"
    ):
        find_resource(sources, name)


def test_a_project_without_resources_says_so(tmp_path: Path) -> None:
    empty = ModuleType("empty")
    empty.__path__ = [str(tmp_path)]
    assert resource_names(empty) == []
    with pytest.raises(ConfigError, match="none yet"):
        find_resource(empty, "crm.customers")


def test_a_module_that_is_no_resource_is_refused_by_its_parts(sources: ModuleType) -> None:
    with pytest.raises(ConfigError, match=r"notes\.py is not a resource: .* partitions, extract"):
        find_resource(sources, "crm.notes")


def test_lineage_is_new_columns_for_each_table() -> None:
    names = [column.name for column in lineage()]
    assert names == ["_run_id", "_loaded_at", EXTRA]
    assert [column.name for column in file_lineage()] == [*names, "_source_file", "_source_row"]
    assert lineage()[0] is not lineage()[0]


def test_partitions_do_not_share_their_rejects() -> None:
    one, two = Partition(1), Partition(2)
    one.reject(3, "is torn", "a,b")
    assert (one.rejects, two.rejects) == ([Reject(3, "is torn", "a,b")], [])
