"""Columns made of others, constants, and rows that are one without a key."""

from pathlib import Path

import pytest

from etlgen.errors import SpecError
from etlgen.kinds import load_kinds
from etlgen.spec.reading import read_project_file
from etlgen.usecases.new import Request, create
from tests.own_tests import require_green

SPEC = """\
name: shop
sources:
  web:
    kind: file
    path: data
    resources:
      people:
        path: people.csv
        columns:
          first: {type: text}
          at: {type: timestamptz}
          full: {type: text, derive: "{first}!"}
"""


def _with(new: str) -> str:
    old = 'type: text, derive: "{first}!"' if new.startswith("type") else 'derive: "{first}!"'
    return SPEC.replace(old, new)


@pytest.mark.parametrize(
    ("new", "error"),
    [
        (
            'derive: "{frist}!"',
            "spec.yaml:12:38: there is no column 'frist'; did you mean 'first'?",
        ),
        ('derive: "{full}"', "'full' is itself derived"),
        ('derive: "{at}"', "'at' is timestamptz, of which a text is no matter of course"),
        ('derive: "{first"', "'{first' has a single '{': names stand in { }, a brace is doubled"),
        ('derive: "first}"', "has a single '}'"),
        ('derive: ""', "'' is empty"),
        ('derive: "{first}", from: name', "'from' says nothing of a column that is made of others"),
        (
            "derive: EU, clean: [strip]",
            "'clean' says nothing of a column that is the same in every",
        ),
        ("derive: [a]", "a list is not text"),
        ("type: integer, derive: many", "'many' is not a whole number"),
        ('clean: [{derive: "{first}"}]', "write 'derive: …' beside 'type'"),
        ('decimal_mark: ","', "'decimal_mark' is of numbers, and the type is text"),
        ("type: integer, thousands_mark: .", "are the same character"),
        ("clean: [trim]", "'trim' is not a cleaning operation; write 'strip'"),
        ("clean: [{default: a}]", "write 'default: …' beside 'clean'"),
        ("clean: [dedupe]", "operations: strip, collapse_spaces"),
        ("checks: [{not_null: true}]", "write 'nullable: false' beside 'checks'"),
    ],
)
def test_faults(new: str, error: str) -> None:
    with pytest.raises(SpecError) as refusal:
        read_project_file(_with(new), "spec.yaml", load_kinds())
    assert error in str(refusal.value)
    assert str(refusal.value).startswith("spec.yaml:12:")


@pytest.mark.parametrize(
    ("key", "error"),
    [
        ("deduplicate: [frist]", "there is no column 'frist'; did you mean 'first'?"),
        ("primary_key: [first]\n        deduplicate: [at]", "are one already"),
        ("cursor: {field: full}", "'full' is derived: no source can be asked for it"),
    ],
)
def test_faults_of_a_resource(key: str, error: str) -> None:
    text = SPEC.replace("        columns", f"        {key}\n        columns")
    with pytest.raises(SpecError) as refusal:
        read_project_file(text, "spec.yaml", load_kinds())
    assert error in str(refusal.value)


EVERYWHERE = """\
name: made
sources:
  files:
    kind: file
    path: data
    resources:
      csv: {path: a.csv, decimal_mark: ",", thousands_mark: ".", PRIMARY, COLUMNS}
      lines: {path: "{shop}.jsonl", PRIMARY, COLUMNS}
      array: {path: a.json, deduplicate: [code], COLUMNS}
      typed: {path: a.parquet, write_disposition: append, deduplicate: [word, n], COLUMNS}
  rows:
    kind: database
    url: ${ROWS_URL}
    resources:
      read: {PRIMARY, cursor: {field: day}, COLUMNS}
  web:
    kind: rest_api
    url: https://example.com
    resources:
      things: {path: /things, PRIMARY, COLUMNS}
      marked:
        path: /marked
        columns: {n: {type: "numeric(9,2)", decimal_mark: ",", thousands_mark: "."}}
"""
COLUMNS = """\
columns: {
          code: {type: text, derive: "{word}-{n}", nullable: false, clean: [upper],
                 checks: [{matches: '[A-Z]+-[0-9]+'}, {length: {at_most: 30}}]},
          word: {type: text, clean: [strip], checks: [{matches: '[a-z]+'}]},
          n: {type: integer, checks: [{at_least: 0}]},
          price: {type: "numeric(9,2)"},
          day: {type: date},
          at: {type: timestamp, derive: "{day} 09:30"},
          priced: {type: text, derive: "{price} {{EUR}}"},
          region: {type: text, derive: EU},
          year: {type: integer, derive: 2026}}"""


@pytest.mark.slow
def test_generated_tests_of_every_kind_of_source_are_green(tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    text = EVERYWHERE.replace("COLUMNS", COLUMNS).replace("PRIMARY", "primary_key: [code]")
    spec.write_text(text, encoding="utf-8")
    root = create(Request(spec, target=tmp_path / "made"), lambda _: True).root
    require_green(root, "-k", "not dag")
