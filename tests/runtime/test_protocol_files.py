"""Files through the whole protocol: each once, none half read, none gone before its rows are in."""

import gzip
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
from sqlalchemy import Column, Date, MetaData, Table, Text, select

from runtime import loading
from runtime.arrow_files import ArrowFiles, ParquetFiles
from runtime.conform import conform
from runtime.connect import Destination
from runtime.csv_files import CsvFiles
from runtime.errors import ContractError, RetryableError
from runtime.files import Files, Ready
from runtime.folders import LocalFolder
from runtime.json_files import JsonLines
from runtime.problems import Problems
from runtime.publish import Counts
from runtime.resource import Append, Load, Merge, Partition, Replace, Resource, Window, file_lineage


def table(*columns: Column[Any]) -> Table:
    key = Column("id", Text)
    return Table("orders", MetaData(), key, *columns, *file_lineage(), schema="shop")


KEYED = Table(
    "orders", MetaData(), Column("id", Text, primary_key=True), *file_lineage(), schema="shop"
)
NEW = CsvFiles("*.csv", ["id"], only_new=True)


@dataclass
class Inbox:
    """A folder of CSV files with ids, and a resource that loads them."""

    destination: Destination
    path: Path
    files: CsvFiles = NEW
    load: Load = field(default_factory=lambda: Append(table()))
    runs: int = 0

    def put(self, name: str, *ids: str) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(["id", *ids]) + "\n")
        return file

    @property
    def resource(self) -> Resource:
        def transform(raw: pd.DataFrame, problems: Problems) -> pd.DataFrame:
            return conform(raw.rename(columns={"{day}": "day"}), self.load.table, problems)

        return Resource(
            "inbox.orders",
            self.load,
            lambda: LocalFolder(self.path),
            lambda folder, window: self.files.partitions(folder, window),
            lambda folder, partition: self.files.read(folder, partition),
            transform,
            lambda rows, problems: None,
            after_publish=self.files.put_away if self.files.archive else None,
        )

    def run(self) -> Counts:
        self.runs += 1
        return loading.load(self.destination, self.resource, f"run-{self.runs}")

    def ids(self) -> list[str]:
        with self.destination.engine.connect() as connection:
            return sorted(connection.execute(select(self.load.table.c.id)).scalars())


@pytest.fixture
def inbox(destination: Destination, tmp_path: Path, no_waiting: None) -> Inbox:
    return Inbox(destination, tmp_path)


@pytest.mark.parametrize("load", [Append(table()), Merge(KEYED)], ids=["append", "merge"])
def test_a_published_file_is_not_read_again(inbox: Inbox, load: Load) -> None:
    inbox.load = load
    inbox.put("a.csv", "1", "2")
    assert inbox.run().read == 2
    inbox.put("b.csv", "3")
    assert inbox.run().read == 1
    assert inbox.run().read == 0
    assert inbox.ids() == ["1", "2", "3"]


def test_a_changed_file_replaces_its_rows(inbox: Inbox) -> None:
    inbox.put("a.csv", "1", "2")
    inbox.put("b.csv", "9")
    inbox.run()
    inbox.put("a.csv", "2", "3", "4")
    assert inbox.run().read == 3
    assert inbox.ids() == ["2", "3", "4", "9"]
    assert inbox.run().read == 0


def test_a_file_whose_load_failed_is_still_new(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox.put("a.csv", "1")
    with monkeypatch.context() as patch:
        patch.setattr(loading, "audit", broken)
        with pytest.raises(ContractError):
            inbox.run()
    assert inbox.run().read == 1


def broken(*args: Any) -> None:
    raise ContractError("broken")


def test_a_dropped_table_is_filled_anew(inbox: Inbox) -> None:
    inbox.put("a.csv", "1")
    inbox.run()
    inbox.load.table.drop(inbox.destination.engine)
    assert inbox.run().loaded == 1


def test_all_files_are_read_where_that_is_asked(inbox: Inbox) -> None:
    inbox.files = replace(NEW, only_new=False)
    inbox.put("a.csv", "1")
    assert [inbox.run().read, inbox.run().read] == [1, 1]
    assert inbox.ids() == ["1"]


def test_new_rows_replace_those_of_the_same_value_in_the_name(inbox: Inbox) -> None:
    inbox.files = CsvFiles("*_{day:%Y%m%d}.csv", ["id", "{day}"], only_new=True)
    inbox.load = Append(table(Column("day", Date)), replace_by=["day"])
    inbox.put("a_20260115.csv", "1", "2")
    inbox.put("a_20260116.csv", "3")
    inbox.run()
    inbox.put("b_20260115.csv", "4")
    assert inbox.run().loaded == 1
    assert inbox.ids() == ["3", "4"]


class TestReadiness:
    def test_a_young_file_waits(self, inbox: Inbox) -> None:
        inbox.files = replace(NEW, ready=Ready(min_age=timedelta(minutes=5)))
        file = inbox.put("a.csv", "1")
        assert inbox.run().read == 0
        old = file.stat().st_mtime - 301
        os.utime(file, (old, old))
        assert inbox.run().read == 1

    @pytest.mark.parametrize(
        ("marker", "name"), [("*.done", "in/a.done"), ("_SUCCESS", "in/_SUCCESS")]
    )
    def test_a_file_waits_for_its_marker(self, inbox: Inbox, marker: str, name: str) -> None:
        inbox.files = CsvFiles("in/*.csv", ["id"], only_new=True, ready=Ready(marker=marker))
        inbox.put("in/a.csv", "1")
        assert inbox.run().read == 0
        (inbox.path / name).touch()
        assert inbox.run().read == 1

    def test_too_few_files_fail_the_run_and_load_nothing(self, inbox: Inbox) -> None:
        inbox.files = replace(NEW, ready=Ready(count=2))
        inbox.put("a.csv", "1")
        with pytest.raises(RetryableError, match="1 files are ready, 2 are expected"):
            inbox.run()
        inbox.put("b.csv", "2")
        assert inbox.run().read == 2


class TestArchive:
    @pytest.fixture
    def inbox(self, inbox: Inbox) -> Inbox:
        inbox.files = CsvFiles("**/*.csv", ["id"], only_new=True, archive="done")
        return inbox

    def names(self, inbox: Inbox) -> list[str]:
        files = (path for path in inbox.path.rglob("*") if path.is_file())
        return sorted(path.relative_to(inbox.path).as_posix() for path in files)

    def test_published_files_move_and_are_not_found_there(self, inbox: Inbox) -> None:
        inbox.put("in/a.csv", "1")
        assert inbox.run().read == 1
        assert self.names(inbox) == ["done/in/a.csv"]
        assert inbox.run().read == 0
        assert inbox.ids() == ["1"]

    def test_nothing_moves_before_the_publish(
        self, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        inbox.put("a.csv", "1")
        monkeypatch.setattr(loading, "publish", broken)
        with pytest.raises(ContractError):
            inbox.run()
        assert self.names(inbox) == ["a.csv"]

    def test_a_name_that_comes_again_gets_a_number(self, inbox: Inbox) -> None:
        for ids in ("1", "2", "3"):
            inbox.put("a.csv", ids)
            inbox.run()
        assert self.names(inbox) == ["done/a.2.csv", "done/a.3.csv", "done/a.csv"]
        assert (inbox.path / "done/a.2.csv").read_text() == "id\n2\n"

    def test_a_file_that_was_replaced_meanwhile_stays(self, inbox: Inbox) -> None:
        file = inbox.put("a.csv", "1")
        folder = LocalFolder(inbox.path)
        [partition] = inbox.files.partitions(folder, Window())
        file.write_text("id\n2\n3\n")
        inbox.files.put_away(folder, partition)
        assert self.names(inbox) == ["a.csv"]

    def test_it_may_be_repeated(self, inbox: Inbox) -> None:
        inbox.put("a.csv", "1")
        folder = LocalFolder(inbox.path)
        [partition] = inbox.files.partitions(folder, Window())
        for _ in range(2):
            inbox.files.put_away(folder, partition)
        assert self.names(inbox) == ["done/a.csv"]

    def test_a_file_left_by_a_killed_run_moves_with_the_next(
        self, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        inbox.put("a.csv", "1")
        with monkeypatch.context() as patch:
            patch.setattr(loading, "finish", broken)
            with pytest.raises(ContractError):
                inbox.run()
        assert (inbox.ids(), self.names(inbox)) == (["1"], ["a.csv"])
        inbox.run()
        assert (inbox.ids(), self.names(inbox)) == (["1"], ["done/a.csv"])


class TestChangesWhileReading:
    """F33: replaced, truncated, appended to or deleted in mid-read."""

    ROWS = 100_000

    @pytest.fixture(params=["csv", "csv.gz", "jsonl", "parquet", "arrow"])
    def file(
        self, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Path:
        for name in ("csv_lines.BLOCK_BYTES", "compressed.UNPACKED_BYTES"):
            monkeypatch.setattr(f"runtime.{name}", 1 << 16)
        monkeypatch.setattr("runtime.arrow_files.BATCH_ROWS", 5_000)
        monkeypatch.setattr("runtime.json_files.BATCH_RECORDS", 5_000)
        file = tmp_path / f"a.{request.param}"
        self.write(file, 1_000_000)
        return file

    def write(self, file: Path, first: int) -> None:
        numbers = pa.table({"id": [str(first + n * 77) for n in range(self.ROWS)]})
        if file.suffix == ".parquet":
            pq.write_table(numbers, file, row_group_size=10_000)
        elif file.suffix == ".arrow":
            feather.write_feather(numbers, str(file), chunksize=10_000)
        elif file.suffix == ".jsonl":
            file.write_text("".join(f'{{"id": "{one}"}}\n' for one in numbers["id"].to_pylist()))
        else:
            text = "\n".join(["id", *numbers["id"].to_pylist()]).encode()
            file.write_bytes(gzip.compress(text) if file.suffix == ".gz" else text)

    def batches(self, file: Path) -> Iterator[pd.DataFrame]:
        kinds: dict[str, Callable[..., Files]] = {
            ".jsonl": JsonLines,
            ".parquet": ParquetFiles,
            ".arrow": ArrowFiles,
        }
        files = kinds.get(file.suffix, CsvFiles)("a.*", ["id"])
        return files.read(LocalFolder(file.parent), Partition(file=file.name))

    def replaced(self, file: Path) -> None:
        new = file.with_name(f"new{file.suffix}")
        self.write(new, 2_000_000)
        new.rename(file)

    def truncated(self, file: Path) -> None:
        os.truncate(file, file.stat().st_size // 2)

    def extended(self, file: Path) -> None:
        with file.open("a") as end:
            end.write("1\n")

    def deleted(self, file: Path) -> None:
        file.unlink()

    @pytest.mark.parametrize("how", ["replaced", "truncated", "extended", "deleted"])
    def test_f33_the_read_fails_and_may_be_tried_again(self, how: str, file: Path) -> None:
        batches = self.batches(file)
        next(batches)
        getattr(self, how)(file)
        with pytest.raises(RetryableError, match=r"a\.\S+: the file changed while it was read"):
            list(batches)

    def test_f33_a_file_that_stays_is_read_whole(self, file: Path) -> None:
        assert sum(map(len, self.batches(file))) == self.ROWS

    def test_f33_the_next_try_loads_what_is_there_then(
        self, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = inbox.put("a.csv", "1", "2", "3")
        read, changes = CsvFiles.records, iter([lambda: inbox.put("a.csv", "4")])

        def records(self: CsvFiles, *args: Any) -> Iterator[pd.DataFrame]:
            for batch in read(self, *args):
                next(changes, lambda: file)()
                yield batch

        monkeypatch.setattr(CsvFiles, "records", records)
        inbox.run()
        assert inbox.ids() == ["4"]


def test_replace_keeps_its_rows_where_files_are_gone(inbox: Inbox) -> None:
    inbox.files, inbox.load = replace(NEW, only_new=False), Replace(table())
    file = inbox.put("a.csv", "1")
    inbox.run()
    file.unlink()
    assert inbox.run().read == 0
    assert inbox.ids() == ["1"]
