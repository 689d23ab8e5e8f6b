"""A large CSV file like TPC-H's `lineitem`, the same on every machine and in every run."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

MONEY = "numeric(15,2)"
COLUMNS = {
    "l_orderkey": "bigint",
    "l_partkey": "bigint",
    "l_suppkey": "bigint",
    "l_linenumber": "integer",
    "l_quantity": MONEY,
    "l_extendedprice": MONEY,
    "l_discount": MONEY,
    "l_tax": MONEY,
    "l_returnflag": "text",
    "l_linestatus": "text",
    "l_shipdate": "date",
    "l_commitdate": "date",
    "l_receiptdate": "date",
    "l_shipinstruct": "text",
    "l_shipmode": "text",
    "l_comment": "text",
}
KEY = ("l_orderkey", "l_linenumber")
RETURN_FLAGS = ("A", "N", "R")
LINE_STATUSES = ("F", "O")
INSTRUCTIONS = ("COLLECT COD", "DELIVER IN PERSON", "NONE", "TAKE BACK RETURN")
MODES = ("AIR", "FOB", "MAIL", "RAIL", "REG AIR", "SHIP", "TRUCK")
WORDS = (
    *("accounts", "bold", "carefully", "deposits,", "express", "final", "furiously", "ideas"),
    *("ironic", "packages", "pending", "quickly", "requests", "sleep", "slyly", "theodolites"),
)
WORDS_IN_COMMENT = 4

Numbers = npt.NDArray[np.int64]

FILE = "lineitem.csv"
CACHE = Path(__file__).parent / ".data"
ROWS_AT_ONCE = 100_000
DAYS_TO_1992 = 8035
# Seven orders of one to seven lines each, over and over.
ORDERS = np.repeat(np.arange(7), np.arange(1, 8))
LINES = np.concatenate([np.arange(1, lines + 1) for lines in range(1, 8)])


def lineitem(rows: int, cache: Path = CACHE) -> Path:
    """The file with so many rows; written once, and again after a change to this module."""
    path = cache / str(rows) / FILE
    if path.exists() and path.stat().st_mtime > Path(__file__).stat().st_mtime:
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    with pyarrow.csv.CSVWriter(unfinished, next(batches(1)).schema) as writer:
        for batch in batches(rows):
            writer.write_batch(batch)
    return unfinished.replace(path)


def batches(rows: int) -> Iterator[pa.RecordBatch]:
    for start in range(0, rows, ROWS_AT_ONCE):
        yield _batch(np.arange(start, min(start + ROWS_AT_ONCE, rows)))


def _batch(row: Numbers) -> pa.RecordBatch:
    cycle, place = np.divmod(row, len(ORDERS))
    part = _noise(row, 1, 200_000) + 1
    quantity = _noise(row, 2, 50) + 1
    shipped = _noise(row, 3, 2500) + DAYS_TO_1992
    columns = [
        pa.array(cycle * 7 + ORDERS[place] + 1),
        pa.array(part),
        pa.array(_noise(row, 4, 10_000) + 1),
        pa.array(LINES[place], pa.int32()),
        _money(quantity * 100),
        _money(quantity * (90_000 + part % 20_001)),
        _money(_noise(row, 5, 11)),
        _money(_noise(row, 6, 9)),
        _one_of(RETURN_FLAGS, row, 7),
        _one_of(LINE_STATUSES, row, 8),
        _date(shipped),
        _date(shipped + _noise(row, 9, 120) - 60),
        _date(shipped + _noise(row, 10, 30) + 1),
        _one_of(INSTRUCTIONS, row, 11),
        _one_of(MODES, row, 12),
        pc.binary_join_element_wise(
            *(_one_of(WORDS, row, 13 + word) for word in range(WORDS_IN_COMMENT)), " "
        ),
    ]
    return pa.RecordBatch.from_arrays(columns, list(COLUMNS))


def _noise(row: Numbers, salt: int, below: int) -> Numbers:
    """Numbers from 0 that look random and depend on nothing but these arguments (SplitMix64)."""
    mixed = (row.astype(np.uint64) + np.uint64(salt << 40)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return (mixed % np.uint64(below)).astype(np.int64)


def _one_of(texts: tuple[str, ...], row: Numbers, salt: int) -> pa.Array:
    return pa.array(texts).take(pa.array(_noise(row, salt, len(texts))))


def _money(cents: Numbers) -> pa.Array:
    """Cents, none negative, as decimals: 128 bits each, the upper half of them 0."""
    halves = np.column_stack([cents, np.zeros_like(cents)])
    return pa.Array.from_buffers(pa.decimal128(15, 2), len(cents), [None, pa.py_buffer(halves)])


def _date(days: Numbers) -> pa.Array:
    return pa.array(days, pa.int32()).cast(pa.date32())
