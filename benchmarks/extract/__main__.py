"""A table of a database into PostgreSQL: a generated project and its peers, in turn."""

import argparse
import json
import os
import signal
import sqlite3
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow.compute
import pyarrow.csv
from sqlalchemy import Engine, text

from benchmarks import database as db
from benchmarks.data import COLUMNS, KEY, MONEY, lineitem
from benchmarks.measure import Command, Taken
from benchmarks.table import machine, print_line
from etlgen.usecases.new import Request, create

OURS = "etlgen"
PEERS = {  # and the module that each needs
    "pandas.read_sql": "pandas",
    "connectorx": "connectorx",
    "ADBC": "adbc_driver_postgresql",
    "dlt sql_database": "dlt",
}
SCRIPT = Path(__file__).with_name("peers.py")
SOURCE, TARGET = "source", "target"
SUMS = [name for name, kind in COLUMNS.items() if kind == MONEY]
HEADINGS = {
    "from": -12,
    "by": -18,
    "rows": 12,
    "wall s": 9,
    "ratio": 7,
    "CPU s": 9,
    "peak MB": 9,
    "same": 6,
    "rows/s": 12,
}
EXPLANATION = """\
Medians of whole processes, from start to the rows in the table, in turn within one run. `ratio` is
the wall time to etlgen's; `same` compares count and exact sums of all amounts with the source."""


@dataclass
class Contender:
    """One way of bringing the rows over, and what its runs took."""

    name: str
    command: Command
    table: str
    taken: list[Taken] = field(default_factory=list)
    is_same: bool = True
    fault: str = ""


def main() -> None:
    """Measure each way from each kind of database; print the table line by line."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    with (
        tempfile.TemporaryDirectory(prefix="etlgen-benchmark-") as folder,
        db.new_database(options.url, Path(folder)) as database,
    ):
        _print_conditions(options, database)
        right = [
            _measure(kind, rows, options, database, Path(folder))
            for kind in options.source
            for rows in options.rows
        ]
    sys.exit(not all(right))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.extract", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000], help="of the table")
    parser.add_argument("--runs", type=int, default=3, help="of each way (%(default)s)")
    parser.add_argument("--by", nargs="*", choices=PEERS, default=[*PEERS], help="peers")
    parser.add_argument("--source", nargs="+", default=["postgresql", "sqlite"], help="which")
    parser.add_argument("--url", help="a PostgreSQL to make a database in; default: embedded")
    options = parser.parse_args()
    if min(options.rows) < 1 or options.runs < 1:
        parser.error("--rows and --runs are at least 1")
    return options


def _measure(
    kind: str, rows: int, options: argparse.Namespace, database: Engine, folder: Path
) -> bool:
    """Lines of the table; whether our own rows were always the source's."""
    url, table = _filled(kind, rows, database, folder)
    expected = _expected(rows)
    ways = [_ours(kind, url, database, folder), *_peers(options.by, url, table, database, folder)]
    for number in range(options.runs + 1):  # the first does not count
        for way in ways:
            if not way.fault:
                _run(way, database, expected, is_counted=number > 0)
    best = median([taken.wall for taken in ways[0].taken] or [float("nan")])
    for way in ways:
        _print_way(way, kind, rows, best)
    return ways[0].is_same and not ways[0].fault


def _run(
    way: Contender, database: Engine, expected: Mapping[str, Any], *, is_counted: bool
) -> None:
    _execute(
        database,
        f"DROP SCHEMA IF EXISTS {TARGET} CASCADE",
        "DROP SCHEMA IF EXISTS work CASCADE",
        "CHECKPOINT",
        f"CREATE SCHEMA {TARGET}",
    )
    try:
        taken = way.command.run()
    except SystemExit as error:
        if not isinstance(error.code, str):  # we are to end ourselves
            raise
        way.fault = str(error).strip().splitlines()[-1][:100]
        return
    found = _contents(database, way.table)
    way.is_same = way.is_same and found == expected
    if is_counted:
        way.taken.append(taken)


def _ours(kind: str, url: str, database: Engine, folder: Path) -> Contender:
    name = f"extract-{kind}-etl"
    package = name.replace("-", "_")
    root = folder / name
    if not root.is_dir():
        spec = folder / f"{name}.yaml"
        spec.write_text(json.dumps(_spec(name, kind)))
        create(Request(spec, target=root), lambda _: True)
    settings = {
        "PYTHONPATH": str(root / "src"),
        "BENCHMARK_URL": url,
        f"{package.upper()}_DATABASE_URL": database.url.render_as_string(hide_password=False),
    }
    words = (sys.executable, "-m", package, "run")
    return Contender(OURS, Command(words, os.environ | settings), f"{TARGET}.lineitem")


def _spec(name: str, kind: str) -> dict[str, Any]:
    schema = {"schema": SOURCE} if kind == "postgresql" else {}
    columns = {one: {"type": type, "nullable": False} for one, type in COLUMNS.items()}
    lineitem = {"write_disposition": "replace", "primary_key": [*KEY], "columns": columns}
    return {
        "name": name,
        "destination": {"schema": TARGET, "work_schema": "work"},
        "sources": {
            "tpch": {
                "kind": "database",
                "url": "${BENCHMARK_URL}",
                **schema,
                "resources": {"lineitem": lineitem},
            }
        },
    }


def _peers(
    names: list[str], url: str, table: str, database: Engine, folder: Path
) -> Iterator[Contender]:
    for name in names:
        settings = {
            "SOURCE": url,
            "TARGET": database.url.render_as_string(hide_password=False),
            "ROWS_OF": table,
            "INTO": f"{TARGET}.lineitem",
            "SCRATCH": str(folder),
            "RUNTIME__DLTHUB_TELEMETRY": "false",
        }
        command = Command((sys.executable, str(SCRIPT), name), os.environ | settings)
        fault = "" if find_spec(PEERS[name]) else "not installed"
        yield Contender(name, command, f"{TARGET}.lineitem", fault=fault)


def _filled(kind: str, rows: int, database: Engine, folder: Path) -> tuple[str, str]:
    """The URL of a database with so many rows, and the table's name in it."""
    file = lineitem(rows)
    columns = ", ".join(f"{name} {type} NOT NULL" for name, type in COLUMNS.items())
    create = f"lineitem ({columns}, PRIMARY KEY ({', '.join(KEY)}))"
    if kind == "sqlite":
        path = folder / f"{rows}.sqlite"
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(f"CREATE TABLE {create}")
            marks = ", ".join("?" for _ in COLUMNS)
            for batch in pyarrow.csv.open_csv(file):
                texts = [column.cast("string").to_pylist() for column in batch.columns]
                connection.executemany(
                    f"INSERT INTO lineitem VALUES ({marks})", zip(*texts, strict=True)
                )
        return f"sqlite:///{path}", "lineitem"
    _execute(database, f"DROP SCHEMA IF EXISTS {SOURCE} CASCADE", f"CREATE SCHEMA {SOURCE}")
    _execute(database, f"CREATE TABLE {SOURCE}.{create}")
    copy = f"COPY {SOURCE}.lineitem FROM STDIN WITH (FORMAT csv, HEADER)"
    with closing(database.raw_connection()) as reached, file.open() as lines:
        cursor: Any = reached.cursor()
        cursor.copy_expert(copy, lines)
        reached.commit()
    _execute(database, f"VACUUM ANALYZE {SOURCE}.lineitem")
    return database.url.render_as_string(hide_password=False), f"{SOURCE}.lineitem"


def _expected(rows: int) -> dict[str, Any]:
    """The count and the exact sums, from the file that the sources are made of."""
    money = {name: pyarrow.decimal128(38, 2) for name in SUMS}
    options = pyarrow.csv.ConvertOptions(include_columns=SUMS, column_types=money)
    read = pyarrow.csv.read_csv(lineitem(rows), convert_options=options)
    return {"rows": read.num_rows} | {
        name: pyarrow.compute.sum(read[name]).as_py() for name in SUMS
    }


def _contents(database: Engine, table: str) -> dict[str, Any]:
    sums = ", ".join(f"sum({name}::numeric) AS {name}" for name in SUMS)
    with database.connect() as connection:
        found = connection.execute(
            text(f"SELECT count(*) AS rows, {sums} FROM {table}".replace(":", "\\:"))
        )
        return dict(found.mappings().one())


def _execute(database: Engine, *statements: str) -> None:
    with database.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def _print_conditions(options: argparse.Namespace, database: Engine) -> None:
    print(f"{machine(database, options.url)}, {os.cpu_count()} CPUs, {options.runs} runs")
    print(EXPLANATION, "", sep="\n")
    print_line(HEADINGS, *HEADINGS)


def _print_way(way: Contender, kind: str, rows: int, best: float) -> None:
    if way.fault:
        print_line(HEADINGS, kind, way.name, f"{rows:,}", way.fault)
        return
    wall = median(taken.wall for taken in way.taken)
    print_line(
        HEADINGS,
        kind,
        way.name,
        f"{rows:,}",
        f"{wall:.2f}",
        f"{wall / best:.2f}",
        f"{median(taken.cpu for taken in way.taken):.2f}",
        f"{median(taken.peak for taken in way.taken) / 1e6:.0f}",
        "yes" if way.is_same else "NO",
        f"{rows / wall:,.0f}",
    )


if __name__ == "__main__":
    main()
