"""Delimited text: every record is a row or is set aside with its number, or the file is refused."""

import codecs
import csv
import io
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from runtime import csv_files, csv_lines
from runtime.csv_files import CsvFiles
from runtime.errors import ConfigError, ContractError
from runtime.folders import LocalFolder
from runtime.resource import Partition

Rows = dict[int, tuple[str | None, ...]]
Rejects = dict[int, str]


class Folder:
    """A folder with one file, and what was read of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.partition = Partition(file="f.csv")
        self.batches: list[pd.DataFrame] = []

    def read(self, content: bytes | str, **options: Any) -> tuple[Rows, Rejects]:
        """The records that are whole, and what is wrong with the others, by their numbers."""
        data = content.encode() if isinstance(content, str) else content
        (self.path / "f.csv").write_bytes(data)
        self.partition = Partition(file="f.csv")
        files = CsvFiles("f.csv", options.pop("columns", ["a", "b"]), **options)
        files.inspect(LocalFolder(self.path), self.partition)
        self.batches = list(files.read(LocalFolder(self.path), self.partition))
        rows = [
            (int(number), tuple(cells))
            for batch in self.batches
            for number, *cells in batch.astype(object).where(batch.notna(), None).itertuples()
        ]
        rejects = [(reject.position, reject.rule) for reject in self.partition.rejects]
        assert len(dict(rows)) == len(rows)
        assert len(dict(rejects)) == len(rejects)
        assert not dict(rows).keys() & dict(rejects).keys()
        return dict(rows), dict(rejects)

    def refuse(self, content: bytes | str, message: str, **options: Any) -> str:
        with pytest.raises(ContractError, match=message) as refusal:
            self.read(content, **options)
        assert str(self.path / "f.csv") in str(refusal.value)
        return str(refusal.value)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_lines, "BLOCK_BYTES", 40)


def fields(count: int) -> str:
    return f"has {count} fields instead of 2"


class TestRecords:
    def test_cells_are_text_by_record_number(self, folder: Folder) -> None:
        rows, rejects = folder.read('a,b\n007,"x,y"\n 1 ,\n')
        assert rows == {1: ("007", "x,y"), 2: (" 1 ", None)}
        assert rejects == {}
        assert set(folder.batches[0].dtypes) == {pd.ArrowDtype(pa.string())}

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_line_ends(self, folder: Folder, end: str) -> None:
        content = end.join(["a,b", "1,2", "3", f'"x{end}y",4', ""])
        rows, rejects = folder.read(content)
        assert rows == {1: ("1", "2"), 3: (f"x{end}y", "4")}
        assert rejects == {2: fields(1)}
        assert folder.read(content.removesuffix(end)) == (rows, rejects)

    def test_what_only_looks_like_a_line_end_is_text(self, folder: Folder) -> None:
        odd = "x\u2028y\x0b\x0c\x85\x1a"
        assert folder.read(f"a,b\n1,{odd}\n3,4\n")[0] == {1: ("1", odd), 2: ("3", "4")}

    def test_empty_lines_are_no_records(self, folder: Folder) -> None:
        rows, rejects = folder.read("a,b\n\n1,2\n\n\n3\n4,5\n\n")
        assert (rows, rejects) == ({1: ("1", "2"), 3: ("4", "5")}, {2: fields(1)})

    def test_quotes(self, folder: Folder) -> None:
        rows, _ = folder.read('a,b\n"say ""hi""","x\ny"\n5" tall,2"x\n"",""\n')
        assert rows == {1: ('say "hi"', "x\ny"), 2: ('5" tall', '2"x'), 3: ("", "")}

    def test_other_quotes_or_none(self, folder: Folder) -> None:
        assert folder.read("a,b\n'1,2','it''s'\n", quote="'")[0] == {1: ("1,2", "it's")}
        assert folder.read('a\tb\n"x\t"2\n', delimiter="\t", quote="")[0] == {1: ('"x', '"2')}

    @pytest.mark.parametrize("delimiter", [";", "|", "\t", "\x01", "\x1f", " ", "^"])
    def test_delimiters(self, folder: Folder, delimiter: str) -> None:
        content = f'a{delimiter}b\n"1{delimiter}"{delimiter}2\n'
        assert folder.read(content, delimiter=delimiter)[0] == {1: (f"1{delimiter}", "2")}

    @pytest.mark.parametrize("mark", ["||", "é", "", "\u00a0"])
    def test_a_delimiter_is_one_ascii_character(self, mark: str) -> None:
        with pytest.raises(ConfigError, match="is not one ASCII character"):
            CsvFiles("*", [], delimiter=mark)
        if mark:
            with pytest.raises(ConfigError, match="is not one ASCII character"):
                CsvFiles("*", [], quote=mark)

    def test_null_values_count_only_without_quotes(self, folder: Folder) -> None:
        content = 'a,b\nNA,"NA"\n"",\n,NULL\n na ,NaN\n'
        rows, _ = folder.read(content, null_values=["", "NA", "NULL"])
        assert rows == {1: (None, "NA"), 2: ("", None), 3: (None, None), 4: (" na ", "NaN")}
        rows, _ = folder.read("a,b\nNA,\n", null_values=[])
        assert rows == {1: ("NA", "")}

    def test_nul_characters_are_left_to_conform(self, folder: Folder) -> None:
        assert folder.read("a,b\n1,\x00\n")[0] == {1: ("1", "\x00")}


class TestTornRecords:
    def test_they_keep_their_text_and_number(self, folder: Folder) -> None:
        rows, rejects = folder.read('a,b\n1,2\n3\n"5",6,"7"\n8,9\n')
        assert rows == {1: ("1", "2"), 4: ("8", "9")}
        assert rejects == {2: fields(1), 3: fields(3)}
        assert [reject.payload for reject in folder.partition.rejects] == ["3", '"5",6,"7"']

    @pytest.mark.parametrize("content", ["a,b\n1\n2\n", "a,b\n1\n2"])
    def test_a_file_of_nothing_else_loses_none(self, folder: Folder, content: str) -> None:
        assert folder.read(content) == ({}, {1: fields(1), 2: fields(1)})
        assert folder.batches == []

    def test_a_delimiter_at_the_end_of_each_line(self, folder: Folder) -> None:
        assert folder.read("a,b\n1,2,\n3,4,\n") == ({}, {1: fields(3), 2: fields(3)})

    @pytest.mark.usefixtures("small_blocks")
    def test_after_the_last_whole_record_of_a_long_file(self, folder: Folder) -> None:
        rows, rejects = folder.read("a,b\n" + "1,2\n" * 30 + "3\n" * 100)
        assert (len(rows), list(rejects)) == (30, list(range(31, 131)))

    def test_too_many_in_one_go_are_another_shape(
        self, folder: Folder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(csv_files, "MOST_TORN", 50)
        assert len(folder.read("a,b\n" + "1\n" * 50)[1]) == 50
        folder.refuse("a,b\n" + "1\n" * 51, "Expected 2 columns, got 1")

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        records=st.lists(
            st.lists(st.text("xy \n,\"'é", max_size=6), min_size=1, max_size=3), max_size=40
        ),
        header_row=st.integers(0, 3),
        block=st.integers(70, 400),
    )
    def test_numbers_are_right_wherever_blocks_end(
        self, folder: Folder, records: list[list[str]], header_row: int, block: int
    ) -> None:
        lines = io.StringIO()
        lines.write("above it\n" * (header_row - 1))
        writer = csv.writer(lines, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerows([["a", "b"], *records] if header_row else records)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(csv_lines, "BLOCK_BYTES", block)
            found = folder.read(lines.getvalue(), header_row=header_row)
        numbered = list(enumerate(records, start=1))
        whole = {number: tuple(cells) for number, cells in numbered if len(cells) == 2}
        torn = {number: fields(len(cells)) for number, cells in numbered if len(cells) != 2}
        assert found == (whole, torn)


class TestUnreadableFiles:
    @pytest.mark.parametrize(
        "content",
        [
            'a,b\n1,2\n3,"4\n5,6\n',
            'a,b\n1,2\n3,"4',
            'a,b\n1,2\n3,"',
            'a,b\n1,2\n3,"4""',
            'a,b\n1,2\n"3,4\n5,6\n',
            'a,b\r\n1,2\r\n3,"4\r\n5,6\r\n',
            'a,b\n1,2\n3,"é""\n5,6\n',
        ],
    )
    def test_a_quote_that_is_never_closed(self, folder: Folder, content: str) -> None:
        folder.refuse(content, "record 2: a quote is opened and never closed")

    @pytest.mark.parametrize(
        "content",
        [
            'a,b\n1,"2\n3"',
            'a,b\n1,"2\n3"\n',
            'a,b\n1,""',
            'a,b\n1,"x"""',
            'a,b\n1,""""\n',
            'a,b\n1,"\n"',
            'a,b\n1,5" tall',
            'a,b\n1,"2"  \n',
            'a,b\n"x\ny",',
            'a,b\n"x\ny"',
        ],
    )
    def test_quotes_that_are_closed(self, folder: Folder, content: str) -> None:
        folder.read(content)

    def test_a_quote_that_is_never_closed_in_other_encodings(self, folder: Folder) -> None:
        for encoding in ("utf-16", "cp1252"):
            folder.refuse('a,b\n1,"é\n3,4'.encode(encoding), "never closed", encoding=encoding)
            folder.read('a,b\n1,"é\n3"'.encode(encoding), encoding=encoding)

    @pytest.mark.usefixtures("small_blocks")
    def test_a_record_may_be_longer_than_a_block(self, folder: Folder) -> None:
        long = "x\ny" * 200
        assert folder.read(f'a,b\n1,2\n3,"{long}"\n4,5\n')[0][2] == ("3", long)

    @pytest.mark.usefixtures("small_blocks")
    def test_a_record_that_memory_has_no_room_for(
        self, folder: Folder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(csv_lines, "LARGEST_RECORD", 100)
        too_long = "record 31: a record is over"
        folder.refuse("a,b\n" + "1,2\n" * 30 + f"3,{'x' * 200}\n4,5\n", too_long)
        folder.refuse("a,b\n" + "1,2\n" * 30 + '1,"2\n' + "3,4\n" * 60, too_long)


class TestEncodings:
    @pytest.mark.parametrize(
        "encoding",
        ["utf-8", "UTF-8", "utf8", "utf-8-sig", "cp1252", "latin-1", "utf-16", "utf-16-le"],
    )
    def test_they_are_read(self, folder: Folder, encoding: str) -> None:
        content = "a,b\n1,é\n3\n".encode(encoding)
        assert folder.read(content, encoding=encoding) == ({1: ("1", "é")}, {2: fields(1)})

    @pytest.mark.parametrize("encoding", ["utf-8", "UTF-8", "utf8"])
    @pytest.mark.parametrize("header_row", [0, 1, 3])
    def test_a_byte_order_mark_is_no_text(
        self, folder: Folder, encoding: str, header_row: int
    ) -> None:
        lines = ["x", "", '"a",b'][3 - header_row :]
        content = "\ufeff" + "\n".join([*lines, "1,2", "3"])
        found = folder.read(content, encoding=encoding, header_row=header_row)
        assert found == ({1: ("1", "2")}, {2: fields(1)})

    def test_bytes_that_are_no_text_are_a_problem_of_their_record(self, folder: Folder) -> None:
        rows, rejects = folder.read(b"a,b\n1,\xff\n3\n2,3\n,\xfe\n")
        assert rows == {3: ("2", "3")}
        no_text = "is not text in this encoding"
        assert rejects == {1: no_text, 2: fields(1), 4: no_text}
        assert sorted(reject.payload for reject in folder.partition.rejects) == [
            r" \xfe",
            r"1 \xff",
            "3",
        ]

    def test_other_encodings_refuse_the_file(self, folder: Folder) -> None:
        message = folder.refuse(b"a,b\n1,\x81\n", "0x81", encoding="cp1252")
        assert "Is the encoding cp1252?" in message
        folder.refuse("a,b\n1,é\n".encode("utf-16")[:-1], "truncated data", encoding="utf-16")

    def test_an_encoding_that_does_not_exist(self, folder: Folder) -> None:
        folder.refuse("a,b\n", r"f\.csv:1: .*klingon", encoding="klingon")

    def test_a_broken_name_of_a_column_that_nobody_reads(self, folder: Folder) -> None:
        assert folder.read(b"a,\xff\n1,2\n", columns=["a"])[0] == {1: ("1", "2")}
        assert folder.batches[0].columns.tolist() == ["a", "\\xff"]


class TestDoubts:
    """F37: an encoding that is wrong is refused or reported, never read in silence."""

    TEXT = "a,b\n1,für\n2,schön\n3,déjà\n"

    def read(self, folder: Folder, data: bytes, encoding: str) -> tuple[Rows, list[Any]]:
        with capture_logs() as logs:
            rows, _ = folder.read(data, encoding=encoding)
        return rows, [entry["looks_wrong"] for entry in logs]

    @pytest.mark.parametrize("encoding", ["mac_roman", "cp1252", "latin-1", "utf-8", "utf-16"])
    def test_f37_what_is_declared_rightly_is_beyond_doubt(
        self, folder: Folder, encoding: str
    ) -> None:
        rows, doubts = self.read(folder, self.TEXT.encode(encoding), encoding)
        assert [row[1] for row in rows.values()] == ["für", "schön", "déjà"]
        assert doubts == []

    @pytest.mark.parametrize("declared", ["cp1252", "latin-1"])
    @pytest.mark.parametrize("real", ["mac_roman", "cp850", "utf-8"])
    def test_f37_letters_that_became_signs_are_reported(
        self, folder: Folder, real: str, declared: str
    ) -> None:
        data = "a,b\n1,für\n2,schön\n3,Größe\n".encode(real)
        if real == "cp850" and declared == "cp1252":
            folder.refuse(data, "0x81", encoding=declared)
            return
        _, [doubt] = self.read(folder, data, declared)
        assert doubt == ("it is valid UTF-8" if real == "utf-8" else "there are signs within words")

    @pytest.mark.parametrize("real", ["mac_roman", "cp1252", "latin-1"])
    def test_f37_other_bytes_are_no_utf_8(self, folder: Folder, real: str) -> None:
        rows, rejects = folder.read("a,b\n1,für\n2,x\n".encode(real))
        assert (rows, rejects) == ({2: ("2", "x")}, {1: "is not text in this encoding"})

    @pytest.mark.parametrize(
        "text", ["l\u2019été \u2013 déjà", "Žižek, Šašek", "12 °C", "a\xa0b…c"]
    )
    def test_f37_good_text_of_windows_is_beyond_doubt(self, folder: Folder, text: str) -> None:
        rows, doubts = self.read(folder, f'a,b\n1,"{text}"\n'.encode("cp1252"), "cp1252")
        assert (rows, doubts) == ({1: ("1", text)}, [])

    @pytest.mark.parametrize(
        ("mark", "real", "declared"),
        [
            (codecs.BOM_UTF8, "utf-8", "cp1252"),
            (codecs.BOM_UTF16_LE, "utf-16", "utf-8"),
            (codecs.BOM_UTF16_BE, "utf-16", "latin-1"),
            (codecs.BOM_UTF32_LE, "utf-32", "utf-16"),
        ],
    )
    def test_f37_the_mark_of_another_encoding_refuses_the_file(
        self, folder: Folder, mark: bytes, real: str, declared: str
    ) -> None:
        message = f"begins with the mark of {real}\n.*said to be {declared}"
        folder.refuse(mark + b"a,b\n1,2\n", message, encoding=declared)

    def test_f37_utf_16_of_either_order_with_its_mark(self, folder: Folder) -> None:
        for order in ("le", "be"):
            data = "\ufeffa,b\n1,é\n".encode(f"utf-16-{order}")
            for encoding in ("utf-16", f"utf-16-{order}"):
                assert folder.read(data, encoding=encoding)[0] == {1: ("1", "é")}


class TestHeader:
    def test_it_stands_where_it_is_said_to(self, folder: Folder) -> None:
        above = 'Report, "of" January\n\n'
        expected = ({1: ("1", "2")}, {2: fields(1)})
        assert folder.read(above + "a,b\n1,2\n3\n", header_row=3) == expected
        assert folder.read('"a"\n1\n', columns=["a"])[0] == {1: ("1",)}
        assert folder.read("1,2\n3\n", header_row=0) == expected

    def test_a_name_may_go_over_lines(self, folder: Folder) -> None:
        found = folder.read('"a\n(net)",b\n1,2\n3\n', columns=["a\n(net)"])
        assert found == ({1: ("1", "2")}, {2: fields(1)})

    def test_without_one_the_columns_come_in_order_by_their_first_names(
        self, folder: Folder
    ) -> None:
        columns = [("x", "y"), "b"]
        assert folder.read("1,2\n", header_row=0, columns=columns)[0] == {1: ("1", "2")}
        assert folder.batches[0].columns.tolist() == ["x", "b"]

    @pytest.mark.parametrize("content", ["", "\n", "\r\n\r\n", "\ufeff"])
    @pytest.mark.parametrize("header_row", [0, 1, 3])
    def test_an_empty_file_lacks_nothing(
        self, folder: Folder, content: str, header_row: int
    ) -> None:
        assert folder.read(content, header_row=header_row) == ({}, {})

    @pytest.mark.parametrize("content", ["a,b", "a,b\n", "a,b\n\n\n", "\ufeffa,b"])
    def test_a_header_alone_has_no_records(self, folder: Folder, content: str) -> None:
        assert folder.read(content) == ({}, {})

    @pytest.mark.parametrize(("content", "row"), [("\n\na,b\n1,2\n", 1), ("a,b\n1,2\n", 5)])
    def test_records_without_one_are_not_passed_over(
        self, folder: Folder, content: str, row: int
    ) -> None:
        folder.refuse(content, rf"f\.csv:{row}: there is no header", header_row=row)

    def test_a_missing_column(self, folder: Folder) -> None:
        message = folder.refuse(
            "t\nemial,b\n", r"f\.csv:2: .* no column 'email'", columns=["email"], header_row=2
        )
        assert "did you mean 'emial'?" in message
        message = folder.refuse("x,y\n", "no column 'email' or 'mail'", columns=[("email", "mail")])
        assert "columns: x, y" in message

    def test_one_of_several_names(self, folder: Folder) -> None:
        columns = [("x", "y"), "b"]
        folder.read("y,b\n2,3\n", columns=columns)
        assert folder.batches[0].columns.tolist() == ["y", "b"]
        folder.refuse("x,b,y\n1,2,3\n", "more than one column is 'x' or 'y'", columns=columns)

    def test_a_repeated_name(self, folder: Folder) -> None:
        folder.refuse("a,b,a\n1,2,3\n", "more than one column is 'a'")
        folder.read("a,b,c,,c,c.2,\n1,2,3,4,5,6,7\n", columns=["a", "b", "c.2"])
        (batch,) = folder.batches
        assert batch.iloc[0].to_dict() == {
            **{"a": "1", "b": "2", "c": "3", "": "4", "c.3": "5", "c.2": "6", ".2": "7"}
        }

    def test_f37_a_second_header_is_no_record(self, folder: Folder) -> None:
        rows, rejects = folder.read("a,b\n1,2\na,b\na,x\n,\n3,4\n")
        assert rows == {1: ("1", "2"), 3: ("a", "x"), 4: (None, None), 5: ("3", "4")}
        assert rejects == {2: "is the header again"}
        assert folder.read("a,b\n", header_row=0)[0] == {1: ("a", "b")}
        assert folder.read("a\na\n", columns=["a"])[0] == {1: ("a",)}

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(st.sampled_from(["c", "c.2", "c.3", "", ".2"]), min_size=1, max_size=8))
    def test_every_column_is_kept_and_a_single_name_is_its_own(
        self, folder: Folder, names: list[str]
    ) -> None:
        header = ",".join(f'"{name}"' for name in names)
        cells = [str(number) for number in range(len(names))]
        folder.read(f"{header}\n{','.join(cells)}\n", columns=[])
        read = folder.batches[0].iloc[0].to_dict()
        assert list(read.values()) == cells
        for name in names:
            assert read[name] == str(names.index(name))


GROWTH = """
import resource, sys
from pathlib import Path
from runtime import csv_files, csv_lines
from runtime.folders import LocalFolder
from runtime.resource import Partition
csv_files.BLOCK_BYTES = 1 << 19  # so that what Arrow reads ahead is little beside either file
folder, name = Path(sys.argv[1]), sys.argv[2]
batches = csv_files.CsvFiles(name, ["c0"]).read(LocalFolder(folder), Partition(file=name))
rows = sum(map(len, batches))
print(rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    def peak(megabytes: int) -> int:
        name = f"{megabytes}.csv"
        line = ",".join(["some text", "123456.78", "2026-01-31T10:00:00"] * 3) + "\n"
        header = ",".join(f"c{number}" for number in range(9)) + "\n"
        lines = megabytes * 1_000_000 // len(line)
        with (tmp_path / name).open("w") as file:
            file.write(header)
            file.writelines(line for _ in range(lines))
        path = ":".join(entry for entry in sys.path if entry)
        done = subprocess.run(
            [sys.executable, "-c", GROWTH, str(tmp_path), name],
            env={"PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=True,
        )
        rows, kilobytes = map(int, re.findall(r"\d+", done.stdout))
        assert rows == lines
        return kilobytes

    assert peak(100) < 1.2 * peak(25)
