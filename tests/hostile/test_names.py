"""Hostile names: kept in SQL, made safe in Python, or refused before anything is written."""

import csv
import json
from typing import Any

import pytest
from sqlalchemy import create_engine

from etlgen.names import BadName, project_name
from tests.hostile.projects import Project, Spec, Workshop, rows, shop

pytestmark = pytest.mark.slow

PYTHON_WORDS = [
    *("class", "def", "None", "import", "__init__", "self", "async", "match", "print", "from"),
    "lambda",
]
MODULES = ["json", "logging", "os", "typing", "pandas", "tests", "conftest", "__main__"]
# What a generated test module might name itself, too.
NAMES_IN_TESTS = ["file", "bad_file", "broken_file_rules", "path", "pytest", "destination", "rows"]
NAMES_IN_TESTS += ["tmp_path", "counts", "len", "load-from", "range", "row"]
DROPS_A_TABLE = 'users"; DROP TABLE users; --'
SLEEPS = "a');SELECT pg_sleep(5);--"
ODD = ["a b", "a-b", "a.b", "a%b", "a:b", "a(b)", "%s", "%(a)s", ":x", "100%", "?", "é", "日本語"]
ODD += ["🙂", '"q"', "\u02cbt\u02cb", "[z]", "{y}", "a'b", "a\\b", "$1", "NULL", "--", "/*", "*"]
NO_PROJECTS = [
    *("../evil", "..", "canary-I12", "a/b", "a\\b", "C:\\x", "~root", ".", "con", "-rf", "a\0b"),
    *("x" * 300, "", " ", "a b", "1a", "-", "a-", "\uff41", "a\u200b", "a\nb", "etlgen"),
]


def files_of(spec: Spec, project: Project, records: dict[str, list[dict[str, Any]]]) -> None:
    """A CSV file for each resource, where its spec says."""
    for source in spec["sources"].values():
        for name, resource in source["resources"].items():
            path = project.root / source["path"] / resource["path"]
            path.parent.mkdir(exist_ok=True)
            with path.open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, list(records[name][0]))
                writer.writeheader()
                writer.writerows(records[name])


def with_victim(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE users AS SELECT 'still here' AS victim")
    engine.dispose()


def require_victim(url: str) -> None:
    assert [tuple(row) for row in rows(url, "SELECT victim FROM public.users")] == [("still here",)]


def tables(url: str, schema: str = "public") -> set[str]:
    found = rows(url, f"SELECT tablename FROM pg_tables WHERE schemaname = $q${schema}$q$")
    return {row.tablename for row in found}


def quoted(name: str) -> str:
    escaped = name.replace('"', '""').replace(":", "\\:")
    return f'"{escaped}"'


@pytest.mark.parametrize(
    "type_name",
    [
        "os\n__import__('pathlib').Path('canary_I07').touch()\nimport sys",
        "sqlalchemy.Text",
        "text); import os; (",
        "numeric(__import__('os').getpid(), 2)",
        "Text",
    ],
)
def test_I07_a_type_comes_from_the_list(workshop: Workshop, type_name: str) -> None:
    said = workshop.refused(shop("hostile", {"id": {"type": type_name}}))
    assert "spec.yaml:11:19: " in said
    assert "is not a type" in said
    assert "import" not in said or "\n    " in said


@pytest.mark.parametrize("key", ["expression", "import", "x-python-type", "default_factory"])
def test_I07_there_is_no_key_for_code(workshop: Workshop, key: str) -> None:
    said = workshop.refused(shop("hostile", {"id": {"type": "text", key: "os.system"}}))
    assert f"unknown key '{key}'" in said


def test_I08_names_that_are_words_of_python(workshop: Workshop, postgres_url: str) -> None:
    columns = {name: {"type": "text"} for name in PYTHON_WORDS if not name.startswith("_")}
    spec = shop("hostile-words")
    spec["sources"] = {
        "class": {
            "kind": "file",
            "path": "data",
            "resources": {
                name: {"path": f"{name}.csv", "primary_key": ["class"], "columns": columns}
                for name in PYTHON_WORDS
            },
        }
    }
    project = workshop.project(spec)
    record = {name: f"a {name}" for name in columns}
    files_of(spec, project, {name: [record] for name in PYTHON_WORDS})
    for name in PYTHON_WORDS:
        module = {"None": "none", "__init__": "init"}.get(name, name)
        is_keyword = name in ("class", "def", "import", "async", "from", "lambda")
        project.load(postgres_url, f"class_.{module}{'_' * is_keyword}")
        (found,) = rows(postgres_url, f"SELECT * FROM {quoted(name)}")
        assert record.items() <= found._mapping.items()
    assert tables(postgres_url) == set(PYTHON_WORDS)


def test_I08_two_names_that_would_be_one_module(workshop: Workshop) -> None:
    spec = shop("hostile")
    resources = spec["sources"]["box"]["resources"]
    resources["class"] = resources["class_"] = resources.pop("things")
    assert "'class' and 'class_' would be one module" in workshop.refused(spec)
    resources["class_"] = {**resources["class"], "table": "other"}
    assert "'class' and 'class_' would be one module" in workshop.refused(spec)


def test_I08_a_table_may_be_named_as_another_ones_module(
    workshop: Workshop, postgres_url: str
) -> None:
    spec = shop("hostile-class")
    resources = spec["sources"]["box"]["resources"]
    resources["class"] = resources.pop("things")
    resources["other"] = {**resources["class"], "table": "class_"}
    project = workshop.project(spec)
    files_of(spec, project, {"class": [{"id": 1}], "other": [{"id": 1}]})
    for resource in ("box.class_", "box.other"):
        project.load(postgres_url, resource)
    assert tables(postgres_url) == {"class", "class_"}


@pytest.mark.parametrize("disposition", ["append", "replace", "merge"])
@pytest.mark.parametrize("name", [DROPS_A_TABLE, SLEEPS], ids=["I09", "I10"])
def test_I09_and_I10_names_that_are_statements(
    workshop: Workshop, postgres_url: str, name: str, disposition: str
) -> None:
    with_victim(postgres_url)
    spec = shop(
        "hostile-names",
        {
            name: {"type": "text", "description": name, "checks": [{"one_of": ["1", "2"]}]},
            f"{name}2": {"type": "bigint", "nullable": False, "clean": ["strip"]},
            f"{name}3": {"type": "numeric(9,2)", "default": 7},
        },
        table=name,
        primary_key=[name],
        cursor={"field": f"{name}2"},
        write_disposition=disposition,
        read="all_files",
    )
    spec["sources"]["box"]["resources"]["things"]["read"] = "all_files"  # the same file, twice
    spec["destination"] = {"schema": f"s {name}", "work_schema": f"w {name}"}
    project = workshop.project(spec)
    records = [
        {name: key, f"{name}2": " 1", f"{name}3": None, "more": "x"} for key in ("1", "2", "3")
    ]
    files_of(spec, project, {"things": records})
    table = f"{quoted(f's {name}')}.{quoted(name)}"
    for _ in range(2):
        assert project.load(postgres_url, "box.things").quarantined == 1
        found = rows(postgres_url, f"SELECT * FROM {table} ORDER BY 1")
        assert [tuple(row)[:3] for row in found] == [("1", 1, 7), ("2", 1, 7)]
        assert found[0]._mapping["_extra"] == {"more": "x"}
    engine = create_engine(postgres_url)
    with engine.begin() as connection:  # so that the next load must add it
        dropped = quoted(f"{name}3").replace("\\:", ":")
        connection.exec_driver_sql(f"ALTER TABLE {table} DROP COLUMN {dropped}".replace("%", "%%"))
    engine.dispose()
    project.load(postgres_url, "box.things")
    assert f"{name}3" in rows(postgres_url, f"SELECT * FROM {table}")[0]._mapping
    require_victim(postgres_url)


def test_I09_the_command_line_with_such_names(
    workshop: Workshop, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_victim(postgres_url)
    spec = shop("hostile-line", {DROPS_A_TABLE: {"type": "bigint"}}, table=DROPS_A_TABLE)
    spec["destination"] = {"schema": DROPS_A_TABLE, "work_schema": f"work {DROPS_A_TABLE}"}
    project = workshop.project(spec)
    files_of(spec, project, {"things": [{DROPS_A_TABLE: "1"}, {DROPS_A_TABLE: "one"}]})
    monkeypatch.setenv("HOSTILE_LINE_DATABASE_URL", postgres_url)
    app = project.import_module("cli").app
    for command in (["db", "init"], ["run"], ["status"], ["quarantine"], ["plan"]):
        assert not app(command, standalone_mode=False)
    workshop.etlgen.capsys.readouterr()
    app(["db", "init", "--print-sql"], standalone_mode=False)
    sql = workshop.etlgen.capsys.readouterr().out
    assert f"CREATE SCHEMA IF NOT EXISTS {quoted(f'work {DROPS_A_TABLE}')};" in sql
    require_victim(postgres_url)


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_I11_odd_column_names(workshop: Workshop, postgres_url: str, suffix: str) -> None:
    columns = {name: {"type": "text", "default": f"no {name}"} for name in ODD}
    columns["%s"] = {"type": "bigint"}
    columns[":x"] = {"type": "bigint", "nullable": False}
    spec = shop("hostile-odd", columns, primary_key=["%s", "a b"], cursor={"field": ":x"})
    del columns["a b"]["default"]
    things = spec["sources"]["box"]["resources"]["things"]
    things["path"] = f"things.{suffix}"
    project = workshop.project(spec)
    record = {name: f"a {name}" for name in ODD} | {"%s": "1", ":x": "2", "?": None}
    if suffix == "csv":
        files_of(spec, project, {"things": [record]})
    else:
        (project.root / "data").mkdir()
        (project.root / "data/things.jsonl").write_text(json.dumps(record), encoding="utf-8")
    for loaded in (1, 0):
        counts = project.load(postgres_url, "box.things")
        assert (counts.loaded, counts.unchanged) == (loaded, 1 - loaded)
    (found,) = rows(postgres_url, "SELECT * FROM things")
    expected = {**record, "%s": 1, ":x": 2, "?": "no ?"}
    assert list(found._mapping)[: len(ODD)] == ODD
    assert expected.items() <= found._mapping.items()


def test_I11_odd_table_names(workshop: Workshop, postgres_url: str) -> None:
    spec = shop("hostile-tables")
    spec["sources"]["box"]["resources"] = {
        f"r{number}": {
            "path": f"r{number}.csv",
            "table": name,
            "write_disposition": "append",
            "columns": {"id": {"type": "bigint"}},
        }
        for number, name in enumerate(ODD)
    }
    project = workshop.project(spec)
    files_of(spec, project, {f"r{number}": [{"id": 1}] for number in range(len(ODD))})
    for number in range(len(ODD)):
        assert project.load(postgres_url, f"box.r{number}").loaded == 1
    assert tables(postgres_url) == set(ODD)


@pytest.mark.parametrize(
    ("one", "other"), [("a", "A"), ("é", "e\u0301"), ("\ufb01eld", "field"), ("\u212aK", "kk")]
)
def test_I11_and_I14_names_that_look_the_same_are_reported(
    workshop: Workshop, one: str, other: str
) -> None:
    columns = {one: {"type": "text"}, other: {"type": "text"}}
    assert "are one name to the eye" in workshop.refused(shop("hostile", columns))
    spec = shop("hostile", table=one)
    resources = spec["sources"]["box"]["resources"]
    resources["others"] = {**resources["things"], "table": other}
    assert "would both load the table" in workshop.refused(spec)


@pytest.mark.parametrize("name", NO_PROJECTS)
def test_I12_a_project_name_that_is_a_path(workshop: Workshop, name: str) -> None:
    with pytest.raises(BadName):
        project_name(name)
    beside = sorted(workshop.folder.parent.iterdir())
    assert "spec.yaml:1:7: " in workshop.refused(shop(name))
    spec = workshop.write(shop("shop-etl"))
    result = workshop.etlgen("new", "--spec", spec, f"--name={name}", "--yes")
    assert result.code == 2
    assert list(workshop.folder.iterdir()) == [spec]
    assert sorted(workshop.folder.parent.iterdir()) == beside


@pytest.mark.parametrize("name", ["../evil", "..", "a/b", "con", "-rf", "a\0b", "x" * 300, "a.b"])
def test_I12_a_source_or_a_resource_that_is_a_path(workshop: Workshop, name: str) -> None:
    beside = sorted(workshop.folder.parent.iterdir())
    spec = shop("hostile")
    spec["sources"][name] = spec["sources"].pop("box")
    workshop.refused(spec)
    spec = shop("hostile")
    resources = spec["sources"]["box"]["resources"]
    resources[name] = resources.pop("things")
    workshop.refused(spec)
    assert sorted(workshop.folder.parent.iterdir()) == beside


def test_I13_names_that_are_modules(workshop: Workshop, postgres_url: str) -> None:
    spec = modules_spec("hostile-modules")
    project = workshop.project(spec)
    names = spec["sources"]["json"]["resources"]
    one = {"sources": {"json": spec["sources"]["json"]}}
    files_of(one, project, {name: [{"id": 1, "json": "{}"}] for name in names})
    for name in MODULES:
        assert project.load(postgres_url, f"json.{name.strip('_')}").loaded == 1
    assert tables(postgres_url) == {f"json {name}" for name in names}


def modules_spec(name: str) -> Spec:
    """Sources and resources named after modules, a source's own name among its resources."""

    def resource(source: str, name: str) -> dict[str, Any]:
        columns = {"id": {"type": "text"}, "json": {"type": "jsonb"}}
        return {"path": f"{name}.csv", "table": f"{source} {name}", "columns": columns}

    sources = MODULES[:-1]
    chosen = {source: {source} for source in sources} | {"json": {*MODULES}}
    return {
        "name": name,
        "sources": {
            source: {
                "kind": "file",
                "path": f"data-{source}",
                "resources": {one: resource(source, one) for one in sorted(chosen[source])},
            }
            for source in sources
        },
    }


@pytest.mark.slow
def test_I08_and_I13_generated_tests_pass_whatever_the_names_are(workshop: Workshop) -> None:
    spec = modules_spec("hostile-tested")
    spec["sources"] = {name: spec["sources"][name] for name in ("json", "conftest", "tests")}
    columns = {name: {"type": "text"} for name in [*ODD, SLEEPS, "class"]}
    columns["%s"] = {"type": "bigint"}
    spec["sources"]["class"] = {
        "kind": "file",
        "path": "data",
        "resources": {
            name: {"path": f"{name}.csv", "table": f"class {name}", "columns": columns}
            for name in ["class", "None", "__init__", "print", *NAMES_IN_TESTS]
        },
    }
    workshop.project(spec).passes_its_tests()


@pytest.mark.parametrize("source", ["__main__", "__init__", "None", "Json"])
def test_I13_a_source_is_named_in_small_letters(workshop: Workshop, source: str) -> None:
    spec = shop("hostile")
    spec["sources"][source] = spec["sources"].pop("box")
    assert "cannot be a source name" in workshop.refused(spec)


@pytest.mark.parametrize("name", MODULES)
def test_I13_a_project_does_not_hide_a_module(workshop: Workshop, name: str) -> None:
    assert "spec.yaml:1:7: " in workshop.refused(shop(name))


@pytest.mark.parametrize("name", ["payments\u200b", "a\u202eb", "a\u2066b", "\ufeffa", "a\u00adb"])
def test_I14_an_invisible_character_in_a_name(workshop: Workshop, name: str) -> None:
    for spec in (
        shop("hostile", {name: {"type": "text"}}),
        shop("hostile", table=name),
        shop("hostile") | {"destination": {"schema": name}},
    ):
        said = workshop.refused(spec)
        assert "invisible character U+" in said
        assert name not in said


def test_I14_a_name_in_another_script_is_a_name(workshop: Workshop, postgres_url: str) -> None:
    name = "\u0440\u0430yments"  # the first two letters are Cyrillic
    spec = shop("hostile-script", {name: {"type": "text"}}, table=name)
    project = workshop.project(spec)
    files_of(spec, project, {"things": [{name: "1"}]})
    project.load(postgres_url, "box.things")
    assert rows(postgres_url, f"SELECT {quoted(name)} FROM {quoted(name)}")[0][0] == "1"
    assert "cannot be a source name" in workshop.refused({"name": "a", "sources": {name: {}}})


@pytest.mark.parametrize(
    "schedule",
    [
        "* * * * *; touch canary-I15",
        "@daily\n* * * * * root touch canary-I15",
        "$(id)",
        "`id`",
        "\u02cbid\u02cb",
        "* * * * * *",
        "61 * * * *",
        "@reboot",
        "0 4 * * *\u2028",
        "0 4 * * *') or ('",
    ],
)
def test_I15_a_schedule_is_a_cron_expression(workshop: Workshop, schedule: str) -> None:
    of_project = shop("hostile") | {"schedule": schedule}
    of_source = shop("hostile")
    of_source["sources"]["box"]["schedule"] = schedule
    for spec in (of_project, of_source):
        assert "schedule" in workshop.refused(spec)
