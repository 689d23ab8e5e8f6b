"""For the tests of this project: a SQLite database with rows made up for one resource."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from sqlalchemy import FromClause, column, table

from .sql_database import Database
from .sql_rows import SqlRows

NAME = "samples"


class Samples(Database):
    """Has one table, which stands in for every other table and query."""

    def relation(self, of: Callable[[str | None], FromClause]) -> FromClause:
        """The samples, with the columns of what they stand in for."""
        return table(NAME, *(column(one.name) for one in of(None).c))


def sample_database(
    folder: Path, rows: SqlRows, cells: Sequence[Sequence[str | None]]
) -> Samples:
    """A database in this folder; cells are in the order of the columns."""
    file = folder / "samples.sqlite"
    file.unlink(missing_ok=True)
    names = ", ".join('"' + name.replace('"', '""') + '"' for name in rows.columns)
    marks = ", ".join("?" for _ in rows.columns)
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(f"CREATE TABLE {NAME} ({names})")
        connection.executemany(f"INSERT INTO {NAME} VALUES ({marks})", cells)
    return Samples.at(f"sqlite:///{file}")
