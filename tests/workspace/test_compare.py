"""A verb for every path: each row of the table, and what is refused."""

from pathlib import Path

import pytest

from etlgen.errors import InternalError, Refused
from etlgen.rendered import RenderedFile
from etlgen.workspace.changes import Change, ChangeSet, Verb
from etlgen.workspace.compare import Wanted, compare
from etlgen.workspace.entries import Unit
from etlgen.workspace.state import read_state
from etlgen.workspace.writing.apply import apply

UNIT = Unit("etlgen", "0.2.0", "26.1", "input")
NEXT = Unit("etlgen", "0.3.0", "26.1", "input")
OLD = "one\ntwo\nthree\nfour\nfive\n"
NEW = OLD.replace("five", "FIVE")
EDITED = OLD.replace("one", "ONE")
BOTH = EDITED.replace("five", "FIVE")
OVERLAP = OLD.replace("five", "cinq")


def file(text: str, path: str = "a.txt", template: str = "a.jinja") -> RenderedFile:
    return RenderedFile(path, text, "etlgen", template)


def wanted(*files: RenderedFile, unit: Unit = NEXT) -> list[Wanted]:
    return [Wanted(unit, files)]


def compared(root: Path, *files: RenderedFile, force: bool = False) -> ChangeSet:
    return compare(read_state(root), wanted(*files), force=force)


def tree(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def only(changes: ChangeSet) -> Change:
    (change,) = changes.changes
    return change


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project of one generated file."""
    (tmp_path / ".etlgen").mkdir()
    apply(compare(read_state(tmp_path), wanted(file(OLD), unit=UNIT)), tmp_path)
    return tmp_path


def test_what_is_not_there_is_created_in_the_order_of_paths(tmp_path: Path) -> None:
    changes = compared(tmp_path, file("b", "b/c.py", "b"), file("a", "a.py", "a")).changes
    assert [(c.path, c.verb, c.before, c.after, c.unit) for c in changes] == [
        ("a.py", Verb.CREATE, None, "a", "etlgen"),
        ("b/c.py", Verb.CREATE, None, "b", "etlgen"),
    ]


@pytest.mark.parametrize(
    ("mine", "new", "verb", "after"),
    [
        (OLD, OLD, Verb.UNCHANGED, OLD),
        (OLD, NEW, Verb.UPDATE, NEW),
        (NEW, NEW, Verb.ADOPT, NEW),
        (EDITED, OLD, Verb.KEEP, EDITED),
        (EDITED, NEW, Verb.MERGE, BOTH),
        (BOTH, NEW, Verb.KEEP, BOTH),
        (None, OLD, Verb.KEEP_DELETED, None),
        (None, NEW, Verb.KEEP_DELETED, None),
        (OLD, None, Verb.DELETE, None),
    ],
)
def test_three_texts_decide(
    root: Path, mine: str | None, new: str | None, verb: Verb, after: str | None
) -> None:
    place = root / "a.txt"
    place.unlink() if mine is None else place.write_text(mine)
    changes = compared(root, *([] if new is None else [file(new)]))
    assert (only(changes).verb, only(changes).after) == (verb, after)
    apply(changes, root)
    assert (place.read_text() if place.exists() else None) == after
    again = compared(root, *([] if new is None else [file(new)]))
    settled = {Verb.KEEP, Verb.UNCHANGED, Verb.KEEP_DELETED}
    assert {change.verb for change in again.changes} <= settled
    assert not again.writes


def test_an_overlap_is_a_conflict_until_it_is_resolved(root: Path) -> None:
    place = root / "a.txt"
    place.write_text(OVERLAP)
    first = compared(root, file(NEW))
    assert only(first).verb is Verb.CONFLICT
    apply(first, root)
    marked = place.read_text()
    assert "cinq" in marked
    assert "FIVE" in marked
    again = compared(root, file(NEW))  # the markers are still there
    assert (only(again).verb, again.writes) == (Verb.CONFLICT, False)
    newer = compared(root, file(NEW.replace("two", "TWO")))  # and nothing is merged into them
    assert (only(newer).verb, only(newer).after) == (Verb.CONFLICT, marked)
    place.write_text(OVERLAP)  # checked out as it was
    assert only(compared(root, file(NEW))).verb is Verb.CONFLICT
    assert only(compared(root, file(NEW))).after == marked
    place.write_text(OVERLAP.replace("cinq", "cinq FIVE"))
    resolved = compared(root, file(NEW))
    assert only(resolved).verb is Verb.KEEP
    apply(resolved, root)
    assert not compared(root, file(NEW)).writes
    assert not (root / ".etlgen/pending/etlgen/a.txt.new").exists()


def test_a_conflict_that_nothing_was_generated_for_since_stays_one(root: Path) -> None:
    (root / "a.txt").write_text(OVERLAP)
    apply(compared(root, file(NEW)), root)
    as_it_was = [Wanted(NEXT, None)]
    assert only(compare(read_state(root), as_it_was)).verb is Verb.CONFLICT
    (root / "a.txt").write_text(OVERLAP)
    assert only(compare(read_state(root), as_it_was)).verb is Verb.CONFLICT
    (root / "a.txt").write_text("mine\n")
    assert only(compare(read_state(root), as_it_was)).verb is Verb.KEEP


@pytest.mark.parametrize(
    ("raw", "after"),
    [
        (OLD.replace("\n", "\r\n"), NEW.replace("\n", "\r\n")),
        (OLD.removesuffix("\n"), NEW.removesuffix("\n")),
        (f"\ufeff{OLD}", f"\ufeff{NEW}"),
        (EDITED.replace("\n", "\r\n"), BOTH.replace("\n", "\r\n")),
        (EDITED.removesuffix("\n"), BOTH.removesuffix("\n")),
    ],
)
def test_the_form_of_a_file_is_kept_and_no_edit(root: Path, raw: str, after: str) -> None:
    (root / "a.txt").write_bytes(raw.encode())
    same = compared(root, file(OLD))
    assert only(same).before == only(same).after == raw
    apply(compared(root, file(NEW)), root)
    assert (root / "a.txt").read_bytes() == after.encode()


@pytest.mark.parametrize("content", [b"other\n", b"\xff\xfe", b""])
def test_a_file_of_somebody_else_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(Refused, match=r"a\.txt: is there already, and etlgen did not write it"):
        compared(tmp_path, file("text\n"))
    assert (tmp_path / "a.txt").read_bytes() == content


def test_the_same_file_of_somebody_else_is_adopted(tmp_path: Path) -> None:
    (tmp_path / ".etlgen").mkdir()
    (tmp_path / "a.txt").write_bytes(b"text\r\n")
    changes = compared(tmp_path, file("text\n"))
    assert only(changes).verb is Verb.ADOPT
    apply(changes, tmp_path)
    assert (tmp_path / "a.txt").read_bytes() == b"text\r\n"
    assert only(compared(tmp_path, file("text\n"))).verb is Verb.UNCHANGED


def test_every_occupied_path_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").write_text("mine")
    with pytest.raises(Refused) as caught:
        compared(tmp_path, file("", "a", "a"), file("", "b", "b"))
    assert [finding.file for finding in caught.value.findings] == ["a", "b"]


@pytest.mark.parametrize("other", ["a.py", "A.py"])
def test_two_templates_on_one_path_are_a_fault(tmp_path: Path, other: str) -> None:
    with pytest.raises(InternalError, match=r"one\.jinja and two\.jinja"):
        compared(tmp_path, file("", "a.py", "one.jinja"), file("", other, "two.jinja"))


@pytest.mark.parametrize("mine", ["A.txt", "Sub/b.txt"])
def test_a_name_that_some_disks_take_for_another_is_refused(tmp_path: Path, mine: str) -> None:
    (tmp_path / mine).parent.mkdir(exist_ok=True)
    (tmp_path / mine).write_text("mine")
    with pytest.raises(Refused, match="would be the same file on Windows and macOS"):
        compared(tmp_path, file("", "a.txt", "a"), file("", "sub/b.txt", "b"))


def test_a_template_that_is_gone_leaves_an_edited_file_to_the_team(root: Path) -> None:
    (root / "a.txt").write_text(EDITED)
    changes = compared(root, file("", "b.txt", "b.jinja"))
    assert [(c.path, c.verb, c.unit) for c in changes.changes] == [
        ("a.txt", Verb.KEEP, None),
        ("b.txt", Verb.CREATE, "etlgen"),
    ]
    apply(changes, root)
    assert (root / "a.txt").read_text() == EDITED
    assert [e.path for _, e in read_state(root).entries()] == ["b.txt"]


def test_a_unit_that_is_gone_takes_edited_files_only_by_force(root: Path) -> None:
    (root / "a.txt").write_text(EDITED)
    with pytest.raises(Refused, match=r"a\.txt: was edited by hand"):
        compare(read_state(root), [], ["etlgen"])
    apply(compare(read_state(root), [], ["etlgen"], force=True), root)
    assert tree(root) == {}


@pytest.fixture(params=[OLD, EDITED], ids=["as generated", "edited"])
def mine(request: pytest.FixtureRequest, root: Path) -> str:
    (root / "a.txt").write_text(request.param)
    return request.param


def test_a_file_that_is_generated_elsewhere_moves(root: Path, mine: str) -> None:
    changes = compared(root, file(NEW, "b/c.txt"))
    change = only(changes)
    assert (change.path, change.origin, change.verb) == ("b/c.txt", "a.txt", Verb.MOVE)
    apply(changes, root)
    assert not (root / "a.txt").exists()
    assert (root / "b/c.txt").read_text() == (NEW if mine == OLD else BOTH)
    assert not compared(root, file(NEW, "b/c.txt")).writes


def test_a_file_that_the_team_moved_to_where_it_goes_is_found(root: Path, mine: str) -> None:
    (root / "a.txt").rename(root / "c.txt")
    changes = compared(root, file(NEW, "c.txt"))
    assert (only(changes).path, only(changes).origin) == ("c.txt", None)
    apply(changes, root)
    assert (root / "c.txt").read_text() == (NEW if mine == OLD else BOTH)


def test_a_file_does_not_move_onto_one_of_the_team(root: Path) -> None:
    (root / "c.txt").write_text("mine")
    with pytest.raises(Refused, match=r"c\.txt: is there already"):
        compared(root, file(NEW, "c.txt"))


@pytest.mark.parametrize("text", ["other\n", None])
def test_an_altered_base_is_refused_before_it_misleads(root: Path, text: str | None) -> None:
    base = root / ".etlgen/base/etlgen/a.txt.base"
    header = base.read_text().split("\n")[0]
    base.write_text("" if text is None else f"{header}\n{text}")
    with pytest.raises(Refused, match=r"a\.txt\.base"):
        compared(root, file(NEW))
