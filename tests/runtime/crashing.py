"""Loads files into a database again and again, each time in a process that may be killed.

The libraries are imported once; each line on stdin (`disposition run_id`) forks one load.
"""

import os
import signal
import sys
from pathlib import Path

from runtime import csv_files, loading
from runtime.conform import conform
from runtime.connect import connect, postgresql_url
from runtime.folders import LocalFolder
from runtime.resource import Load, Resource
from tests.runtime.feed import load_as, orders_table

csv_files.BLOCK_BYTES = 4 << 10  # several batches to a file


def resource(load: Load, folder: Path) -> Resource:
    files = csv_files.CsvFiles("*.csv", ["id", "amount", "note", "updated_at"])
    return Resource(
        "files.orders",
        load,
        lambda: LocalFolder(folder),
        files.partitions,
        files.read,
        lambda raw, problems: conform(raw, load.table, problems),
        lambda rows, problems: problems.require("amount", "is at least 0", rows["amount"] >= 0),
    )


def load(database: str, folder: Path, disposition: str, run: str) -> None:
    destination = connect(postgresql_url(database), "etl_shop", "crashing")
    table = orders_table(disposition, key=disposition != "append")
    loading.load(destination, resource(load_as(disposition, table), folder), run)
    destination.engine.dispose()


def interrupt(number: int, frame: object) -> None:
    raise SystemExit(128 + number)


def main(database: str, folder: Path) -> None:
    for line in sys.stdin:
        disposition, run = line.split()
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGTERM, interrupt)
            # A shell starts what it puts into the background deaf to Ctrl-C.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            code = 1
            try:
                load(database, folder / disposition, disposition, run)
                code = 0
            except SystemExit as stopped:
                code = int(str(stopped.code))
            except KeyboardInterrupt:
                code = 130
            finally:
                sys.stderr.flush()
                os._exit(code)
        os.setpgid(child, child)
        print(child, flush=True)
        print(os.waitpid(child, 0)[1], flush=True)


main(sys.argv[1], Path(sys.argv[2]))
