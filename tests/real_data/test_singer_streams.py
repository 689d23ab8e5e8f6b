"""The records of the Singer SDK's streams as JSON Lines, in tables that their schemas describe."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from etlgen.errors import SpecError

from .conftest import MakeProject
from .data import FOLDER, MANIFEST, has_nul, ids, needed, truth
from .project import Load, Project

pytestmark = [needed, pytest.mark.slow]
TYPES = {"integer": "bigint", "number": "double", "boolean": "boolean", "string": "text"}
# What a stream of messages may not do, and files of records know nothing of.
ABOUT_MESSAGES = "S04-singer-record_before_schema"

Loaded = tuple[Project, Load, Load]


@dataclass(frozen=True)
class Stream:
    """One stream of one case: its last schema and its records."""

    case: str
    number: int
    known: dict[str, Any]
    schema: dict[str, Any]
    records: list[dict[str, Any]]

    @property
    def resource(self) -> str:
        return f"{self.case.removeprefix('S04-singer-')}_{self.number}"

    @property
    def key(self) -> list[str]:
        return self.known["pk"] or []

    @property
    def required(self) -> set[str]:
        return {*self.schema.get("required", ()), *self.key}

    @property
    def columns(self) -> dict[str, Any]:
        """Each column with the name that it has in the records."""
        return {
            column_name(name): {
                "type": column_type(kind),
                "from": name,
                "nullable": name not in self.required,
            }
            for name, kind in self.schema["properties"].items()
        }

    @property
    def good(self) -> list[dict[str, Any]]:
        """The records that a table can hold."""
        return [
            record
            for record in self.records
            if not has_nul(record) and all(record.get(name) is not None for name in self.required)
        ]

    @property
    def newest(self) -> list[dict[str, Any]]:
        """The last record of each key."""
        return list({tuple(one[name] for name in self.key): one for one in self.good}.values())


def column_name(name: str) -> str:
    """Names that begin with `_` are for lineage."""
    return name.removeprefix("_")


def column_type(schema: dict[str, Any]) -> str:
    """A document, unless the schema says plainly that it is something else."""
    kind = schema.get("type")
    return TYPES.get(kind, "jsonb") if isinstance(kind, str) else "jsonb"


def streams() -> list[Stream]:
    """Every stream that has columns."""
    if not MANIFEST.is_file():
        return []
    return [stream for case in ids("S04-singer-") for stream in of_case(case)]


def of_case(case: str) -> Iterator[Stream]:
    known = truth(case)
    lines = (FOLDER / known["file"]).read_text().splitlines()
    messages = [json.loads(line) for line in lines if line.strip()]
    for number, (name, stream) in enumerate(known["streams"].items(), start=1):
        of_it = [one for one in messages if one.get("stream") == name]
        schemas = [one["schema"] for one in of_it if one["type"] == "SCHEMA"]
        records = [one["record"] for one in of_it if one["type"] == "RECORD"]
        if "properties" in schemas[-1]:
            yield Stream(case, number, stream, schemas[-1], records)


STREAMS = streams()
of_each = pytest.mark.parametrize("stream", STREAMS, ids=lambda one: one.resource)


def resource(stream: Stream, disposition: str) -> dict[str, Any]:
    return {
        "path": f"{stream.resource}.jsonl",
        "write_disposition": disposition,
        **(
            {"primary_key": [column_name(name) for name in stream.key]}
            if disposition == "merge"
            else {"read": "all_files"}
        ),
        "columns": stream.columns,
    }


def spec() -> str:
    """Every stream appended, and merged where it has a key."""
    appended = {f"{one.resource}_appended": resource(one, "append") for one in STREAMS}
    merged = {f"{one.resource}_merged": resource(one, "merge") for one in STREAMS if one.key}
    source = {"kind": "file", "path": "${STREAMS_PATH}", "resources": appended | merged}
    return json.dumps(
        {"name": "streams-etl", "destination": {"schema": "streams"}, "sources": {"sdk": source}}
    )


@pytest.fixture(scope="module")
def loaded(make_project: MakeProject, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """Loaded twice."""
    folder = tmp_path_factory.mktemp("streams")
    for stream in STREAMS:
        lines = "".join(f"{json.dumps(record)}\n" for record in stream.records)
        (folder / f"{stream.resource}.jsonl").write_text(lines)
    (folder / "streams.yaml").write_text(spec())
    project = make_project(folder / "streams.yaml", STREAMS_PATH=folder)
    return project, project.run(), project.run()


def contents(project: Project, stream: Stream, disposition: str) -> list[dict[str, Any]]:
    """The rows as records; what is no column stands beside them."""
    names = {name: column["from"] for name, column in stream.columns.items()}
    return [
        {names[name]: value for name, value in row.items() if name in names} | (row["_extra"] or {})
        for row in project.rows(f"{stream.resource}_{disposition}")
    ]


def as_loaded(stream: Stream, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What a record lacks is NULL."""
    return [dict.fromkeys(stream.schema["properties"]) | record for record in records]


@of_each
def test_every_record_is_in_the_table(loaded: Loaded, stream: Stream) -> None:
    project, first, second = loaded
    table = f"{stream.resource}_appended"
    rows = contents(project, stream, "appended")
    assert rows == as_loaded(stream, stream.good)
    assert len(stream.records) == stream.known["rows_append"]
    for load in (first, second):
        counts = load.counts[f"sdk.{table}"]
        assert (counts["read"], counts["loaded"]) == (len(stream.records), len(rows))
    if rows:
        assert {*stream.known["columns_union"]} <= {name for row in rows for name in row}


@pytest.mark.parametrize("stream", [s for s in STREAMS if s.key], ids=lambda one: one.resource)
def test_the_last_record_of_a_key_counts(loaded: Loaded, stream: Stream) -> None:
    project, first, second = loaded
    table = f"{stream.resource}_merged"

    def sort_key(row: dict[str, Any]) -> str:
        return repr([row[name] for name in stream.key])

    expected = sorted(as_loaded(stream, stream.newest), key=sort_key)
    assert sorted(contents(project, stream, "merged"), key=sort_key) == expected
    if truth(stream.case)["expect"] == "load":
        aside = len(project.quarantined(f"sdk.{table}"))
        assert len(expected) == stream.known["rows_upsert"] - aside
    assert first.data[table] == second.data[table]


def test_what_the_manifest_says_is_wrong_is_refused(loaded: Loaded) -> None:
    project, _, _ = loaded
    wrong = {case for case in ids("S04-singer-") if truth(case)["expect"] == "error"}
    refused = {
        stream.case
        for stream in STREAMS
        if stream.records and not contents(project, stream, "appended")
    }
    without_columns = wrong - {stream.case for stream in STREAMS}
    assert refused == wrong - without_columns - {ABOUT_MESSAGES}
    for stream in STREAMS:
        if stream.case in refused:
            [aside] = project.quarantined(f"sdk.{stream.resource}_appended")
            assert aside["reasons"] == [{"column": "id", "rule": "is required", "value": None}]
    assert without_columns == {"S04-singer-invalid_schema"}


def test_a_stream_without_properties_makes_no_table(
    make_project: MakeProject, tmp_path: Path
) -> None:
    columnless = {"path": "x.jsonl", "columns": {}}
    source = {"kind": "file", "path": "data", "resources": {"nothing": columnless}}
    (tmp_path / "spec.yaml").write_text(json.dumps({"name": "x", "sources": {"sdk": source}}))
    with pytest.raises(SpecError, match="columns"):
        make_project(tmp_path / "spec.yaml")
