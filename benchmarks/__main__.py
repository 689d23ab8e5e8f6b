"""Load one large file by a generated project and by psql's `\\copy`, side by side."""

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import Engine

from benchmarks import database as db
from benchmarks.data import lineitem
from benchmarks.measure import Taken, alternate
from benchmarks.project import LOADS, SCHEMA, run_command, write_project
from benchmarks.table import machine, print_line

START_UP_ROWS = (10_000, 100_000)  # so few that starting Python is what takes the time
HEADINGS = {  # and how wide the column is
    "load": -8,
    "rows": 12,
    "MB": 9,
    "wall ratio min": 15,
    "median": 8,
    "max": 8,
    "wall s": 14,
    "CPU s": 13,
    "peak MB": 12,
    "rows loaded": 13,
    "sum(l_extendedprice)": 22,
    "same": 5,
}
EXPLANATION = """\
Each cell of two figures is the generated project's and \\copy's: medians of whole processes, client
side only. `same` compares the counts, the sums and a hash over every cell of both tables."""


def main() -> None:
    """Measure every load, and the first one with few rows; print the table line by line."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    with tempfile.TemporaryDirectory(prefix="etlgen-benchmark-") as folder:
        python_path = write_project(Path(folder))
        with db.new_database(options.url, Path(folder)) as database:
            psql = db.find_psql()
            few = [(LOADS[0], rows) for rows in START_UP_ROWS if rows < options.rows]
            _print_conditions(options, database, psql)
            same = [
                _measure(load, rows, options.runs, database, python_path, psql)
                for load, rows in [*few, *((load, options.rows) for load in LOADS)]
            ]
    sys.exit(not all(same))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000, help="of the file (%(default)s)")
    parser.add_argument("--runs", type=int, default=5, help="of each side (%(default)s)")
    parser.add_argument(
        "--url", help="a PostgreSQL to make a database in, as superuser; default: an embedded one"
    )
    options = parser.parse_args()
    if options.rows < 1 or options.runs < 1:
        parser.error("--rows and --runs are at least 1")
    return options


def _measure(
    load: str, rows: int, runs: int, database: Engine, python_path: Path, psql: str
) -> bool:
    """Print a line of the table; whether both sides always loaded the same."""
    file = lineitem(rows)
    found: list[dict[str, Any]] = []
    pairs = alternate(
        run_command(python_path, load, file, database.url),
        db.copy_command(psql, load, file, database.url),
        runs,
        before_pair=partial(db.empty, database, load),
        before_run=partial(db.settle, database),
        after_pair=lambda: found.extend(
            db.contents(database, f"{schema}.{load}") for schema in (SCHEMA, db.PLAIN)
        ),
    )
    same = found.count(found[0]) == len(found) and found[0]["rows"] == rows
    ratios = [ours.wall / theirs.wall for ours, theirs in pairs]
    print_line(
        HEADINGS,
        load,
        f"{rows:,}",
        f"{file.stat().st_size / 1e6:,.1f}",
        *(f"{pick(ratios):.2f}" for pick in (min, median, max)),
        _both(pairs, lambda taken: taken.wall, ".2f"),
        _both(pairs, lambda taken: taken.cpu, ".2f"),
        _both(pairs, lambda taken: taken.peak / 1e6, ".0f"),
        f"{found[-2]['rows']:,}",
        f"{found[-2]['l_extendedprice']:,}",
        "yes" if same else "NO",
    )
    return same


def _both(pairs: list[tuple[Taken, Taken]], figure: Callable[[Taken], float], format: str) -> str:
    sides = (median(map(figure, side)) for side in zip(*pairs, strict=True))
    return " ".join(f"{value:{format}}" for value in sides)


def _print_conditions(options: argparse.Namespace, database: Engine, psql: str) -> None:
    command = f"python -m benchmarks --rows {options.rows} --runs {options.runs}"
    print(f"$ {command}{' --url …' if options.url else ''}")
    print(f"{machine(database, options.url)}, {db.describe(psql)}")
    print(EXPLANATION, "", sep="\n")
    print_line(HEADINGS, *HEADINGS)


if __name__ == "__main__":
    main()
