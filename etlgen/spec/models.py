"""The models of a spec: project, source, resource. A kind of source extends the last two."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from etlgen.names import PackageName as PackageNameType
from etlgen.names import SchemaName as SchemaNameType
from etlgen.names import package_name, shown
from etlgen.spec.column import (
    ColumnSpec,
    ExplodeSpec,
    PlainColumnSpec,
    derive_problems,
    drop_problems,
    name_problems,
)
from etlgen.spec.cursor import Cursor, cursor_problems
from etlgen.spec.deletions import Deleted, DeleteMissing, deletion_problems
from etlgen.spec.expansion import Expansion
from etlgen.spec.exploding import explode_problems
from etlgen.spec.fields import (
    FilterField,
    PackageName,
    ProjectName,
    ResourceName,
    Schedule,
    SchemaName,
    Sequence,
    SourceName,
    StartDate,
    TableCheckField,
    TableName,
    Tag,
    Text,
    TextList,
    Zone,
)
from etlgen.spec.named import NAME, with_names
from etlgen.spec.problem import Path, Problem
from etlgen.spec.strict import Model, no_column
from etlgen.vocabulary.checks import read_check
from etlgen.vocabulary.column import BadValue, Check, Column, Notation
from etlgen.vocabulary.derive import with_parts
from etlgen.vocabulary.samples import judge
from etlgen.vocabulary.table_checks import (
    TableCheck,
    UnknownColumn,
    read_table_check,
    table_rule_of,
)
from etlgen.vocabulary.types import TYPES

WriteDisposition = Literal["append", "replace", "merge"]


class Destination(Model):
    """Where the project loads: the schema of the tables and the schema of the work."""

    schema_name: SchemaName = Field(
        SchemaNameType("public"), alias="schema", description="Schema of the tables."
    )
    work_schema: SchemaName | None = Field(
        None, description="Schema of ledger, staging and quarantine; default etl_<project>."
    )


class ProjectSpec(Model):
    """`etlgen.yaml`."""

    name: ProjectName = Field(examples=["shop-etl"], description="Folder, command and package.")
    package: PackageName | None = Field(
        None, description="Its Python package; default: the name, with '_' for '-'."
    )
    description: Text = Field("", description="One sentence on what the project is for.")
    owner: Text = Field("", description="Who answers for it; the owner of the DAGs.")
    destination: Destination = Field(default_factory=lambda: Destination.model_validate({}))
    schedule: Schedule | None = Field(None, description="Default schedule of the sources.")
    timezone: Zone = Field("UTC", description="Time zone of the schedules.")
    start_date: StartDate | None = Field(None, description="First day that schedules count from.")
    tags: Annotated[tuple[Tag, ...], Sequence] = Field((), description="Tags of the DAGs.")

    @property
    def identifier(self) -> str:
        """The name as DAGs, variables and the work schema have it, whatever the package is."""
        return package_name(self.name)

    @property
    def import_package(self) -> PackageNameType:
        return self.package or package_name(self.name)

    @property
    def work_schema(self) -> SchemaNameType:
        return self.destination.work_schema or SchemaNameType(f"etl_{self.identifier}")


class ResourceSpec(Model):
    """One table, endpoint or file set of a source."""

    name: ResourceName = Field(validation_alias=NAME)
    description: Text = ""
    table: TableName = Field(
        default_factory=lambda data: data.get("name", ""),
        description="Table in the destination; default: the resource's name.",
    )
    primary_key: TextList = Field((), description="The columns that say which row it is.")
    cursor: Cursor | None = None
    write_disposition: WriteDisposition = Field(
        default_factory=lambda data: "merge" if data.get("primary_key") else "replace",
        description="How rows reach the table; default: merge with a primary_key, else replace.",
    )
    replace_by: TextList = Field(
        (), description="With append: new rows replace all that have the same values of these."
    )
    deduplicate: TextList = Field(
        (),
        description="Without a primary_key: of rows with the same values of these, the newest by "
        "the cursor is loaded, or else the last.",
    )
    deleted: Deleted | None = None
    delete_missing: DeleteMissing | None = None
    columns: Annotated[Mapping[str, ColumnSpec], BeforeValidator(with_names)] = Field(
        min_length=1, examples=[{"order_id": {"type": "bigint", "nullable": False}}]
    )
    filter: Annotated[tuple[FilterField, ...], Sequence] = Field(
        (), description="What holds for the rows that are loaded; others are left out, and counted."
    )
    drop: TextList = Field(
        (), description="Names in the source of what is read into no column, nor into quarantine."
    )
    checks: Annotated[tuple[TableCheckField, ...], Sequence] = Field(
        (), description="What the rows of a load must satisfy together, before they are published."
    )

    @property
    def keeps_deleted(self) -> bool:
        """Whether rows that the source deleted stay in the table, marked."""
        ways = (self.deleted, self.delete_missing)
        return any(way is not None and way.mode == "soft" for way in ways)

    def notation(self, column: PlainColumnSpec) -> Notation:
        """How the source writes this column; a kind adds what holds for the whole resource."""
        first, *also = column.format or (None,)
        return Notation(format=first, also=tuple(filter(None, also)), timezone=column.timezone)

    def resolved_columns(self) -> tuple[Column, ...]:
        """The columns in the order of the spec, with everything about each."""
        return with_parts(map(self._resolved, self.columns.values()))

    def table_checks(self) -> tuple[TableCheck, ...]:
        """What the rows of a load must satisfy together."""
        columns = {column.name: column for column in self.resolved_columns()}
        return tuple(read_table_check(raw, columns) for raw in self.checks)

    def _resolved(self, column: ColumnSpec) -> Column:
        resolved = column.resolved(
            self.notation(column),
            in_key=column.name in self.primary_key,
            is_cursor=self.cursor is not None and self.cursor.field == column.name,
        )
        filters = [read_filter(raw, column) for raw in self.filter if raw["column"] == column.name]
        tells_apart = column.name in self.deduplicate
        resolved = replace(resolved, filters=tuple(filters), tells_apart=tells_apart)
        if column.explode is None:
            return resolved
        elements = with_parts(self._elements(column.explode))
        hides = bool(column.explode.drop) or any(one.is_private for one in elements)
        return replace(resolved, elements=elements, is_private=resolved.is_private or hides)

    def _elements(self, explode: ExplodeSpec) -> Iterator[Column]:
        for column in explode.columns.values():
            notation = ResourceSpec.notation(self, column)  # it comes in JSON, whatever the kind
            yield column.resolved(notation, in_key=False, is_cursor=False)

    def child_tables(self) -> Mapping[str, str]:
        """The tables of exploded columns, by the column."""
        return {
            name: column.explode.table or f"{self.table}_{name}"
            for name, column in self.columns.items()
            if column.explode is not None
        }

    def problems(self) -> Iterator[Problem]:
        """What is wrong between the parts, each of them being right by itself."""
        yield from self._key_problems()
        if self.cursor is not None:
            yield from cursor_problems(
                self.cursor,
                self.columns,
                is_append=self.write_disposition == "append",
                has_key=bool(self.primary_key),
            )
        yield from self._replace_by_problems()
        yield from self._deduplicate_problems()
        yield from name_problems(self.columns)
        yield from derive_problems(self.columns)
        yield from drop_problems(self.drop, self.columns)
        yield from deletion_problems(
            self.deleted,
            self.delete_missing,
            self.columns,
            is_merge=self.write_disposition == "merge",
            has_cursor=self.cursor is not None,
        )
        yield from self._example_problems()
        children = self.child_tables()
        yield from explode_problems(self.table, self.primary_key, self.columns, children)
        yield from self._filter_problems()
        yield from self._check_problems()

    def _key_problems(self) -> Iterator[Problem]:
        for index, name in enumerate(self.primary_key):
            path = ("primary_key", index)
            column = self.columns.get(name)
            if column is None:
                yield Problem(path, "unknown_column", *no_column(name, self.columns))
            elif name in self.primary_key[:index]:
                yield Problem(path, "duplicate", f"{name!r} stands in primary_key twice")
            elif not TYPES[column.type.name].is_key:
                message = f"{name!r} is {column.type}, which cannot be in a primary_key"
                yield Problem(path, "type", message)
            elif column.nullable:
                yield Problem(
                    ("columns", name, "nullable"),
                    "nullable_key",
                    f"{name!r} is in the primary_key, so it cannot be nullable",
                    "take 'nullable: true' out",
                )
        if self.write_disposition == "merge" and not self.primary_key:
            yield Problem(
                ("write_disposition",),
                "merge_without_key",
                "merge needs a primary_key",
                "add 'primary_key: [...]', or write append or replace",
            )

    def _replace_by_problems(self) -> Iterator[Problem]:
        if self.replace_by and self.write_disposition != "append":
            message = f"replace_by is for append; this is {self.write_disposition}"
            yield Problem(("replace_by",), "replace_by", message, at_key=True)
        for index, name in enumerate(self.replace_by):
            if name not in self.columns:
                path = ("replace_by", index)
                yield Problem(path, "unknown_column", *no_column(name, self.columns))

    def _deduplicate_problems(self) -> Iterator[Problem]:
        if self.deduplicate and self.primary_key:
            message = "rows with the same primary_key are one already"
            yield Problem(("deduplicate",), "deduplicate", message, at_key=True)
        for index, name in enumerate(self.deduplicate):
            path = ("deduplicate", index)
            if name not in self.columns:
                yield Problem(path, "unknown_column", *no_column(name, self.columns))
            elif self.columns[name].type.name == "jsonb":
                message = f"{name!r} is jsonb, of which the same is written in many ways"
                yield Problem(path, "type", message)

    def _example_problems(self) -> Iterator[Problem]:
        for name, column in self.columns.items():
            if any(True for _ in (*column.problems(), *self._filter_problems())):
                continue
            yield from _example_problem(("columns", name), self._resolved(column))
            if column.explode is not None:
                for element in self._elements(column.explode):
                    path = ("columns", name, "explode", "columns", element.name)
                    yield from _example_problem(path, element)

    def _filter_problems(self) -> Iterator[Problem]:
        for index, raw in enumerate(self.filter):
            column = self.columns.get(raw["column"])
            if column is None:
                path = ("filter", index, "column")
                yield Problem(path, "unknown_column", *no_column(raw["column"], self.columns))
                continue
            try:
                read_filter(raw, column)
            except BadValue as problem:
                yield Problem(("filter", index), "filter", str(problem))

    def _check_problems(self) -> Iterator[Problem]:
        found = [column.problems() for column in self.columns.values()]
        if any(True for one in (*found, self._filter_problems()) for _ in one):
            return  # whose columns are not what they will be
        columns = {column.name: column for column in self.resolved_columns()}
        for index, raw in enumerate(self.checks):
            path = ("checks", index, table_rule_of(raw))
            try:
                read_table_check(raw, columns)
            except UnknownColumn as problem:
                yield Problem(path, "unknown_column", *no_column(problem.name, self.columns))
            except BadValue as problem:
                yield Problem(path, "check", str(problem))


class SourceSpec(Model):
    """A system that is read. `kind` says which model this really is."""

    name: SourceName = Field(validation_alias=NAME)
    kind: str
    description: Text = ""
    schedule: Schedule | None = Field(None, description="Default: the project's schedule.")
    tags: Annotated[tuple[Tag, ...], Sequence] = ()
    resources: Mapping[str, ResourceSpec]

    @field_validator("resources", mode="before")
    @classmethod
    def _name_resources(cls, value: object) -> object:
        return with_names(value)

    @classmethod
    def expanded(cls, raw: Mapping[str, Any]) -> Expansion:
        """The raw source with each of its resources, where a kind lets it say them in short."""
        return Expansion(raw)

    def problems(self) -> Iterator[Problem]:
        """What is wrong between the keys of the source itself."""
        return iter(())

    def needed_tables(self, name: str) -> Mapping[str, Path]:
        """Tables that a resource needs to be loaded before it, and where it says so."""
        resource = self.resources[name]
        own = {resource.table, *resource.child_tables().values()}
        return {
            raw["references"]["table"]: ("checks", index, "references")
            for index, raw in enumerate(resource.checks)
            if "references" in raw and raw["references"]["table"] not in own
        }


@dataclass(frozen=True, slots=True)
class Spec:
    """A whole project as its spec says it; `files` are where it says so, by the source's name."""

    project: ProjectSpec
    sources: tuple[SourceSpec, ...]
    files: Mapping[str, str] = field(compare=False)


def read_filter(raw: Mapping[str, Any], column: ColumnSpec) -> Check:
    """`{column: status, one_of: [new]}` as a rule of its column; BadValue says what is wrong."""
    return read_check({key: raw[key] for key in raw if key != "column"}, column.type)


def _example_problem(path: Path, column: Column) -> Iterator[Problem]:
    if column.example is not None:
        _, reasons = judge(column, column.example)
        if reasons:
            message = f"{shown(column.example)} {' and '.join(reasons)}"
            yield Problem((*path, "example"), "example", message)
