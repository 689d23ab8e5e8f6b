"""Names: what is refused, and what becomes of the rest (I08-I14)."""

import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etlgen import names
from etlgen.names import BadName

I08 = ["class", "def", "None", "import", "__init__", "self", "async", "match", "print", "from"]
I11 = ["a b", "a-b", "a.b", "a%b", "a:b", "a(b)", "%s", ":x", "100%", "?", "é", "日本語", "🙂"]
I11 += ['"q"', "`t`", "[z]"]
I12 = ["../evil", "..", "canary-I12", "a/b", "a\\b", "C:\\x", "~root", ".", "con", "-rf", "a\x00b"]
I12 += ["x" * 300, "", " ", "a--b", "a-", "1a", "a\n", "café"]


@pytest.mark.parametrize("name", I12)
def test_i12_a_project_name_stays_in_its_folder(name: str) -> None:
    with pytest.raises(BadName, match="cannot be a project name"):
        names.project_name(name)


@pytest.mark.parametrize("name", ["json", "logging", "os", "typing", "pandas", "tests", "conftest"])
def test_i13_a_project_hides_no_module(name: str) -> None:
    with pytest.raises(BadName, match="would hide the Python module") as caught:
        names.project_name(name)
    assert caught.value.hint == f"write '{name}-etl'"
    assert names.source_name(name) == name  # a module inside of a package hides nothing


def test_a_project_name_and_its_package() -> None:
    assert names.package_name(names.project_name("shop-etl")) == "shop_etl"


def test_a_refusal_suggests_a_name_that_is_taken() -> None:
    with pytest.raises(BadName) as caught:
        names.project_name("Shop ETL")
    assert caught.value.hint == "write 'shop-etl'"
    names.project_name("shop-etl")


@pytest.mark.parametrize("name", I08)
def test_i08_a_module_name_is_an_identifier(name: str) -> None:
    module = names.module_name(name)
    assert module.isidentifier()
    assert not keyword.iskeyword(module)
    assert names.column_name(name) == name if not name.startswith("_") else True
    assert names.table_name(name) == name


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("class", "class_"),
        ("Order Details", "order_details"),
        ("__main__", "main"),
        ("2024", "n2024"),
        ("ﬁeld", "field"),
        ("日本", "n"),
        ("__init__", "init"),
    ],
)
def test_module_names(name: str, module: str) -> None:
    assert names.module_name(name) == module


@given(st.text())
def test_any_text_makes_a_module_name(text: str) -> None:
    module = names.module_name(text)
    assert module.isidentifier()
    assert module.isascii()
    assert not keyword.iskeyword(module)
    assert names.module_name(module) == module


@pytest.mark.parametrize(
    "name", [*I11, "a');SELECT pg_sleep(5);--", 'users"; DROP TABLE users; --']
)
def test_i09_i10_i11_sql_names_stay_as_they_are(name: str) -> None:
    assert names.column_name(name) == name
    assert names.table_name(name) == name


@pytest.mark.parametrize(
    "name", ["payments\u200b", "a\u202eb", "a\nb", "a\x00b", "\u3164", "a\ud800"]
)
def test_i14_invisible_characters_are_refused(name: str) -> None:
    for make in (names.column_name, names.table_name, names.resource_name, names.schema_name):
        with pytest.raises(BadName, match="invisible character U\\+"):
            make(name)


def test_i14_lookalikes_are_one_name() -> None:
    assert names.folded("ﬁeld") == names.folded("Field") == "field"
    assert names.folded("K\u212a") == "kk"
    for name in ("\u0440\u0430yments", "ﬁeld"):
        with pytest.raises(BadName):
            names.source_name(name)


def test_names_have_63_bytes_not_characters() -> None:
    assert names.column_name("é" * 31 + "a")
    with pytest.raises(BadName, match="64 bytes, PostgreSQL keeps 63"):
        names.column_name("é" * 32)


def test_lineage_columns_are_reserved() -> None:
    with pytest.raises(BadName, match="_run_id, _loaded_at") as caught:
        names.column_name("_id")
    assert caught.value.hint == "name it 'id' and add 'from: _id'"


@pytest.mark.parametrize("name", ["pg_temp", "information_schema"])
def test_schemas_of_postgresql_are_refused(name: str) -> None:
    with pytest.raises(BadName, match="PostgreSQL keeps it"):
        names.schema_name(name)


@pytest.mark.parametrize("name", ["path", "A-B", "1A", "A B", "A\n", ""])
def test_environment_names(name: str) -> None:
    assert names.env_name("WEBSHOP_PATH") == "WEBSHOP_PATH"
    with pytest.raises(BadName, match="cannot be an environment variable"):
        names.env_name(name)


def test_a_message_shows_no_control_character() -> None:
    assert names.shown("a\x1b[2J") == r"'a\x1b[2J'"
    assert len(names.shown("x" * 500)) < 70
