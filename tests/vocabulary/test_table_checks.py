"""Checks of a load as a whole: what is declared for each, and what is refused."""

from typing import Any

import pytest

from etlgen.pycode import code
from etlgen.vocabulary.column import BadValue, Column
from etlgen.vocabulary.durations import read_duration
from etlgen.vocabulary.table_checks import TABLE_RULES, UnknownColumn, read_table_check
from etlgen.vocabulary.types import read_type
from runtime import table_checks

COLUMNS = {
    column.name: column
    for column in (
        Column("id", read_type("bigint"), nullable=False),
        Column("email", read_type("text")),
        Column("at", read_type("timestamptz")),
        Column("on", read_type("date")),
        Column("data", read_type("jsonb")),
        Column('shop\'s \\ "no"', read_type("integer")),
    )
}

CHECKS: list[tuple[dict[str, Any], str]] = [
    ({"unique": ["email", "at"]}, 'Unique("email", "at")'),
    ({"unique": "email"}, 'Unique("email")'),
    ({"unique": ['shop\'s \\ "no"']}, "Unique('shop\\'s \\\\ \"no\"')"),
    ({"row_count": {"at_least": 1}}, "RowCount(at_least=1)"),
    ({"row_count": {"at_most": 9, "at_least": 1}}, "RowCount(at_least=1, at_most=9)"),
    (
        {"freshness": {"field": "at", "within": "36h"}},
        'Freshness("at", within=timedelta(hours=36))',
    ),
    ({"freshness": {"field": "on", "within": "7d"}}, 'Freshness("on", within=timedelta(days=7))'),
    ({"null_share": {"column": "email", "at_most": 0.05}}, 'NullShare("email", at_most=0.05)'),
    ({"null_share": {"column": "email", "at_most": 0}}, 'NullShare("email", at_most=0.0)'),
    ({"references": {"column": "id", "table": "T"}}, 'References("id", "T", "id")'),
    ({"references": {"column": "id", "table": "T", "key": "k"}}, 'References("id", "T", "k")'),
    (
        {"sql": "SELECT *\nFROM rows; ", "message": "all is well"},
        'NoRows("all is well", "SELECT *\\nFROM rows;")',
    ),
    (
        {"sql": "with a AS (SELECT 1) SELECT", "message": "m"},
        'NoRows("m", "with a AS (SELECT 1) SELECT")',
    ),
]


@pytest.mark.parametrize(("raw", "text"), CHECKS, ids=str)
@pytest.mark.parametrize("severity", ["error", "warn"])
def test_what_is_declared_is_a_check_of_the_runtime(
    raw: dict[str, Any], text: str, severity: str
) -> None:
    check = read_table_check({**raw, "severity": severity}, COLUMNS)
    made = f"{check.class_name}({', '.join(part.text for part in check.arguments)})"
    assert made == text
    namespace: dict[str, Any] = vars(table_checks).copy()
    for line in sorted({line for part in check.arguments for line in part.imports}):
        exec(line, namespace)
    declared = eval(made[:-1] + code(", severity={s})", s=check.severity).text, namespace)
    assert declared.severity == severity


def test_every_rule_is_tried() -> None:
    assert {name for raw, _ in CHECKS for name in raw if name != "message"} == set(TABLE_RULES)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("unique", "a check is a mapping"),
        ({"uniq": ["id"]}, "unknown check 'uniq'"),
        ({"severity": "warn"}, "exactly one rule"),
        ({"unique": ["id"], "row_count": {"at_least": 1}}, "exactly one rule"),
        ({"unique": ["id"], "severity": "fatal"}, "severity is error or warn"),
        ({"unique": ["id"], "message": "m"}, "takes no message"),
        ({"sql": "SELECT 1"}, "sql needs a message"),
        ({"sql": "SELECT 1", "message": " "}, "sql needs a message"),
        ({"unique": []}, "unique needs columns"),
        ({"unique": [3]}, "3 is not the name of a column"),
        ({"unique": ["data"]}, "unique does not fit jsonb"),
        ({"row_count": {}}, "row_count is a mapping of at_least, at_most"),
        ({"row_count": {"at_lest": 1}}, "row_count is a mapping of at_least, at_most"),
        ({"row_count": {"at_least": True}}, "whole numbers from 0, not True"),
        ({"row_count": {"at_least": 2, "at_most": 1}}, "at_least above at_most"),
        ({"freshness": {"field": "at"}}, "freshness is a mapping of field, within"),
        ({"freshness": {"field": "id", "within": "2d"}}, "freshness does not fit bigint"),
        ({"freshness": {"field": "at", "within": "2 days"}}, "'2 days' is not a duration"),
        ({"freshness": {"field": "at", "within": 2}}, "within: 2 is not a duration"),
        ({"null_share": {"column": "id", "at_most": 0.1}}, "'id' is never NULL"),
        ({"null_share": {"column": "email", "at_most": 5}}, "a share from 0 to 1"),
        ({"null_share": {"column": "email", "at_most": "x"}}, "a share from 0 to 1"),
        ({"references": {"column": "id"}}, "references is a mapping of column, table, key"),
        ({"references": {"column": "id", "table": ""}}, "names of a table and of its key"),
        ({"references": {"column": "data", "table": "t"}}, "references does not fit jsonb"),
        ({"sql": "DELETE FROM rows", "message": "m"}, "sql needs a query"),
        ({"sql": 3, "message": "m"}, "sql needs a query"),
    ],
    ids=str,
)
def test_bad_checks(raw: Any, reason: str) -> None:
    with pytest.raises(BadValue, match=reason):
        read_table_check(raw, COLUMNS)


@pytest.mark.parametrize(
    "raw",
    [
        {"unique": ["id", "x"]},
        {"freshness": {"field": "x", "within": "2d"}},
        {"null_share": {"column": "x", "at_most": 0}},
        {"references": {"column": "x", "table": "t"}},
    ],
    ids=str,
)
def test_a_column_that_is_not_there_is_named(raw: dict[str, Any]) -> None:
    with pytest.raises(UnknownColumn) as unknown:
        read_table_check(raw, COLUMNS)
    assert unknown.value.name == "x"


@pytest.mark.parametrize("raw", ["", "2", "d", "-1d", "1.5h", "2y", "1234567d", None, "2d\n"])
def test_what_is_no_duration(raw: object) -> None:
    with pytest.raises(BadValue, match="is not a duration"):
        read_duration(raw)
