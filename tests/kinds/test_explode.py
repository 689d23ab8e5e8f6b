"""Arrays that become tables: what is said of a spec that cannot be right, and what is made."""

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
      orders:
        path: orders.jsonl
        primary_key: [id]
        columns:
          id: {type: bigint}
          lines: {type: jsonb, explode: {columns: {sku: {type: text}}}}
"""
LINES = "{type: jsonb, explode: {columns: {sku: {type: text}}}}"


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        (
            "        primary_key: [id]\n",
            "",
            "spec.yaml:11:32: explode needs a primary_key: each row of the new table says whose",
        ),
        ("sku: {", "skew: {typ: text, ", "spec.yaml:12:59: unknown key 'typ'"),
        ("{type: text}", "{type: txt}", "spec.yaml:12:64: 'txt' is not a type"),
        (
            "lines: {type: jsonb",
            "lines: {type: text",
            "explode is for arrays, and the type is text",
        ),
        (
            LINES,
            "{type: jsonb, explode: {columns: {id: {type: text, from: ID}}}}",
            "each row has 'id' of orders already, which says whose it is",
        ),
        (
            LINES,
            "{type: jsonb, clean: [strip], explode: {columns: {sku: {type: text}}}}",
            "'clean' says nothing of an array that is a table",
        ),
        (
            LINES,
            "{type: jsonb, explode: {columns: {sku: {type: text, clean: [upcase]}}}}",
            "'upcase' is not a cleaning operation",
        ),
        (
            LINES,
            "{type: jsonb, explode: {columns: {sku: {type: text, checks: [{at_least: 1}]}}}}",
            "at_least does not fit text",
        ),
        (
            LINES,
            "{type: jsonb, explode: {columns: {a: {type: jsonb, explode: {columns: {}}}}}}",
            "an array inside an element is no table of its own",
        ),
        (LINES, "{type: jsonb, explode: {columns: {}}}", "at least one is needed here"),
        (
            LINES,
            "{type: jsonb, explode: {table: orders, columns: {sku: {type: text}}}}",
            "web.orders already loads the table 'orders'",
        ),
        (
            LINES,
            f"{LINES}\n          LINES_: {LINES}",
            "the arrays 'lines' and 'LINES_' would share a name in the code",
        ),
        (
            LINES,
            "{type: jsonb, explode: {columns: {a: {type: date, from: n}, n: {type: date}}}}",
            "'n' is already read into the column 'a'",
        ),
        (
            LINES,
            f"{{type: jsonb, explode: {{table: {'t' * 64}, columns: {{sku: {{type: text}}}}}}}}",
            "64 bytes, PostgreSQL keeps 63",
        ),
        (
            LINES,
            "{type: jsonb, explode: {columns: {n: {type: integer, example: many}}}}",
            "'many' is not a whole number",
        ),
    ],
)
def test_faults(old: str, new: str, error: str) -> None:
    assert old in SPEC
    with pytest.raises(SpecError) as refusal:
        read_project_file(SPEC.replace(old, new), "spec.yaml", load_kinds())
    assert error in str(refusal.value)
    assert str(refusal.value).startswith("spec.yaml:")


EVERYWHERE = """\
name: arrays
sources:
  files:
    kind: file
    path: data
    resources:
      lines: {PATH: lines.jsonl, COLUMNS}
      array: {PATH: array.json, write_disposition: replace, COLUMNS}
      cells: {PATH: cells.csv, write_disposition: append, COLUMNS}
      typed: {PATH: typed.parquet, COLUMNS}
  rows:
    kind: database
    url: ${ROWS_URL}
    resources:
      read: {COLUMNS}
"""
COLUMNS = """\
primary_key: [id], columns: {
          id: {type: bigint},
          tags: {type: jsonb, nullable: false, explode: {columns: {
            name: {type: text, from: [name, label], nullable: false, pii: true},
            at: {type: timestamptz, format: "%d.%m.%Y %H:%M", timezone: Europe/Berlin},
            price: {type: "numeric(9,2)", clean: [{strip_affixes: ["€"]}, {round: 1}]},
            more: {type: jsonb}}}},
          load: {type: jsonb, explode: {drop: [secret], columns: {
            kind: {type: text, checks: [{one_of: [a, b]}]}}}}}"""


@pytest.mark.slow
def test_generated_tests_of_every_kind_of_source_are_green(tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    text = EVERYWHERE.replace("COLUMNS", COLUMNS).replace("PATH", "path")
    spec.write_text(text, encoding="utf-8")
    root = create(Request(spec, target=tmp_path / "arrays"), lambda _: True).root
    require_green(root, "-k", "not dag")
