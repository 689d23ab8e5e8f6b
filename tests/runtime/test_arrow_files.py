"""Parquet and Arrow: typed columns go through exactly, in batches of bounded size."""

import json
import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import (
    TIMESTAMP,
    BigInteger,
    Column,
    Date,
    Double,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    Text,
    Time,
)
from sqlalchemy.dialects.postgresql import JSONB

from runtime import arrow_files
from runtime.arrow_files import ArrowFiles, ArrowTables, ParquetFiles
from runtime.conform import conform
from runtime.errors import ContractError
from runtime.folders import LocalFolder
from runtime.problems import Problems
from runtime.resource import Window


def write(path: Path, table: pa.Table, how: str, **options: Any) -> ArrowTables:
    """A file of this format, and what reads it."""
    columns = options.pop("columns", table.schema.names)
    if how == "parquet":
        pq.write_table(table, path / "f", store_schema=True)
        return ParquetFiles("f", columns, **options)
    opened = pa.ipc.new_stream if how == "stream" else pa.ipc.new_file
    with opened(path / "f", table.schema) as writer:
        writer.write_table(table)
    return ArrowFiles("f", columns, **options)


def read(files: ArrowTables, path: Path) -> pd.DataFrame:
    [partition] = files.partitions(LocalFolder(path), Window())
    batches = list(files.read(LocalFolder(path), partition))
    return pd.concat(batches)


@pytest.fixture(params=["parquet", "file", "stream"])
def how(request: pytest.FixtureRequest) -> str:
    return str(request.param)


EXACT: dict[str, tuple[pa.Array, Any, list[Any]]] = {
    "int": (pa.array([2**53 + 1, None], pa.int64()), BigInteger(), [2**53 + 1, None]),
    "unsigned": (pa.array([2**63 - 1, 1], pa.uint64()), BigInteger(), [2**63 - 1, 1]),
    "decimal": (
        pa.array([Decimal("1234567890123456789012345678.99")] * 2, pa.decimal128(30, 2)),
        Numeric(30, 2),
        [Decimal("1234567890123456789012345678.99")] * 2,
    ),
    "small decimal": (
        pa.array([Decimal("1.10"), None], pa.decimal32(5, 2)),
        Numeric(5, 2),
        [Decimal("1.10"), None],
    ),
    "double": (pa.array([0.1, None]), Double(), [0.1, None]),
    "dictionary": (pa.array(["x", "y"]).dictionary_encode(), Text(), ["x", "y"]),
    "large text": (pa.array(["x", None], pa.large_string()), Text(), ["x", None]),
    "text view": (pa.array(["x", None], pa.string_view()), Text(), ["x", None]),
    "binary": (pa.array([b"\x00\xff", None]), LargeBinary(), [b"\x00\xff", None]),
    "date": (pa.array([date(1, 1, 1), date(9999, 12, 31)]), Date(), [date.min, date.max]),
    "time": (pa.array([time(23, 59, 59, 999_999)] * 2), Time(), [time.max] * 2),
    "nanoseconds": (
        pa.array([1_000_000_001_000, None], pa.timestamp("ns")),
        TIMESTAMP(),
        [datetime(1970, 1, 1, 0, 16, 40, 1), None],
    ),
    "instant": (
        pa.array([datetime(2026, 1, 1, tzinfo=UTC)] * 2, pa.timestamp("us", "Asia/Kolkata")),
        TIMESTAMP(timezone=True),
        [datetime(2026, 1, 1, tzinfo=UTC)] * 2,
    ),
    "nothing": (pa.nulls(2), BigInteger(), [None, None]),
    "extension": (pa.array(['{"a":1}', None], pa.json_()), JSONB(), ['{"a":1}', None]),
}
NOT_IN_PARQUET = ("text view", "small decimal")


@pytest.mark.parametrize("name", EXACT)
def test_typed_columns_are_exact(name: str, how: str, tmp_path: Path) -> None:
    if how == "parquet" and name in NOT_IN_PARQUET:
        pytest.skip("Parquet has no such type")
    values, kind, expected = EXACT[name]
    raw = read(write(tmp_path, pa.table({"a": values}), how), tmp_path)
    problems = Problems()
    rows = conform(raw, Table("t", MetaData(), Column("a", kind)), problems)
    assert not problems.reasons
    assert pa.array(rows["a"], from_pandas=True).to_pylist() == expected
    assert rows.index.tolist() == [1, 2]


def test_nested_values_are_json_with_every_digit(how: str, tmp_path: Path) -> None:
    kind = pa.struct([("price", pa.decimal128(20, 2)), ("tags", pa.list_(pa.string()))])
    value = {"price": Decimal("123456789012345678.90"), "tags": ["a", None]}
    table = pa.table({"a": pa.array([value, None], kind)})
    first, second = read(write(tmp_path, table, how), tmp_path)["a"]
    assert first == '{"price":123456789012345678.90,"tags":["a",null]}'
    assert pd.isna(second)


def test_durations_are_iso(how: str, tmp_path: Path) -> None:
    table = pa.table({"a": pa.array([timedelta(hours=25, seconds=1.5), None])})
    first, second = read(write(tmp_path, table, how), tmp_path)["a"]
    assert (first, pd.isna(second)) == ("P1DT3601.5S", True)


def test_nanoseconds_that_do_not_fit_set_their_row_aside(tmp_path: Path) -> None:
    table = pa.table({"a": pa.array([1_000, 1_001], pa.timestamp("ns"))})
    problems = Problems()
    target = Table("t", MetaData(), Column("a", TIMESTAMP))
    conform(read(write(tmp_path, table, "parquet"), tmp_path), target, problems)
    assert {row: [one.rule for one in why] for row, why in problems.reasons.items()} == {
        2: ["does not fit TIMESTAMP"]
    }


def test_floats_are_refused_where_digits_count(tmp_path: Path) -> None:
    raw = read(write(tmp_path, pa.table({"a": [0.1]}), "parquet"), tmp_path)
    with pytest.raises(ContractError, match="'a' is floating point, the table's is NUMERIC"):
        conform(raw, Table("t", MetaData(), Column("a", Numeric(5, 2))), Problems())


def test_columns_come_as_text_on_demand(how: str, tmp_path: Path) -> None:
    table = pa.table({"a": pa.array([datetime(2026, 1, 31, 9, 30)]), "b": [7]})
    raw = read(write(tmp_path, table, how, texts=["a", "b"]), tmp_path)
    assert raw.astype(object).values.tolist() == [["2026-01-31 09:30:00.000000", "7"]]


def test_records_are_numbered_through_the_file(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrow_files, "BATCH_ROWS", 3)
    raw = read(write(tmp_path, pa.table({"a": range(10)}), how), tmp_path)
    assert raw["a"].tolist() == list(range(10))
    assert raw.index.tolist() == list(range(1, 11))


def test_a_missing_column_is_said_with_a_near_one(how: str, tmp_path: Path) -> None:
    files = write(tmp_path, pa.table({"amount": [1]}), how, columns=["amuont"])
    with pytest.raises(ContractError, match=r"no column 'amuont'\n  did you mean 'amount'"):
        read(files, tmp_path)


@pytest.mark.parametrize("data", [b"", b"PAR1", b"a,b\n1,2\n", b"FEA1" + b"\0" * 30])
def test_what_is_no_such_file_is_refused_by_name(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(data)
    for files in (ParquetFiles("f", ["a"]), ArrowFiles("f", ["a"])):
        with pytest.raises(ContractError, match=r"/f: the file can't be read"):
            read(files, tmp_path)


def test_a_truncated_file_is_refused(how: str, tmp_path: Path) -> None:
    files = write(tmp_path, pa.table({"a": range(100_000)}), how)
    data = (tmp_path / "f").read_bytes()
    (tmp_path / "f").write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(ContractError, match="can't be read"):
        read(files, tmp_path)


MEASURE = """
import json, resource, sys
from pathlib import Path
from runtime.arrow_files import ParquetFiles
from runtime.folders import LocalFolder
from runtime.resource import Partition
folder, name = LocalFolder(Path(sys.argv[1])), sys.argv[2]
batches = ParquetFiles(name, ["a"]).read(folder, Partition(file=name))
rows = sum(map(len, batches))
print(json.dumps([rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024]))
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    peaks = {}
    chunk = pa.table({"a": range(200_000), "b": [f"text {n}" * 5 for n in range(200_000)]})
    for groups in (2, 20):
        with pq.ParquetWriter(tmp_path / f"{groups}", chunk.schema) as writer:
            for _ in range(groups):
                writer.write_table(chunk)
        templates = Path(arrow_files.__file__).parents[1]
        done = subprocess.run(
            [sys.executable, "-c", MEASURE, tmp_path, str(groups)],
            env={"PYTHONPATH": str(templates)},
            capture_output=True,
            text=True,
            check=True,
        )
        rows, peaks[groups] = json.loads(done.stdout)
        assert rows == groups * 200_000
    assert peaks[20] < peaks[2] * 1.3, peaks
