"""What the vocabulary foretells of a cell is what the generated project's runtime says."""

import importlib
from dataclasses import replace
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from sqlalchemy import Column as SqlColumn
from sqlalchemy import MetaData, Table

from etlgen.pycode import Code, code
from etlgen.vocabulary.adjust import adjustment, is_adjustment, read_clip, read_round
from etlgen.vocabulary.checks import check_expression, read_check
from etlgen.vocabulary.clean import cleaned, read_clean
from etlgen.vocabulary.column import Column, Notation
from etlgen.vocabulary.samples import bad_cells, good_rows, judge
from etlgen.vocabulary.types import TYPES, conversion, fill_default, read_type, sqlalchemy_type
from runtime.conform import conform
from runtime.problems import Problems

GERMAN = Notation(decimal_mark=",", thousands_mark=".")
SPACED = Notation(decimal_mark=",", thousands_mark=" ")


def column(type_text: str, *checks: dict[str, Any], **facts: Any) -> Column:
    type = read_type(type_text)
    steps = tuple(map(read_clean, facts.pop("clean", ())))
    facts["clean"] = tuple(step for step in steps if not is_adjustment(step))
    facts["clip"] = read_clip(steps, type)
    facts["notation"] = replace(facts.get("notation", Notation()), round_to=read_round(steps, type))
    return Column("c", type, checks=tuple(read_check(raw, type) for raw in checks), **facts)


COLUMNS = [
    *(column("numeric(12,2)" if name == "numeric" else name) for name in TYPES),
    column("integer", {"between": [2, 4000]}, notation=GERMAN, nullable=False),
    column("smallint", notation=SPACED),
    column("numeric(12,2)", {"at_least": 0}, notation=GERMAN, nullable=False),
    column("numeric(38,2)", {"at_least": "9" * 36}),
    column("numeric(5,0)", {"one_of": [1, 20]}, clean=["strip"]),
    column("double", {"at_most": 2}, notation=GERMAN, default=1.5),
    column("boolean", notation=Notation(format="J/N"), nullable=False),
    column("date", {"at_least": "2026-01-16"}, notation=Notation(format="%d.%m.%Y")),
    column("date", {"one_of": ["2026-01-16", "2026-01-17"]}),
    column("time", {"at_most": "12:00"}, notation=Notation(format="%I:%M %p")),
    column("timestamp", notation=Notation(format="%d/%m/%Y %H:%M:%S")),
    column("timestamptz", {"at_least": "2026-01-16T00:00:00Z"}),
    column("timestamptz", notation=Notation(format="%d.%m.%Y %H:%M", timezone="Europe/Berlin")),
    column("timestamptz", notation=Notation(format="%Y-%m-%d %H:%M:%S %z")),
    column("timestamptz", notation=Notation(timezone="Europe/Berlin")),
    column("bytea", notation=Notation(format="base64"), nullable=False),
    column("text", {"matches": r"^[A-Z]{2}-\d+$"}, {"length": {"at_most": 6}}, nullable=False),
    column("text", {"one_of": ["new", "paid"]}, clean=["strip", "lower", {"null_if": ["?"]}]),
    column("date", notation=Notation(format="%d.%m.%Y", also=("%Y-%m-%d",))),
    column("boolean", notation=Notation(format="J/N", also=("new/zz",))),
    column("timestamp", notation=Notation(format="%d.%m.%Y", also=("%Y-%m-%d %H:%M:%S",))),
    column("numeric(12,2)", {"at_most": 7}, clean=[{"round": 1}]),
    column("numeric(4,2)", clean=[{"round": 2}], notation=GERMAN),
    column("numeric(12,2)", {"at_most": 7}, clean=[{"clip": {"at_least": 0, "at_most": 9}}]),
    column("double", {"at_least": 1}, clean=[{"round": 0}, {"clip": {"at_most": 2}}], default=0.6),
    column("integer", {"at_least": 1}, clean=[{"extract": "([0-9]+)"}], nullable=False),
    column("numeric(12,2)", clean=[{"strip_affixes": ["9"]}, "trailing_minus"]),
    column("text", clean=[{"replace": {"amber": "gold"}}], default="none"),
]


PAST = [
    column("date", {"not_in_future": True}, notation=Notation(format="%d.%m.%Y")),
    column("timestamp", {"not_in_future": True}),
    column("timestamptz", {"not_in_future": True}, {"at_least": "2000-01-01T00:00:00Z"}),
]


def through_the_runtime(made: Column, cells: list[str | None]) -> list[tuple[str, ...]]:
    """The reasons that each cell gets from transform() and check() of a generated project."""
    rows = pd.DataFrame({"c": pd.Series(cells, dtype=pd.ArrowDtype(pa.string()))})
    problems = Problems()
    x = code("rows[{name}]", name="c")
    step: Code = cleaned(x, made.clean)
    step = conversion(made, step) or step
    step = fill_default(made, step) or step
    rows["c"] = run(step, rows, problems)
    sql_type = run(sqlalchemy_type(made.type), rows, problems)
    table = Table("t", MetaData(), SqlColumn("c", sql_type, nullable=made.nullable))
    typed = conform(rows, table, problems)
    if (finish := adjustment(made, x)) is not None:
        typed["c"] = run(finish, typed, problems)
    problems.rows = typed
    for check in made.checks:
        holds = run(check_expression(check, x, made.type), typed, problems)
        problems.require("c", check.message, holds, severity=check.severity)
    found = problems.reasons
    return [tuple(reason.rule for reason in found.get(row, ())) for row in range(len(cells))]


def run(made: Code, rows: pd.DataFrame, problems: Problems) -> Any:
    namespace: dict[str, Any] = {"rows": rows, "problems": problems}
    for line in sorted(made.imports):
        if line.startswith("runtime."):
            module, _, function = line.partition(":")
            namespace[function] = getattr(importlib.import_module(module), function)
        else:
            exec(line, namespace)
    return eval(made.text, namespace)


@pytest.mark.parametrize("made", [*COLUMNS, *PAST], ids=lambda c: f"{c.type}-{c.notation.format}")
def test_good_and_bad_cells_are_what_they_are_said_to_be(made: Column) -> None:
    good = [row["c"] for row in good_rows([made], 3)]
    assert through_the_runtime(made, good) == [() for _ in good]
    bad = bad_cells([made])
    told = through_the_runtime(made, [cell.raw_value for cell in bad])
    assert told == [(cell.reason,) for cell in bad]


ODD = ["", " ", "0", "-1", "+7", "1.5", "1,5", "1.234,56", "1 234", "1e3", "NaN", "inf", "0x10"]
ODD += ["99999", "9" * 30, "1.005", "true", "J", "2026-01-31", "31.01.2026", "2026-02-30", "24:00"]
ODD += ["2026-01-31T10:00:00", "2026-01-31 10:00:00.123456", "2026-03-29T02:30:00", "10:30", "{}"]
ODD += ["2026-01-31T10:00:00Z", "2026-01-31T10:00:00+05:30", "new", "NEW ", "AB-1", "zz", "AP8="]
ODD += ["0.25", "0.35", "9.995", "99.995", "-0,05", "1e-30", "12.50-", "99 9", "2026-1-5"]


@pytest.mark.parametrize("made", COLUMNS, ids=lambda c: f"{c.type}-{c.notation.format}")
def test_odd_cells_are_judged_alike(made: Column) -> None:
    assert through_the_runtime(made, [*ODD]) == [judge(made, text)[1] for text in ODD]
