from pathlib import Path

import pytest

from etlgen.errors import InternalError, Refused
from etlgen.rendered import RenderedFile
from etlgen.workspace.compare import Verb, compare


def file(path: str, text: str = "text\n", template: str = "t.jinja") -> RenderedFile:
    return RenderedFile(path, text, "etlgen", template)


def test_what_is_not_there_is_created_in_the_order_of_paths(tmp_path: Path) -> None:
    changes = compare([file("b/c.py"), file("a.py")], tmp_path / "new").changes
    assert [(c.path, c.verb, c.before, c.after, c.unit) for c in changes] == [
        ("a.py", Verb.CREATE, None, "text\n", "etlgen"),
        ("b/c.py", Verb.CREATE, None, "text\n", "etlgen"),
    ]


def test_the_same_bytes_are_unchanged(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"text\n")
    changes = compare([file("a.py"), file("b.py")], tmp_path)
    assert [change.path for change in changes.of(Verb.UNCHANGED)] == ["a.py"]
    assert [change.path for change in changes.of(Verb.CREATE)] == ["b.py"]


@pytest.mark.parametrize("content", [b"other\n", b"text\r\n", b"\xff\xfe", b""])
def test_a_file_of_somebody_else_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.py").write_bytes(content)
    with pytest.raises(Refused) as caught:
        compare([file("a.py")], tmp_path)
    assert caught.value.findings[0].file == str(tmp_path / "a.py")
    assert (tmp_path / "a.py").read_bytes() == content


def test_every_occupied_path_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").write_text("a file where a folder should be")
    with pytest.raises(Refused) as caught:
        compare([file("a"), file("b/c.py")], tmp_path)
    assert [finding.file for finding in caught.value.findings] == [
        str(tmp_path / "a"),
        str(tmp_path / "b/c.py"),
    ]


@pytest.mark.parametrize("other", ["a.py", "A.py"])
def test_two_templates_on_one_path_are_a_fault(tmp_path: Path, other: str) -> None:
    with pytest.raises(InternalError, match=r"one\.jinja and two\.jinja"):
        compare([file("a.py", template="one.jinja"), file(other, template="two.jinja")], tmp_path)
