"""What a spec says of a database: where it is, and which tables and queries are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, WithJsonSchema

from etlgen.kinds.database.whole import ALL, expanded
from etlgen.names import did_you_mean, shown
from etlgen.pycode import is_visible
from etlgen.spec.expansion import Expansion
from etlgen.spec.fields import FROM_ONE, Text, TextList, positive
from etlgen.spec.models import ResourceSpec, SourceSpec
from etlgen.spec.problem import Problem, refusal
from etlgen.spec.settings import Setting, reference
from etlgen.spec.strict import Model

_STRING = WithJsonSchema({"type": "string"})
WHOLE = ("smallint", "integer", "bigint")
DAYS = ("date", "timestamp", "timestamptz")


def _name(value: object) -> str:
    if isinstance(value, str) and value.strip() and all(map(is_visible, value)):
        return value
    raise refusal("name", f"{shown(str(value))} is not the name of a table")


def _query(value: object) -> str:
    text = value.strip().rstrip(";").rstrip() if isinstance(value, str) else ""
    if not text:
        raise refusal("query", "a query is missing", "write a SELECT")
    if any(not is_visible(character) and character not in "\n\t" for character in text):
        raise refusal("query", "a query with characters that nobody sees")
    if text.split(maxsplit=1)[0].lower() not in ("select", "with"):
        raise refusal("query", f"{shown(text.split()[0])} does not begin a SELECT")
    return text


Url = Annotated[Setting, reference("the URL of a database", "URL"), _STRING]
SqlName = Annotated[str, PlainValidator(_name), _STRING]
Query = Annotated[str, PlainValidator(_query), _STRING]
Positive = Annotated[int, positive(1_000_000_000), FROM_ONE]


class PartitionBy(Model):
    """How the rows are cut into parts that are read side by side."""

    field: Text = Field(examples=["customer_id"])
    rows: Positive | None = Field(None, description="Rows of a part, by a whole number.")
    days: Positive | None = Field(None, description="Days of a part, by a date or timestamp.")


def _default_table(data: dict[str, Any]) -> str | None:
    return None if data.get("query") else data.get("name")


class DatabaseResource(ResourceSpec):
    """A table, a view, or what a query gives."""

    query: Query | None = Field(None, description="A SELECT, where a table is not enough.")
    from_table: SqlName | None = Field(
        default_factory=_default_table,
        validation_alias="from",
        description="The table's name in the database; default: the resource's name.",
    )
    partition_by: PartitionBy | None = Field(
        None, description="Parts that a DAG loads side by side: `{field: id, rows: 500000}`."
    )

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        if self.query and self.from_table:
            message = "a resource reads from a table or from a query, not both"
            yield Problem(("from",), "query", message, at_key=True)
        for name, column in self.columns.items():
            if len(column.from_names) > 1:
                message = "a column of a database has one name"
                yield Problem(("columns", name, "from"), "name", message)
        if self.cursor and (cursor := self.columns.get(self.cursor.field)) and cursor.format:
            message = f"{self.cursor.field!r} is text in a format, which a database cannot compare"
            yield Problem(("cursor", "field"), "format", message)
        if self.partition_by is not None:
            yield from self._partition_problems(self.partition_by)

    def _partition_problems(self, by: PartitionBy) -> Iterator[Problem]:
        path = ("partition_by", "field")
        column = self.columns.get(by.field)
        if (by.rows is None) == (by.days is None):
            yield Problem(("partition_by",), "missing", "say either 'rows' or 'days'", at_key=True)
        elif column is None:
            hint = did_you_mean(by.field, list(self.columns))
            yield Problem(path, "unknown_column", f"there is no column {by.field!r}", hint)
        elif column.derive is not None:
            yield Problem(path, "type", f"{by.field!r} is derived: the database does not have it")
        elif column.type.name not in (WHOLE if by.rows else DAYS):
            wanted = "a whole number" if by.rows else "a date or a timestamp"
            message = f"{by.field!r} is {column.type}, and such parts are cut by {wanted}"
            yield Problem(path, "type", message)


class ReflectedTable(Model):
    """A table as `etlgen reflect` found it."""

    key: TextList = Field((), description="Its primary key.")
    columns: Mapping[str, Text] = Field(description="Their types, perhaps 'not null'.")


def _or_all(schema: dict[str, Any]) -> None:
    """A mapping, or all there is."""
    named = {key: schema.pop(key) for key in list(schema) if key not in ("description", "examples")}
    schema["anyOf"] = [{"const": ALL}, named]


class DatabaseSource(SourceSpec):
    """A database."""

    kind: Literal["database"]
    url: Url = Field(
        examples=["${CRM_DATABASE_URL}"],
        description="${NAME} of the variable that holds its URL.",
    )
    schema_name: SqlName | None = Field(
        None, validation_alias="schema", description="Schema of its tables."
    )
    exclude: TextList = Field(
        (), description="With resources: '*', patterns of tables that are not read."
    )
    overrides: Mapping[str, Mapping[str, Any]] = Field(
        default_factory=dict,
        description="With resources: '*', what holds for tables by patterns of their names.",
    )
    reflected: Mapping[str, ReflectedTable] = Field(
        default_factory=dict,
        description="With resources: '*', the tables, as etlgen reflect wrote them down.",
    )
    resources: Mapping[str, DatabaseResource] = Field(
        min_length=1,
        json_schema_extra=_or_all,
        examples=[
            {
                "customers": {
                    "primary_key": ["customer_id"],
                    "columns": {"customer_id": {"type": "bigint"}},
                }
            }
        ],
    )

    @classmethod
    def expanded(cls, raw: Mapping[str, Any]) -> Expansion:
        return expanded(raw)
