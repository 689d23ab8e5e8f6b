"""JSON Lines and arrays: every record is a row or is set aside, or the file is refused."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime import json_files
from runtime.errors import ContractError
from runtime.folders import LocalFolder
from runtime.json_files import JsonArray, JsonFiles, JsonLines
from runtime.resource import Partition

SUITE = Path(__file__).parents[3] / "shared/data/JSONTestSuite/test_parsing"
NO_OBJECT = "is not a JSON object"

Rows = dict[int, dict[str, str | None]]
Rejects = dict[int, str]


class Folder:
    """A folder with one file, and what was read of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.batches: list[pd.DataFrame] = []
        self.partition = Partition(file="f.json")

    def read(
        self, kind: type[JsonFiles], content: bytes | str, **options: Any
    ) -> tuple[Rows, Rejects]:
        """The records that are objects, and what is wrong with the others, by their numbers."""
        data = content.encode() if isinstance(content, str) else content
        (self.path / "f.json").write_bytes(data)
        self.partition = Partition(file="f.json")
        files = kind("f.json", options.pop("columns", []), **options)
        files.inspect(LocalFolder(self.path), self.partition)
        self.batches = list(files.read(LocalFolder(self.path), self.partition))
        rows: Rows = {}
        for batch in self.batches:
            assert set(batch.dtypes) <= {pd.ArrowDtype(pa.string())}
            cells = batch.astype(object).where(batch.notna(), None).to_dict("records")
            rows |= dict(zip(batch.index.tolist(), cells, strict=True))
        rejects = {reject.position: reject.rule for reject in self.partition.rejects}
        return rows, rejects

    def lines(self, content: bytes | str, **options: Any) -> tuple[Rows, Rejects]:
        return self.read(JsonLines, content, **options)

    def array(self, content: bytes | str, **options: Any) -> tuple[Rows, Rejects]:
        return self.read(JsonArray, content, **options)

    def refuse(self, content: bytes | str, message: str) -> None:
        with pytest.raises(ContractError, match=message) as refusal:
            self.array(content)
        assert str(self.path / "f.json") in str(refusal.value)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


class TestCells:
    @pytest.mark.parametrize(
        ("written", "cell"),
        [
            ("1.10", "1.10"),
            ("9" * 400, "9" * 400),
            ("-0.00", "-0.00"),
            ("1E+5", "1E+5"),
            ("true", "true"),
            ("null", None),
            ('"null"', "null"),
            ('""', ""),
            (r'"q\"\\\/\n\u00e9\ud83d\ude00"', 'q"\\/\né😀'),
            ('[1.50, {"x":  "]}"}]', '[1.50, {"x":  "]}"}]'),
            ("{}", "{}"),
            ('"\\u0000"', "\x00"),
        ],
    )
    def test_they_are_text_with_each_character(
        self, folder: Folder, written: str, cell: str | None
    ) -> None:
        for kind, content in (
            (JsonLines, f'{{"a": {written} }}'),
            (JsonArray, f'[{{"a":{written}}}]'),
        ):
            assert folder.read(kind, content) == ({1: {"a": cell}}, {})

    def test_documents_stay_json(self, folder: Folder) -> None:
        content = '{"a": "x", "b": "x"}\n{"a": null, "b": 1}\n'
        rows, _ = folder.lines(content, documents=["a"])
        assert rows == {1: {"a": '"x"', "b": "x"}, 2: {"a": None, "b": "1"}}

    def test_keys_that_an_object_lacks_are_null(self, folder: Folder) -> None:
        rows, _ = folder.lines('{"a":1}\n{"b":2}\n', columns=["a", "c", ("d", "b"), ("e", "f")])
        nothing = {"c": None, "e": None}
        assert rows == {1: {"a": "1", "b": None, **nothing}, 2: {"a": None, "b": "2", **nothing}}

    def test_the_last_of_two_equal_keys_counts(self, folder: Folder) -> None:
        assert folder.lines('{"a":1,"a":2}')[0] == {1: {"a": "2"}}

    def test_odd_keys(self, folder: Folder) -> None:
        rows, _ = folder.lines(json.dumps({"": 1, "ü\n": 2, 'q"': 3}))
        assert rows == {1: {"": "1", "ü\n": "2", 'q"': "3"}}


class TestRecords:
    @pytest.mark.parametrize(
        "record", ["1", '"x"', "null", "[1]", "{oops}", '{"a":01}', '{"a":1}}']
    )
    def test_lines_that_are_no_objects_are_set_aside(self, folder: Folder, record: str) -> None:
        rows, rejects = folder.lines(f'{{"a":1}}\n\n{record}\n  \n{{"a":2}}')
        assert rows == {1: {"a": "1"}, 5: {"a": "2"}}
        assert rejects == {3: NO_OBJECT}
        assert folder.partition.rejects[0].payload == record

    @pytest.mark.parametrize("bad", [b'{"a":"\xff"}', b'{"a":"\\ud800"}', b'{"\\ud800":1}', b"[1]"])
    def test_elements_that_are_no_objects_of_text_are_set_aside(
        self, folder: Folder, bad: bytes
    ) -> None:
        rows, rejects = folder.array(b'[{"a":1},' + bad + b',{"a":2}]')
        assert rows == {1: {"a": "1"}, 3: {"a": "2"}}
        assert rejects == {2: NO_OBJECT}
        expected = bad.decode(errors="backslashreplace")
        assert folder.partition.rejects[0].payload == expected

    def test_deep_nesting_is_a_problem_of_its_record(self, folder: Folder) -> None:
        deep = '{"a":' + "[" * 5000 + "]" * 5000 + "}"
        assert folder.lines(f'{deep}\n{{"a":1}}') == ({2: {"a": "1"}}, {1: NO_OBJECT})
        assert folder.array(f'[{deep},{{"a":1}}]') == ({2: {"a": "1"}}, {1: NO_OBJECT})

    @pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
    def test_a_byte_order_mark_is_no_text(self, folder: Folder, mark: bytes) -> None:
        assert folder.lines(mark + b'{"a":1}')[0] == {1: {"a": "1"}}
        assert folder.array(mark + b'[{"a":1}]')[0] == {1: {"a": "1"}}

    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    def test_line_ends(self, folder: Folder, end: str) -> None:
        rows, _ = folder.lines(f'{{"a":1}}{end}{{"a":2}}{end}')
        assert rows == {1: {"a": "1"}, 2: {"a": "2"}}

    def test_no_records(self, folder: Folder) -> None:
        assert folder.lines("") == ({}, {})
        assert folder.lines("\n \n", columns=["a"]) == ({}, {})
        assert folder.array(" [ ] \n") == ({}, {})

    def test_batches_are_bounded_in_records_and_bytes(
        self, folder: Folder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(json_files, "BATCH_RECORDS", 3)
        monkeypatch.setattr(json_files, "BATCH_BYTES", 100)
        long = json.dumps({"a": "x" * 100})
        folder.lines("\n".join(['{"a":1}'] * 7 + [long, long, '{"a":1}']))
        assert [len(batch) for batch in folder.batches] == [3, 3, 2, 1, 1]
        assert folder.batches[-1].index.tolist() == [10]

    def test_a_record_without_end_is_refused_before_it_fills_the_memory(
        self, folder: Folder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(json_files, "LARGEST_RECORD", 200)
        monkeypatch.setattr(json_files, "CHUNK_BYTES", 64)
        long = json.dumps({"a": "x" * 300})
        folder.refuse(f'[{{"a":1}},{long}]', "after record 1: a record is over")
        folder.refuse("[" + " " * 1000, "a record is over")
        with pytest.raises(ContractError, match="after record 1: a record is over"):
            folder.lines(f'{{"a":1}}\n{long}\n')
        assert len(folder.array("[" + ",".join(['{"a":1}'] * 500) + "]")[0]) == 500


class TestArrays:
    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("", "doesn't end where the file ends"),
            ("[", "doesn't end where the file ends"),
            ('[{"a":1}', "after record 1: the array doesn't end"),
            ('[{"a":1', "after record 0: the array doesn't end"),
            ('[{"a":"x', "doesn't end where the file ends"),
            ('[{"a":1}] x', "doesn't end where the file ends"),
            ('[{"a":1}] [', "can't go on with"),
            ('[{"a":1}]]', "doesn't end where the file ends"),
            ('{"a":1}', "can't go on with '{'"),
            ('[1,{"a":1}]', "can't go on with '1,{'"),
            ('[{"a":1},2]', "can't go on with"),
            ('[{"a":1},]', "can't go on with ',]'"),
            ('[{"a":1}{"a":2}]', "can't go on with '{'"),
            ('[,{"a":1}]', "can't go on with ',{'"),
            ('[{"a":1},,{"a":2}]', "can't go on with ',,{'"),
            ("]", "doesn't end where the file ends"),
            ("null", "doesn't end where the file ends"),
            ("[" * 5000, "doesn't end where the file ends"),
        ],
    )
    @pytest.mark.parametrize("chunk", [1, 3, 1 << 20])
    def test_malformed_files_are_refused(
        self,
        folder: Folder,
        monkeypatch: pytest.MonkeyPatch,
        content: str,
        message: str,
        chunk: int,
    ) -> None:
        monkeypatch.setattr(json_files, "CHUNK_BYTES", chunk)
        folder.refuse(content, message)

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        records=st.lists(
            st.dictionaries(
                st.text('ab"\\é', max_size=3),
                st.recursive(
                    st.none() | st.booleans() | st.integers() | st.text('x"\\/[]{},:é\n😀'),
                    lambda inner: st.lists(inner, max_size=3)
                    | st.dictionaries(st.text('k"}', max_size=2), inner, max_size=3),
                    max_leaves=6,
                ),
                max_size=3,
            ),
            max_size=6,
        ),
        chunk=st.integers(1, 60),
        indent=st.sampled_from([None, 1]),
        ascii_only=st.booleans(),
    )
    def test_the_same_records_wherever_chunks_end(
        self,
        folder: Folder,
        records: list[dict[str, Any]],
        chunk: int,
        indent: int | None,
        ascii_only: bool,
    ) -> None:
        def cell(value: Any) -> str | None:
            return value if isinstance(value, str | None) else json.dumps(value)

        content = json.dumps(records, indent=indent, ensure_ascii=ascii_only)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(json_files, "CHUNK_BYTES", chunk)
            rows, rejects = folder.array(content)
        assert rejects == {}
        assert list(rows) == list(range(1, len(records) + 1))
        for record, row in zip(records, rows.values(), strict=True):
            assert {name for name, found in row.items() if found is not None} == {
                name for name, value in record.items() if value is not None
            }
            for name, value in record.items():
                found = row[name]
                if isinstance(value, str | None):
                    assert found == value
                else:
                    assert found is not None
                    assert json.loads(found) == value

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(content=st.text('[]{}",:\\ a1', max_size=30), chunk=st.integers(1, 9))
    def test_whatever_stands_in_a_file_it_is_read_or_refused(
        self, folder: Folder, content: str, chunk: int
    ) -> None:
        def outcome(size: int) -> Any:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(json_files, "CHUNK_BYTES", size)
                try:
                    return folder.array(content)
                except ContractError as error:
                    return str(error)

        found = outcome(chunk)
        assert found == outcome(1 << 20)
        try:
            document = json.loads(content)
        except ValueError:
            return
        if isinstance(document, list) and all(isinstance(item, dict) for item in document):
            assert len(found[0]) == len(document)


@pytest.mark.skipif(not SUITE.is_dir(), reason=f"there is no {SUITE}")
@pytest.mark.parametrize("kind", [JsonLines, JsonArray])
@pytest.mark.parametrize("file", sorted(SUITE.glob("*.json")), ids=lambda file: file.stem)
def test_the_json_test_suite(folder: Folder, kind: type[JsonFiles], file: Path) -> None:
    """As a file, it is read or refused; as the value of a record, it is valid or is set aside."""
    content = file.read_bytes()
    try:
        rows, _ = folder.read(kind, content)
    except ContractError:
        rows = {}
    if kind is JsonArray and rows:
        assert len(rows) <= len(json.loads(content.decode(errors="replace"), strict=False))
    if b"\n" in content or b"\r" in content or len(content) > 10_000:
        return
    rows, rejects = folder.lines(b'{"a":' + content + b"}\n")
    if file.name.startswith("y_"):
        assert (list(rows), rejects) == ([1], {})
    if file.name.startswith("n_"):
        assert (rows, rejects) == ({}, {1: NO_OBJECT})
