"""`python -m benchmarks.extract.rest`: how fast a REST API is read, beside dlt and one by one.

500 pages of 200 records, each page 20 ms away, from a server in another process. Each reader is a
process of its own, in turn, and says itself how long it took after its imports. dlt comes from
another environment: `--dlt PYTHON`. Ratios are to the first line.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.extract.rest_server import RECORDS
from benchmarks.measure import TIMED

READERS = Path(__file__).parent / "rest_readers.py"
ROOT = Path(__file__).parents[2]
MB = 1 << 20


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--pages", type=int, default=500)
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--dlt", help="a Python that has dlt")
    options.add_argument("--only", help="one of the readers, such as 'ours, 16'")
    chosen = options.parse_args()
    readers = {
        "one by one": (sys.executable, "sequential", 1),
        **{f"ours, {n}": (sys.executable, "ours", n) for n in (1, 4, 8, 16)},
        **({"dlt rest_api": (chosen.dlt, "dlt", 1)} if chosen.dlt else {}),
    }
    if chosen.only:
        readers = {chosen.only: readers[chosen.only]}
    taken: dict[str, list[tuple[float, float, int]]] = {name: [] for name in readers}
    with serving(chosen.pages) as url:
        for _ in range(chosen.runs):
            for name, (python, reader, in_flight) in readers.items():
                taken[name].append(run(python, reader, url, chosen.pages, in_flight))
    base = statistics.median(seconds for seconds, _, _ in next(iter(taken.values())))
    print(f"{chosen.pages} pages of {RECORDS} records, median of {chosen.runs}")
    print(f"{'reader, in flight':<18} {'seconds':>8} {'ratio':>6} {'cpu':>6} {'peak MB':>8}")
    for name, runs in taken.items():
        seconds, cpu, peak = (statistics.median(column) for column in zip(*runs, strict=True))
        line = f"{name:<18} {seconds:>8.2f} {seconds / base:>6.2f} {cpu:>6.2f} {peak / MB:>8.0f}"
        print(line)


@contextmanager
def serving(pages: int) -> Iterator[str]:
    """The API in a process of its own."""
    words = [sys.executable, "-m", "benchmarks.extract.rest_server", str(pages)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT) as server:
        assert server.stdout is not None
        yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        server.terminate()


def run(python: str, reader: str, url: str, pages: int, in_flight: int) -> tuple[float, float, int]:
    """Seconds of reading, CPU seconds and peak of the process, which has to see every record."""
    words = [python, str(READERS), reader, url, str(in_flight)]
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(TIMED), *words],
        env=_environment(),
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise SystemExit(f"{reader} failed:\n{done.stderr}")
    said = json.loads(done.stderr.splitlines()[-1])
    if said["records"] != pages * RECORDS:
        raise SystemExit(f"{reader} read {said['records']} records")
    whole = json.loads(done.stdout)
    return said["seconds"], whole["cpu"], whole["peak"]


def _environment() -> Mapping[str, str]:
    settings = {"PYTHONPATH": str(ROOT / "templates"), "RUNTIME__DLTHUB_TELEMETRY": "false"}
    return os.environ | settings


if __name__ == "__main__":
    main()
