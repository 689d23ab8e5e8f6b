"""Compressed text: unpacked as a stream, and what is damaged is refused by name."""

import io
import zipfile
from pathlib import Path

import pytest

from runtime.compressed import members
from runtime.csv_files import CsvFiles
from runtime.errors import ContractError
from runtime.folders import LocalFolder
from runtime.json_files import JsonArray, JsonLines
from runtime.resource import Window
from runtime.sample_files import PACKERS

SUFFIXES = {"gzip": ".gz", "bz2": ".bz2", "xz": ".xz", "zstd": ".zst", "none": ""}
ROWS = 5_000
CSV = b"a,b\n" + b"".join(b"%d,x%d\n" % (n, n) for n in range(ROWS))


def numbers(files: CsvFiles | JsonLines | JsonArray, path: Path) -> list[int]:
    folder = LocalFolder(path)
    [partition] = files.partitions(folder, Window())
    return [int(text) for batch in files.read(folder, partition) for text in batch["a"]]


@pytest.mark.parametrize("compression", SUFFIXES)
def test_the_suffix_says_how(compression: str, tmp_path: Path) -> None:
    name = f"f.csv{SUFFIXES[compression]}"
    (tmp_path / name).write_bytes(PACKERS[compression](CSV))
    assert numbers(CsvFiles("f.csv*", ["a", "b"]), tmp_path) == list(range(ROWS))


@pytest.mark.parametrize("compression", SUFFIXES)
def test_the_resource_overrides_it(compression: str, tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_bytes(PACKERS[compression](CSV))
    files = CsvFiles("f.csv", ["a", "b"], compression=compression)
    assert numbers(files, tmp_path) == list(range(ROWS))


@pytest.mark.parametrize("compression", ["gzip", "bz2", "xz", "zstd"])
def test_two_archives_in_a_row_are_one(compression: str, tmp_path: Path) -> None:
    half = CSV.index(b"\n", len(CSV) // 2) + 1
    pack = PACKERS[compression]
    (tmp_path / f"f.csv{SUFFIXES[compression]}").write_bytes(pack(CSV[:half]) + pack(CSV[half:]))
    assert numbers(CsvFiles("f.csv*", ["a", "b"]), tmp_path) == list(range(ROWS))


@pytest.mark.parametrize("compression", ["gzip", "bz2", "xz", "zstd"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_archive_is_refused_by_name(
    compression: str, share: float, tmp_path: Path
) -> None:
    file = tmp_path / f"f.csv{SUFFIXES[compression]}"
    packed = PACKERS[compression](CSV)
    file.write_bytes(packed[: int(len(packed) * share)])
    with pytest.raises(ContractError, match=r"f\.csv\.\w+: the archive is damaged or cut off"):
        numbers(CsvFiles("f.csv*", ["a", "b"]), tmp_path)


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zst", ".zip"])
def test_what_is_no_archive_is_refused_by_name(suffix: str, tmp_path: Path) -> None:
    (tmp_path / f"f.csv{suffix}").write_bytes(CSV)
    with pytest.raises(ContractError, match=r"f\.csv\.\w+: the archive is damaged or cut off"):
        numbers(CsvFiles("f.csv*", ["a", "b"]), tmp_path)


@pytest.mark.parametrize("compression", SUFFIXES)
def test_an_archive_of_nothing_has_no_records(compression: str, tmp_path: Path) -> None:
    (tmp_path / f"f.csv{SUFFIXES[compression]}").write_bytes(PACKERS[compression](b""))
    assert numbers(CsvFiles("f.csv*", ["a", "b"]), tmp_path) == []


def test_json_is_unpacked_too(tmp_path: Path) -> None:
    (tmp_path / "f.jsonl.gz").write_bytes(PACKERS["gzip"](b'\xef\xbb\xbf{"a": 1}\n{"a": 2}\n'))
    (tmp_path / "f.json.xz").write_bytes(PACKERS["xz"](b'[{"a": 3}]'))
    assert numbers(JsonLines("f.jsonl.gz", ["a"]), tmp_path) == [1, 2]
    assert numbers(JsonArray("f.json.xz", ["a"]), tmp_path) == [3]


def zipped(path: Path, **files: bytes) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)


def test_each_matching_member_is_a_partition(tmp_path: Path) -> None:
    zipped(tmp_path / "f.zip", **{"b.csv": b"a\n2\n", "a.csv": b"a\n1\n", "readme.txt": b"-"})
    folder, files = LocalFolder(tmp_path), CsvFiles("f.zip", ["a"], member="*.csv")
    parts = files.partitions(folder, Window())
    assert [part.file for part in parts] == ["f.zip/a.csv", "f.zip/b.csv"]
    read = [[*batch["a"]] for part in parts for batch in files.read(folder, part)]
    assert read == [["1"], ["2"]]


def test_a_member_that_is_not_there_is_said_with_those_that_are() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("orders.csv", "")
    with pytest.raises(ContractError, match=r"f\.zip: no file .*'\*\.json'\n  files: orders\.csv"):
        members(io.BufferedReader(io.BytesIO(packed.getvalue())), "f.zip", "*.json")  # type: ignore[arg-type]


def test_a_damaged_member_is_refused(tmp_path: Path) -> None:
    zipped(tmp_path / "f.zip", **{"a.csv": CSV})
    data = bytearray((tmp_path / "f.zip").read_bytes())
    data[2000] ^= 0xFF
    (tmp_path / "f.zip").write_bytes(data)
    with pytest.raises(ContractError, match=r"f\.zip: the archive is damaged"):
        numbers(CsvFiles("f.zip", ["a", "b"]), tmp_path)
