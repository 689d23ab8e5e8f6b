"""Which files a resource has, each a partition of it."""

from pathlib import Path

import pyarrow as pa
import pytest

from runtime.columns import arrow_frame
from runtime.errors import ContractError
from runtime.files import Files
from runtime.folders import LocalFolder
from runtime.resource import Window

WINDOW = Window()


def found(folder: Path, pattern: str) -> list[str | None]:
    parts = Files(pattern, []).partitions(LocalFolder(folder), WINDOW)
    return [partition.file for partition in parts]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("orders-2.csv", "orders-10.csv", "orders-1.csv", "deep/orders-3.csv", "ünï x.csv"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("a\n")
    (tmp_path / "orders-folder.csv").mkdir()
    return tmp_path


def test_each_file_is_a_partition_in_the_order_of_the_names(folder: Path) -> None:
    assert found(folder, "orders-*.csv") == ["orders-1.csv", "orders-10.csv", "orders-2.csv"]
    partitions = Files("orders-*.csv", []).partitions(LocalFolder(folder), WINDOW)
    assert [partition.number for partition in partitions] == [0, 1, 2]
    assert all(partition.window is WINDOW for partition in partitions)


def test_patterns_may_go_deeper(folder: Path) -> None:
    assert found(folder, "**/orders-3.csv") == ["deep/orders-3.csv"]
    assert found(folder, "deep/orders-3.csv") == ["deep/orders-3.csv"]
    assert found(folder, "ünï x.csv") == ["ünï x.csv"]


def test_a_pattern_may_match_nothing(folder: Path) -> None:
    assert found(folder, "refunds-*.csv") == []


@pytest.mark.parametrize("name", ["refunds.csv", "orders-folder.csv", "deep"])
def test_a_file_that_is_named_must_be_there(folder: Path, name: str) -> None:
    with pytest.raises(ContractError, match=f"there is no file .*{name}"):
        found(folder, name)


@pytest.mark.parametrize("pattern", ["*.csv", "orders.csv"])
def test_the_folder_must_be_there(folder: Path, pattern: str) -> None:
    with pytest.raises(ContractError, match=r"there is no folder .*unmounted"):
        found(folder / "unmounted", pattern)


def test_a_batch_is_text_by_record_number() -> None:
    cells = pa.array(["x", None])
    frame = arrow_frame([("a", cells), ("b", cells)], [3, 7])
    assert frame.index.tolist() == [3, 7]
    assert frame.index.dtype == "int64"
    assert frame.to_dict("list") == {"a": ["x", None], "b": ["x", None]}
