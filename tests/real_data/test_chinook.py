"""The Chinook database from each server: every value arrives, and what changes follows."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import MetaData, NullPool, create_engine, insert, select, text

from etlgen.cli import run

from ..conftest import Databases
from .conftest import MakeProject
from .data import FOLDER, needed, truth
from .project import SPECS, Project

pytestmark = [needed, pytest.mark.slow]
FILE = FOLDER / "chinook-database/ChinookDatabase/DataSources/Chinook_Sqlite.sqlite"
RESOURCES: dict[str, Any] = yaml.safe_load((SPECS / "chinook.yaml").read_text())["sources"][
    "chinook"
]["resources"]
WHOLE = """\
name: chinook-etl
destination: {schema: chinook}
sources:
  chinook:
    kind: database
    url: ${CHINOOK_URL}
    resources: "*"
    overrides:
      "*": {delete_missing: {max_delete: 10%}}
      Invoice: {delete_missing: null, cursor: {field: invoice_date}}
"""
CHANGES = (
    """UPDATE {Track} SET {UnitPrice} = 1.29, {Composer} = NULL WHERE {TrackId} = 1""",
    """UPDATE {Artist} SET {Name} = 'Motörhead 🎸' WHERE {ArtistId} = 106""",
    """INSERT INTO {Invoice} ({InvoiceId}, {CustomerId}, {InvoiceDate}, {Total})
       VALUES (413, 1, '2025-12-22 00:00:00', 0.01), 
              (414, 1, '2026-01-05 12:30:00', 12345678.90)""",
    """INSERT INTO {Artist} ({ArtistId}, {Name}) VALUES (276, '')""",
    """DELETE FROM {PlaylistTrack} WHERE {PlaylistId} = 18""",
    """DELETE FROM {Playlist} WHERE {PlaylistId} = 18""",
    """DELETE FROM {InvoiceLine} WHERE {InvoiceId} = 1""",
)


@contextmanager
def copied(url: str) -> Iterator[None]:
    """The tables and rows of the file, in another server."""
    here = create_engine(f"sqlite:///{FILE}", poolclass=NullPool)
    there = create_engine(url, poolclass=NullPool)
    tables = MetaData()
    tables.reflect(here)
    with here.connect() as source, there.begin() as target:
        for table in tables.sorted_tables:
            for column in table.columns:
                column.type = column.type.as_generic()
        tables.create_all(target)
        for table in tables.sorted_tables:
            rows = source.execute(select(table)).mappings().all()
            target.execute(insert(table), [dict(row) for row in rows])
    yield


@pytest.fixture(params=["sqlite", "postgresql", pytest.param("mariadb", marks=pytest.mark.service)])
def source(
    request: pytest.FixtureRequest, embedded_databases: Databases, tmp_path: Path
) -> Iterator[str]:
    if request.param == "sqlite":
        shutil.copy(FILE, tmp_path / "chinook.sqlite")
        yield f"sqlite:///{tmp_path / 'chinook.sqlite'}"
    elif request.param == "postgresql":
        with embedded_databases.one() as url, copied(url):
            yield url
    else:
        url = request.getfixturevalue("mariadb_url")
        with copied(url):
            yield url


def change(url: str) -> None:
    """Some rows of the source, whose names each server quotes in its way."""
    engine = create_engine(url, poolclass=NullPool)
    quoted = engine.dialect.identifier_preparer.quote
    names = {r["from"] for r in RESOURCES.values()} | {
        c["from"] for r in RESOURCES.values() for c in r["columns"].values()
    }
    with engine.begin() as connection:
        for statement in CHANGES:
            spelled = statement.format(**{name: quoted(name) for name in names})
            connection.execute(text(spelled))


def changed_file(folder: Path) -> Path:
    """A copy of the file with the same changes: the truth that loads are compared with."""
    file = folder / "truth.sqlite"
    shutil.copy(FILE, file)
    change(f"sqlite:///{file}")
    return file


def rows_of_file(file: Path, name: str) -> set[tuple[Any, ...]]:
    """Rows of a table as Python's own module reads them, typed as the spec says."""
    resource = RESOURCES[name]
    columns = ", ".join(f'"{column["from"]}"' for column in resource["columns"].values())
    types = [column["type"] for column in resource["columns"].values()]
    with closing(sqlite3.connect(file)) as connection:
        found = connection.execute(f'SELECT {columns} FROM "{resource["from"]}"').fetchall()
    return {tuple(map(typed, row, types)) for row in found}


def typed(cell: Any, kind: str) -> Any:
    if cell is None:
        return None
    if kind == "timestamp":
        return datetime.fromisoformat(cell)
    return Decimal(str(cell)) if kind.startswith("numeric") else cell


def assert_equal(project: Project, file: Path) -> None:
    for name, resource in RESOURCES.items():
        columns = ", ".join(resource["columns"])
        found = project.query(f"SELECT {columns} FROM chinook.{name}")
        expected = rows_of_file(file, name)
        assert len(found) == len(expected), name
        assert {tuple(row.values()) for row in found} == expected, name


def test_every_value_arrives_and_changes_follow(
    source: str, make_project: MakeProject, tmp_path: Path
) -> None:
    known = truth("S02-chinook-sqlite")
    project = make_project("chinook.yaml", CHINOOK_URL=source)

    first = project.run()
    assert_equal(project, FILE)
    assert sum(one["loaded"] for one in first.counts.values()) == known["total_rows"] == 15_607
    [total] = project.query("SELECT sum(total) AS it FROM chinook.invoice")
    assert total["it"] == Decimal("2328.60")

    change(source)
    second = project.run()
    assert_equal(project, changed_file(tmp_path))
    assert second.counts["chinook.track"]["loaded"] == 1
    assert {name: n["deleted"] for name, n in second.counts.items() if n["deleted"]} == {
        "chinook.invoice_line": 2,
        "chinook.playlist": 1,
    }
    third = project.run()
    assert_equal(project, changed_file(tmp_path))
    assert sum(n["deleted"] for n in third.counts.values()) == 0
    # A table that is replaced is loaded anew; of the others nothing is.
    replaced = third.counts.pop("chinook.playlist_track")
    assert replaced["loaded"] == replaced["read"]
    assert sum(n["loaded"] for n in third.counts.values()) == 0
    # Read again from the last date on: what is new, and the last invoice of before.
    assert second.counts["chinook.invoice"]["loaded"] == 2
    assert second.counts["chinook.invoice"]["read"] <= 4


def test_a_whole_database_is_asked_once_and_followed_from_then_on(
    source: str, make_project: MakeProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = tmp_path / "chinook.yaml"
    spec.write_text(WHOLE)
    monkeypatch.setenv("CHINOOK_URL", source)
    assert run(["reflect", "chinook", "--spec", str(spec), "--yes"]) == 0
    monkeypatch.delenv("CHINOOK_URL")

    project = make_project(spec, CHINOOK_URL=source)

    first = project.run()
    assert_equal(project, FILE)
    assert len(first.counts) == 11
    assert sum(one["loaded"] for one in first.counts.values()) == 15_607
    [total] = project.query("SELECT sum(total) AS it FROM chinook.invoice")
    assert total["it"] == Decimal("2328.60")

    change(source)
    second = project.run()
    assert_equal(project, changed_file(tmp_path))
    assert {name: n["deleted"] for name, n in second.counts.items() if n["deleted"]} == {
        "chinook.invoice_line": 2,
        "chinook.playlist": 1,
        "chinook.playlist_track": 1,
    }
    # Two tracks and artists that changed or came, two invoices.
    assert sum(n["loaded"] for n in second.counts.values()) == 5


def test_parts_are_as_many_as_the_rows_make(make_project: MakeProject, tmp_path: Path) -> None:
    shutil.copy(FILE, tmp_path / "chinook.sqlite")
    url = f"sqlite:///{tmp_path / 'chinook.sqlite'}"
    project = make_project("chinook.yaml", CHINOOK_URL=url)
    project.run("chinook.playlist_track")
    parts = project.query("SELECT count(*) AS n FROM etl_chinook_etl.partitions")
    assert parts == [{"n": 5}]
