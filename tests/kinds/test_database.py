"""What the spec of a database may not say, and where and how that is told."""

import pytest

from tests.spec.specs import faults, read

SPEC = """\
name: crm-etl
sources:
  crm:
    kind: database
    url: ${CRM_DATABASE_URL}
    resources:
      customers:
        primary_key: [id]
        columns:
          id: {type: bigint}
          at: {type: timestamptz}
"""


def test_a_table_is_named_as_its_resource_and_a_query_needs_none() -> None:
    assert read(SPEC).sources[0].resources["customers"].from_table == "customers"  # type: ignore[attr-defined]
    query = SPEC.replace("primary_key", "query: SELECT 1;\n        primary_key")
    resource = read(query).sources[0].resources["customers"]
    assert (resource.from_table, resource.query) == (None, "SELECT 1")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "url", ["postgresql://etl@host/crm", "${CRM_URL:-sqlite:///crm.db}", "sqlite:///crm.db"]
)
def test_a_url_does_not_stand_in_a_spec(url: str) -> None:
    (fault,) = faults(SPEC.replace("${CRM_DATABASE_URL}", url))
    assert (fault.line, fault.column) == (5, 10)
    assert fault.message == "the URL of a database does not stand in a spec"
    assert fault.hint == "write ${NAME}, and the URL into the environment"


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("query: DROP TABLE x", "'DROP' does not begin a SELECT"),
        ("query: ''", "a query is missing"),
        ('query: "SELECT \\u200b1"', "a query with characters that nobody sees"),
        ("from: ''", "'' is not the name of a table"),
        ("{query: SELECT 1, from: t}", "a resource reads from a table or from a query, not both"),
        ("partition_by: {field: id}", "say either 'rows' or 'days'"),
        ("partition_by: {field: id, rows: 5, days: 5}", "say either 'rows' or 'days'"),
        ("partition_by: {field: ix, rows: 5}", "there is no column 'ix'"),
        ("partition_by: {field: id, rows: 0}", "'0' is not a whole number from 1"),
        (
            "partition_by: {field: at, rows: 5}",
            "'at' is timestamptz, and such parts are cut by a whole number",
        ),
        (
            "partition_by: {field: id, days: 5}",
            "'id' is bigint, and such parts are cut by a date or a timestamp",
        ),
    ],
)
def test_a_fault_is_told_at_its_place(key: str, message: str) -> None:
    lines = key.strip("{}").split(", ") if key.startswith("{") else [key]
    added = "".join(f"        {line}\n" for line in lines)
    found = faults(SPEC.replace("        columns:", f"{added}        columns:"))
    assert [fault.message for fault in found] == [message]
    assert found[0].line in range(9, 9 + len(lines))


def test_a_column_has_one_name() -> None:
    (fault,) = faults(SPEC.replace("{type: bigint}", "{type: bigint, from: [id, no]}"))
    assert fault.message == "a column of a database has one name"


def test_a_cursor_is_compared_by_the_database() -> None:
    text = SPEC.replace("{type: timestamptz}", '{type: timestamptz, format: "%d.%m.%Y %z"}')
    (fault,) = faults(
        text.replace("        columns", "        cursor: {field: at}\n        columns")
    )
    assert fault.message == "'at' is text in a format, which a database cannot compare"
