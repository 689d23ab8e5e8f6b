"""The JSON Schema and the reader say the same of examples."""

from typing import Any

import jsonschema
import pytest

from etlgen.kinds import load_kinds
from etlgen.spec.document import parse_document
from etlgen.spec.schema import one_file_schema, project_schema, source_schema
from etlgen.spec.split import split
from tests.spec.specs import ONE_COLUMN, SHOP, faults


def is_valid(schema: dict[str, Any], text: str) -> bool:
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    return bool(validator.is_valid(parse_document(text, "spec.yaml").tree))


def column(text: str) -> str:
    return ONE_COLUMN.replace("{column}", text)


GOOD = [
    SHOP,
    SHOP.replace('"@daily"', "null"),
    column("{type: numeric(12)}"),
    column("{type: numeric(12, 2), checks: [{between: [0, 1.5]}, {one_of: [1, '2']}]}"),
    column("{type: text, from: A, clean: [strip, {replace: {a: b}}], default: 7}"),
    column("{type: text, checks: [{length: {at_most: 3}, severity: warn, message: is short}]}"),
    column("{type: jsonb, default: {a: [1]}}"),
    column("{type: timestamptz, timezone: UTC, nullable: false, example: '2026-01-31'}"),
    column("{type: text}").replace("path: r.csv", "path: r.csv\n        primary_key: c"),
]
BAD = [
    "{}",
    "name: shop-etl",
    SHOP.replace("name: shop-etl", "name: Shop"),
    SHOP.replace("delimiter", "delimeter"),
    SHOP.replace('"@daily"', "3"),
    SHOP.replace("kind: file", "kind: files", 1),
    SHOP.replace("primary_key: [order_id]", "write_disposition: upsert"),
    SHOP.replace('";"', '";;"'),
    SHOP.replace("  crm:", "  C R M:"),
    column("{type: string}"),
    column("{}"),
    column("{type: text, name: x}"),
    column("{type: text, nullable: NO}"),
    column("{type: text, clean: [lowr]}"),
    column("{type: text, clean: [null_if]}"),
    column("{type: text, clean: [{strip: 1}]}"),
    column("{type: integer, checks: [{at_least: 1, at_most: 2}]}"),
    column("{type: integer, checks: [{severity: warn}]}"),
    column("{type: integer, checks: [{at_least: 1, severity: fatal}]}"),
    column("{type: integer, checks: [{between: [1]}]}"),
    column("{type: text, checks: [{length: {at_lest: 1}}]}"),
    column("{type: text, from: []}"),
]


@pytest.mark.parametrize("text", GOOD)
def test_what_is_read_is_valid(text: str) -> None:
    assert not faults(text)
    assert is_valid(one_file_schema(load_kinds()), text)


@pytest.mark.parametrize("text", BAD)
def test_what_is_refused_is_not_valid(text: str) -> None:
    assert faults(text)
    assert not is_valid(one_file_schema(load_kinds()), text)


def test_the_parts_of_a_split_spec_are_valid() -> None:
    files = split(SHOP, "spec.yaml")
    assert is_valid(project_schema(), files.pop("etlgen.yaml"))
    assert len(files) == 2
    for text in files.values():
        assert is_valid(source_schema(load_kinds()), text)
        assert not is_valid(source_schema(load_kinds()), text + "tgas: []\n")


def test_the_schema_explains_itself() -> None:
    text = str(one_file_schema(load_kinds()))
    assert "Pattern of file names" in text
    assert "\0" not in text
