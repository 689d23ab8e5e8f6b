"""Load files of one and of ten times the size: memory must not grow with them."""

import argparse
import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Engine, text

from benchmarks import database as db
from benchmarks.data import CACHE, COLUMNS, batches, lineitem
from benchmarks.measure import Command, Taken
from benchmarks.table import machine, print_line
from etlgen.usecases.new import Request, create

PACKAGE = "files_etl"
FIGURES = ("wall", "cpu", "peak")
SUFFIXES = {"csv": ".csv", "json_lines": ".jsonl", "parquet": ".parquet"}
HEADINGS = {  # and how wide the column is
    "format": -12,
    "rows": 12,
    "MB": 9,
    "wall s": 9,
    "CPU s": 9,
    "peak MB": 9,
    "growth": 8,
}
EXPLANATION = """\
Whole processes of a generated project that loads one file into an empty table, client side only:
medians. `growth` is the peak of the large file by that of the small one."""


def main() -> None:
    """Measure each format with the small and the large file; print the table line by line."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    with tempfile.TemporaryDirectory(prefix="etlgen-benchmark-") as folder:
        source = _write_project(Path(folder))
        with db.new_database(options.url, Path(folder)) as database:
            _print_conditions(options, database)
            for format in options.formats:
                _measure(format, options, database, source)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.extract.files", description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000, help="of the small file (%(default)s)")
    parser.add_argument("--times", type=int, default=10, help="how much larger (%(default)s)")
    parser.add_argument("--runs", type=int, default=3, help="of each load (%(default)s)")
    parser.add_argument("--formats", nargs="+", choices=SUFFIXES, default=list(SUFFIXES))
    parser.add_argument(
        "--url", help="a PostgreSQL to make a database in, as superuser; default: an embedded one"
    )
    return parser.parse_args()


def _measure(format: str, options: argparse.Namespace, database: Engine, source: Path) -> None:
    """Print the two lines of a format."""
    small = None
    for rows in (options.rows, options.rows * options.times):
        file = lineitem_as(format, rows)
        runs = [_run(format, file, rows, database, source) for _ in range(options.runs)]
        wall, cpu, peak = (median(getattr(run, name) for run in runs) for name in FIGURES)
        small = small or peak
        print_line(
            HEADINGS,
            *(format, f"{rows:,}", f"{file.stat().st_size / 1e6:,.1f}"),
            *(f"{wall:.2f}", f"{cpu:.2f}", f"{peak / 1e6:.0f}", f"{peak / small:.2f}"),
        )


def _run(format: str, file: Path, rows: int, database: Engine, source: Path) -> Taken:
    """Load the file into an empty table, and see that it is there."""
    with database.connect() as connection:
        for schema in ("lineitem", "etl_files_etl"):
            connection.execute(text(f"DROP SCHEMA IF EXISTS {schema} CASCADE"))
    settings = {
        "PYTHONPATH": str(source),
        "FILES_PATH": str(file.parent),
        f"{PACKAGE.upper()}_DATABASE_URL": database.url.render_as_string(hide_password=False),
    }
    words = (sys.executable, "-m", PACKAGE, "run", f"tpch.{format}")
    taken = Command(words, os.environ | settings).run()
    with database.connect() as connection:
        found = connection.execute(text(f"SELECT count(*) FROM lineitem.{format}")).scalar_one()
    if found != rows:
        raise SystemExit(f"{file.name}: {found} of {rows} rows were loaded")
    return taken


def lineitem_as(format: str, rows: int, cache: Path = CACHE) -> Path:
    """The file of `lineitem` in a format; written once, and again after a change to its maker."""
    made_by = lineitem(rows, cache)
    path = made_by.with_suffix(SUFFIXES[format])
    if path == made_by or (path.exists() and path.stat().st_mtime >= made_by.stat().st_mtime):
        return path
    unfinished = path.with_suffix(".unfinished")
    WRITERS[format](unfinished, batches(rows))
    return unfinished.replace(path)


def _write_json_lines(path: Path, batches: Iterator[pa.RecordBatch]) -> None:
    with path.open("w") as file:
        for batch in batches:
            file.writelines(f"{json.dumps(row, default=str)}\n" for row in batch.to_pylist())


def _write_parquet(path: Path, batches: Iterator[pa.RecordBatch]) -> None:
    first = next(batches)
    with pq.ParquetWriter(path, first.schema) as writer:
        writer.write_batch(first)
        for batch in batches:
            writer.write_batch(batch)


WRITERS: dict[str, Callable[[Path, Iterator[pa.RecordBatch]], None]] = {
    "json_lines": _write_json_lines,
    "parquet": _write_parquet,
}


def _write_project(folder: Path) -> Path:
    """Generate the project into a new folder; gives what belongs on its `PYTHONPATH`."""
    spec = folder / "files.yaml"
    spec.write_text(json.dumps(_spec()))
    return create(Request(spec, base=folder), lambda _: True).root / "src"


def _spec() -> dict[str, Any]:
    resources = {
        format: {
            "path": f"lineitem{suffix}",
            "write_disposition": "replace",
            "columns": {name: {"type": kind, "nullable": False} for name, kind in COLUMNS.items()},
        }
        for format, suffix in SUFFIXES.items()
    }
    source = {"kind": "file", "path": "${FILES_PATH}", "resources": resources}
    return {
        "name": "files-etl",
        "destination": {"schema": "lineitem"},
        "sources": {"tpch": source},
    }


def _print_conditions(options: argparse.Namespace, database: Engine) -> None:
    command = f"python -m benchmarks.extract.files --rows {options.rows} --times {options.times}"
    print(f"$ {command} --runs {options.runs}{' --url …' if options.url else ''}")
    print(machine(database, options.url))
    print(EXPLANATION, "", sep="\n")
    print_line(HEADINGS, *HEADINGS)


if __name__ == "__main__":
    main()
