"""Answers on the command line are the YAML that a careful person would have written."""

from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etlgen.errors import MissingAnswers, SpecError, UsageError, format_finding
from etlgen.kinds import Kind, load_kinds
from etlgen.kinds.file.spec import FileResource
from etlgen.spec.answers import Flags, source_from_flags
from etlgen.spec.document import parse_document
from etlgen.spec.edit import source_text, with_resources
from etlgen.spec.models import ResourceSpec, SourceSpec, Spec
from etlgen.spec.reading import read_texts

KINDS = load_kinds()
ORDERS = {"kind": "file", "resource": "orders", "columns": ["id:bigint"]}


def written(**flags: Any) -> str:
    return source_from_flags("crm", Flags(**flags), KINDS)


def resource(**flags: Any) -> dict[str, Any]:
    """What is said of the one resource."""
    tree = parse_document(written(**ORDERS, **flags), "f").tree
    return dict(tree["resources"]["orders"])


def read(text: str) -> Spec:
    source = source_text(text, "the command line", "crm")
    return read_texts({"etlgen.yaml": "name: shop\n", "sources/crm.yaml": source}, KINDS)


def refused(**flags: Any) -> str:
    with pytest.raises(UsageError) as caught:
        written(**flags)
    (finding,) = caught.value.findings
    assert caught.value.exit_code == 2
    return format_finding(finding)


def test_answers_are_written_as_a_person_would() -> None:
    text = written(
        settings=["null_values=['', n/a]", "delimiter=;", "source.path=${CRM:-data}", "path=*.csv"],
        write_disposition="merge",
        cursor="placed at",
        primary_key=["order_id"],
        columns=["order_id:bigint", "total: numeric(12,2)", "placed at:timestamptz"],
        resource="orders",
        kind="file",
    )
    assert text == (
        "kind: file\n"
        "path: ${CRM:-data}\n"
        "resources:\n"
        "  orders:\n"
        '    path: "*.csv"\n'
        "    delimiter: ;\n"
        '    null_values: ["", n/a]\n'
        "    primary_key: [order_id]\n"
        "    cursor: {field: placed at}\n"
        "    write_disposition: merge\n"
        "    columns:\n"
        "      order_id: {type: bigint}\n"
        "      total: {type: numeric(12,2)}\n"
        "      placed at: {type: timestamptz}\n"
    )
    orders = read(text).sources[0].resources["orders"]
    assert isinstance(orders, FileResource)
    assert (orders.delimiter, orders.null_values, orders.path) == (";", ("", "n/a"), "*.csv")


def test_the_order_is_that_of_a_spec_not_that_of_the_answers() -> None:
    settings = ["header_row=0", "path=a.csv", "table=Orders", "description=All orders"]
    settings += ["source.path=d", "source.tags=[a]", "schedule=@daily", "source.description=C"]
    for answers in (settings, settings[::-1]):
        tree = parse_document(written(**ORDERS, settings=answers), "f").tree
        assert list(tree) == ["kind", "description", "schedule", "tags", "path", "resources"]
        keys = list(tree["resources"]["orders"])
        assert (keys[:3], keys[-1]) == (["description", "table", "path"], "columns")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", ""),
        (",", ","),
        ("|", "|"),
        ('"', '"'),
        ("~", "~"),
        (" ", " "),
        ("#", "#"),
        ("0", 0),
        ("12", 12),
        ("true", True),
        ("null", None),
        ("NO", "NO"),
        ("007", "007"),
        ("*.csv", "*.csv"),
        ("@daily", "@daily"),
        ("a: b", "a: b"),
        ("a # b", "a # b"),
        ("1 # one", "1 # one"),
        ("1\nb: 2", "1\nb: 2"),
        (" a ", "a"),
        ("   ", ""),
        ("a=b", "a=b"),
        ("[a, 1]", ["a", 1]),
        ("[]", []),
        ("{a: numeric(12,2)}", {"a": "numeric(12,2)"}),
        ('"12"', "12"),
        ("'a'", "a"),
        ("[numeric(12,2)]", ["numeric(12", "2)"]),
    ],
)
def test_a_value_is_yaml_only_where_it_must_be(text: str, value: Any) -> None:
    assert repr(resource(settings=[f"table={text}"])["table"]) == repr(value)


@pytest.mark.parametrize("text", ["[a", "{a: 1", "'a", '"a" b', "[0-9].csv", "[a]\nkind: x"])
def test_a_value_that_is_no_yaml_is_refused(text: str) -> None:
    assert "is not YAML: " in refused(**ORDERS, settings=[f"path={text}"])


def test_a_key_of_both_is_the_resources_and_one_of_the_source_needs_no_prefix() -> None:
    tree = parse_document(
        written(**ORDERS, settings=["path=r.csv", "schedule=@daily", "source.path=d"]), "f"
    ).tree
    assert (tree["path"], tree["schedule"], tree["resources"]["orders"]["path"]) == (
        "d",
        "@daily",
        "r.csv",
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["delimeter=;"], "--set: there is no key 'delimeter'; did you mean 'delimiter'? keys: "),
        (["shedule=x"], "--set: there is no key 'shedule'; did you mean 'schedule'? keys: "),
        (["source.format=x"], "--set: there is no key 'source.format'; "),
        (
            ["zzz=x"],
            "--set: there is no key 'zzz'; keys: description, table, replace_by, deleted, ",
        ),
        (["columns={}"], "--set: 'columns' has an option of its own; --column NAME:TYPE"),
        (["source.resources={}"], "--set: 'resources' has an option of its own; --resource NAME"),
        (["path=a", "path=b"], "--set: 'path' is given twice"),
        (["schedule=a", "source.schedule=b"], "--set: 'schedule' is given twice"),
        (["path"], "--set: 'path' is not KEY=VALUE; such as path=data/in"),
        (["=a"], "--set: '=a' is not KEY=VALUE"),
    ],
)
def test_a_setting_without_a_place_is_refused(settings: list[str], message: str) -> None:
    assert refused(**ORDERS, settings=settings).startswith(message)


def test_all_keys_of_the_kind_are_named() -> None:
    _, _, keys = refused(**ORDERS, settings=["zzz=x"]).partition("keys: ")
    assert set(keys.split(", ")) == {
        *("description", "table", "filter", "drop", "checks", "replace_by", "path", "format"),
        *("deleted", "delete_missing"),
        *("compression", "member", "read", "ready", "archive", "delimiter", "encoding", "quote"),
        *("header_row", "footer_rows", "comment", "sheet", "range", "null_values"),
        *("decimal_mark", "thousands_mark"),
        *("source.description", "source.schedule", "source.tags", "source.path"),
    }


@pytest.mark.parametrize("kind", [None, "fiel"])
def test_without_a_kind_nothing_can_be_said_of_keys(kind: str | None) -> None:
    text = written(kind=kind, resource="r", settings=["a=1", "source.b=2"])
    tree = parse_document(text, "f").tree
    assert (tree["b"], tree["resources"]) == (2, {"r": {"a": 1}})
    assert "--column" in refused(kind=kind, resource="r", settings=["columns=[a]"])


def test_columns_are_names_and_types() -> None:
    columns = ["id:bigint", " Order No : text", "xml:lang:text", "null:text", "a, b:numeric(12,2)"]
    text = written(kind="file", resource="orders", columns=columns)
    assert parse_document(text, "f").tree["resources"]["orders"]["columns"] == {
        "id": {"type": "bigint"},
        "Order No": {"type": "text"},
        "xml:lang": {"type": "text"},
        "null": {"type": "text"},
        "a, b": {"type": "numeric(12,2)"},
    }
    for wrong in ("id", "id:", ":text", ""):
        assert "is not NAME:TYPE; such as total:bigint" in refused(resource="r", columns=[wrong])
    assert "'a' is given twice" in refused(resource="r", columns=["a:text", "a:date"])


@pytest.mark.parametrize(
    ("flags", "missing"),
    [
        ({}, ["kind"]),
        ({"resource": "orders"}, ["kind"]),
        ({"kind": "file"}, ["path", "resources"]),
        ({"kind": "file", "resource": "orders"}, ["path", "path", "columns"]),
        ({**ORDERS, "settings": ["path=a.csv"]}, ["path"]),
    ],
)
def test_what_was_not_answered_is_asked_for(flags: dict[str, Any], missing: list[str]) -> None:
    with pytest.raises(MissingAnswers) as caught:
        read(written(**flags))
    assert sorted(finding.message for finding in caught.value.findings) == sorted(
        f"missing {key!r}" for key in missing
    )
    assert caught.value.skeleton.startswith("sources:\n  crm:\n    ")


def test_what_is_said_of_a_resource_needs_its_name() -> None:
    for flags in ({"columns": ["a:text"]}, {"primary_key": ["a"]}, {"settings": ["path=a"]}):
        assert "needs its name" in refused(kind="file", **flags)


def test_a_wrong_answer_is_the_readers_to_refuse() -> None:
    flags = {**ORDERS, "columns": ["id:string"], "settings": ["path=a.csv", "source.path=d"]}
    with pytest.raises(SpecError, match=r"sources/crm.yaml:8:18: 'string' is not a type"):
        read(written(**flags))


def test_answers_grow_a_source_that_is_there() -> None:
    text = "kind: file\npath: d\nresources:\n    a: {path: a.csv, columns: {x: {type: text}}}\n"
    grown = with_resources(text, "sources/crm.yaml", written(**ORDERS), "the command line")
    assert grown == (f"{text}    orders:\n      columns:\n        id: {{type: bigint}}\n")


def test_bytes_that_are_not_utf_8_are_refused() -> None:
    assert refused(**ORDERS, settings=["path=\udcff"]) == r"'path=\udcff' is not UTF-8"
    assert refused(kind="\udcff") == r"'\udcff' is not UTF-8"


def test_a_password_is_not_shown() -> None:
    assert "S3cr3t" not in refused(**ORDERS, settings=["path=[postgresql://u:S3cr3t@h/db"])


class BoxResource(ResourceSpec):
    rows: int = 3


class BoxSource(SourceSpec):
    kind: Literal["box"]
    size: int = 1


BOX = Kind("box", BoxSource, BoxResource, Path("box"), (), print)


def test_keys_of_another_kind_need_no_edit_elsewhere() -> None:
    flags = Flags("box", "r", ["a:text"], ["a"], settings=["rows=7", "size=2"])
    text = source_from_flags("b", flags, {"box": BOX})
    assert text == (
        "kind: box\nsize: 2\nresources:\n  r:\n    rows: 7\n    primary_key: [a]\n"
        "    columns:\n      a: {type: text}\n"
    )


ANY = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@given(st.dictionaries(ANY, ANY, min_size=1), ANY, ANY)
def test_any_answers_are_read_as_they_were_given(
    given: dict[str, str], name: str, cursor: str
) -> None:
    pairs = {key.strip(): kind.replace(":", "").strip() for key, kind in given.items()}
    columns = {key: kind for key, kind in pairs.items() if key and kind}
    texts = [f"{key}:{kind}" for key, kind in columns.items()]
    flags = {"resource": name, "columns": texts, "primary_key": list(columns), "cursor": cursor}
    said = parse_document(written(kind="file", **flags), "f").tree["resources"][name]
    assert said.get("columns", {}) == {key: {"type": kind} for key, kind in columns.items()}
    assert list(said.get("columns", {})) == said.get("primary_key", []) == list(columns)
    assert said["cursor"] == {"field": cursor}
