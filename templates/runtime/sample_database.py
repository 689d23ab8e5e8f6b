"""For the tests of this project: a SQLite database with rows made up for its resources."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnClause, FromClause, column, table

from .sql_database import Database, Selectable
from .sql_rows import SqlRows

Cells = Sequence[Sequence[str | None]]


@dataclass(frozen=True)
class Samples(Database):
    """Has a table for each of `standing_in`, whatever table or query that is."""

    standing_in: Sequence[Selectable] = ()

    def relation(self, rows: Selectable) -> FromClause:
        """The samples, with the columns of what they stand in for."""
        columns: list[ColumnClause[Any]] = [
            column(one.name) for one in rows.relation(None).c
        ]
        return table(_name(self.standing_in.index(rows)), *columns)


def sample_database(folder: Path, *samples: tuple[SqlRows, Cells]) -> Samples:
    """A database in this folder; the cells of a row are in the order of its columns."""
    file = folder / "samples.sqlite"
    file.unlink(missing_ok=True)
    with closing(sqlite3.connect(file)) as connection, connection:
        for number, (rows, cells) in enumerate(samples):
            names = ", ".join('"' + n.replace('"', '""') + '"' for n in rows.columns)
            marks = ", ".join("?" for _ in rows.columns)
            connection.execute(f"CREATE TABLE {_name(number)} ({names})")
            connection.executemany(
                f"INSERT INTO {_name(number)} VALUES ({marks})", cells
            )
    standing_in = [rows for rows, _ in samples]
    return replace(Samples.at(f"sqlite:///{file}"), standing_in=standing_in)


def _name(number: int) -> str:
    return f"samples_{number}"
