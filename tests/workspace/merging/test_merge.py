import os
import subprocess
import sys
from pathlib import Path

import pytest

from etlgen.errors import InternalError, Refused
from etlgen.workspace.merging.markers import chosen, conflict_id, is_unresolved
from etlgen.workspace.merging.merge import Merged, merged
from etlgen.workspace.merging.sense import Trouble

BASE = "one\ntwo\nthree\nfour\nfive\n"
MINE = BASE.replace("two", "two of the team")
THEIRS = BASE.replace("two", "two generated")
ID = conflict_id(MINE, THEIRS)
CONFLICT = f"""\
one
<<<<<<< yours (etlgen {ID})
two of the team
||||||| as last generated (etlgen {ID})
two
=======
two generated
>>>>>>> newly generated (etlgen {ID})
three
four
five
"""


def conflict(mine: str, base: str, theirs: str, path: str = "a.txt") -> tuple[Merged, str]:
    result = merged(path, mine, base, theirs)
    assert result.is_conflict
    return result, conflict_id(mine, theirs)


def both(result: Merged, id: str) -> tuple[str, str]:
    return chosen(result.text, id, "mine"), chosen(result.text, id, "new")


def stub(folder: Path, script: str) -> str:
    """A folder for PATH with nothing in it but a `git` of our own."""
    folder.mkdir()
    (folder / "git").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "git").chmod(0o755)
    return str(folder)


@pytest.mark.parametrize(
    ("mine", "theirs", "expected"),
    [
        (BASE, BASE, BASE),
        (MINE, BASE, MINE),
        (BASE, THEIRS, THEIRS),
        (MINE, MINE, MINE),
        ("", BASE, ""),
        (BASE, "", ""),
    ],
)
def test_an_edit_of_one_side_needs_no_git(
    mine: str, theirs: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    assert merged("a.txt", mine, BASE, theirs) == Merged(expected, False, ())


def test_edits_apart_from_each_other_are_both_there() -> None:
    result = merged("a.txt", f"zero\n{BASE}", BASE, f"{BASE}six\n")
    assert result == Merged(f"zero\n{BASE}six\n", False, ())


def test_the_same_edit_on_both_sides_is_there_once() -> None:
    result = merged("a.txt", f"zero\n{MINE}", BASE, f"{MINE}six\n")
    assert result == Merged(f"zero\n{MINE}six\n", False, ())


def test_a_deletion_stays_one() -> None:
    result = merged("a.txt", BASE.replace("one\n", ""), BASE, f"{BASE}six\n")
    assert result.text == "two\nthree\nfour\nfive\nsix\n"


def test_an_overlap_is_a_conflict_with_all_three_texts_and_its_name() -> None:
    assert merged("a.txt", MINE, BASE, THEIRS) == Merged(CONFLICT, True, ("1 overlapping edit",))


def test_edits_of_neighbouring_lines_overlap() -> None:
    conflict(MINE, BASE, BASE.replace("three", "three generated"))


def test_every_overlap_is_counted() -> None:
    mine, theirs = (text.replace("five", f"five {text[4:9]}") for text in (MINE, THEIRS))
    mine += "more\n"
    result, _ = conflict(mine, BASE, theirs)
    assert result.reasons == ("2 overlapping edits",)


@pytest.mark.parametrize("side", ["mine", "base", "theirs"])
def test_a_side_without_its_final_newline_is_merged_as_if_it_had_one(side: str) -> None:
    texts = {"mine": f"zero\n{BASE}", "base": BASE, "theirs": THEIRS}
    texts[side] = texts[side].rstrip("\n")
    assert merged("a.txt", **texts) == Merged(f"zero\n{THEIRS}", False, ())


def test_two_new_texts_of_what_was_empty_are_a_conflict() -> None:
    result, id = conflict("mine\n", "", "new\n")
    assert both(result, id) == ("mine\n", "new\n")


def test_an_emptied_file_that_is_generated_otherwise_is_a_conflict() -> None:
    result, id = conflict("", BASE, THEIRS)
    assert both(result, id) == ("", THEIRS)


def test_what_taking_lines_away_leaves_has_one_final_newline() -> None:
    base = "one\ntwo\n\n\nlast\n"
    assert merged("a.txt", f"zero\n{base}", base, "one\ntwo\n").text == "zero\none\ntwo\n"
    result = merged("a.txt", "zero\none\ntwo\n\n\n", base, f"{base}")
    assert result.text == "zero\none\ntwo\n"


def test_bytes_that_are_no_utf_8_survive() -> None:
    mine = f"Stra\udcdfe\n{BASE}"
    assert merged("a.txt", mine, BASE, THEIRS).text == f"Stra\udcdfe\n{THEIRS}"
    assert conflict_id(mine, THEIRS) != ID


def test_a_lone_cr_survives_and_is_no_line_end() -> None:
    mine = MINE.replace("of the", "of\rthe") + "last\r\n"
    result, id = conflict(mine, BASE, THEIRS)
    assert both(result, id) == (mine, f"{THEIRS}last\r\n")
    assert "\r" not in result.text.replace("of\rthe", "").replace("last\r", "")


def test_what_holds_a_nul_is_refused() -> None:
    mine = "zwei\n".encode("utf-16").decode("utf-8", "surrogateescape")
    with pytest.raises(Refused) as caught:
        merged("a.txt", mine, BASE, THEIRS)
    assert caught.value.findings[0].code == "not-text"
    assert merged("a.txt", mine, BASE, BASE).text == f"{mine}\n"


# Markers


def test_the_name_of_a_conflict_depends_on_both_texts_and_nothing_else() -> None:
    names = [conflict_id("a", "b"), conflict_id("ab", ""), conflict_id("b", "a"), ID]
    assert len(set(names)) == 4
    assert conflict_id("a", "b") == names[0]
    assert all(len(name) == 8 and int(name, 16) >= 0 for name in names)


def test_a_side_is_chosen_and_all_around_it_stays() -> None:
    edited = CONFLICT.replace("five", "five, edited since")
    assert chosen(edited, ID, "mine") == MINE.replace("five", "five, edited since")
    assert chosen(edited, ID, "new") == THEIRS.replace("five", "five, edited since")


def test_a_hunk_edited_by_hand_is_chosen_as_it_is_now() -> None:
    edited = CONFLICT.replace("two of the team\n", "two of the team\n=======\nand more\n")
    assert chosen(edited, ID, "mine") == MINE.replace("team\n", "team\n=======\nand more\n")
    assert chosen(edited.replace("generated\n>", "made\n>"), ID, "new").startswith(
        "one\ntwo made\n"
    )


def test_no_blank_line_is_left_at_the_end() -> None:
    head, _, tail = CONFLICT.partition("two of the team\n")
    hunk = tail.removesuffix("three\nfour\nfive\n")
    assert chosen(f"{head}{hunk}\n", ID, "mine") == "one\n"


def test_a_hunk_that_was_resolved_by_hand_is_left_alone() -> None:
    base = "".join(f"{number}\n" for number in range(9))
    mine, theirs = (base.replace("2", f"2 {s}").replace("6", f"6 {s}") for s in ("mine", "new"))
    result, id = conflict(mine, base, theirs)
    head, _, tail = result.text.partition("3\n")
    assert is_unresolved(f"0\n1\nby hand\n3\n{tail}", id)
    by_hand = "0\n1\nby hand\n3\n"
    assert chosen(by_hand + tail, id, "new") == by_hand + "4\n5\n6 new\n7\n8\n"
    assert not is_unresolved(chosen(head + tail, id, "mine"), id)


@pytest.mark.parametrize("side", ["yours", "as last generated", "newly generated"])
def test_one_marker_left_is_a_conflict_left(side: str) -> None:
    kept = [line for line in CONFLICT.split("\n") if "(etlgen " not in line or side in line]
    text = "\n".join(kept)
    assert is_unresolved(text, ID)
    with pytest.raises(ValueError, match=r"line \d: "):
        chosen(text, ID, "mine")


def test_a_marker_that_was_commented_out_is_still_one() -> None:
    text = CONFLICT.replace("<<<", "# <<<", 1)
    assert is_unresolved(text, ID)
    with pytest.raises(ValueError, match="line 2: the conflict marker does not stand alone"):
        chosen(text, ID, "mine")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("=======\n", "", "line 7: `>>>>>>> newly generated`, but `=======` is due after line 4"),
        ("=======\n", "=======\n=======\n", "line 7: `=======`, but `>>>>>>> newly"),
        (">>>>>>>", "!!!!!!!", "line 6: `>>>>>>> newly generated` is missing"),
        ("|||||||", "!!!!!!!", r"line 8: `>>>>>>> newly generated`, but `\|{7} as last"),
        ("<<<<<<<", "!!!!!!!", r"line 4: `\|{7} as last generated`, but `<<<<<<< yours` is due"),
    ],
)
def test_a_broken_hunk_is_named_by_its_line(old: str, new: str, message: str) -> None:
    text = CONFLICT.replace(old, new)
    assert is_unresolved(text, ID)
    for side in ("mine", "new"):
        with pytest.raises(ValueError, match=message):
            chosen(text, ID, side)


def test_a_text_without_our_markers_is_resolved_and_stays() -> None:
    other = CONFLICT.replace(ID, "00000000")
    plain = "<<<<<<< HEAD\na\n=======\nb\n>>>>>>> branch\n"
    for text in (MINE, other, plain, "", "see conflict (etlgen " + ID + ")\n"):
        assert not is_unresolved(text, ID)
        assert chosen(text, ID, "mine") == text


QUOTED = CONFLICT[4:-16].replace(ID, "0badcafe").replace("two", "2")
QUOTES = [
    QUOTED,
    "<<<<<<< HEAD\n=======\n>>>>>>> x\n",
    "Title\n=======\n",
    f"{'=' * 40}\n",
    "|" * 9,
]


@pytest.mark.parametrize("quote", QUOTES)
def test_a_file_that_quotes_markers_is_merged_like_any_other(quote: str) -> None:
    mine, theirs = f"{quote}\n{BASE}", f"{BASE}six\n"
    result = merged("a.md", mine, BASE, theirs)
    assert result == Merged(f"{quote}\n{BASE}six\n", False, ())
    assert not is_unresolved(result.text, conflict_id(mine, theirs))


@pytest.mark.parametrize("quote", QUOTES)
@pytest.mark.parametrize("where", ["mine", "theirs", "both", "around"])
def test_quoted_markers_in_a_conflict_go_with_their_side(quote: str, where: str) -> None:
    mine, theirs = MINE, THEIRS
    if where in ("mine", "both"):
        mine = mine.replace("team\n", f"team\n{quote}\n")
    if where in ("theirs", "both"):
        theirs = theirs.replace("generated\n", f"generated\n{quote}\n")
    around = f"five\n{quote}\n" if where == "around" else "five\n"
    mine = mine.replace("five\n", around)
    result, id = conflict(mine, BASE, theirs)
    assert both(result, id) == (ended(mine), ended(theirs.replace("five\n", around)))


def ended(text: str) -> str:
    return text.rstrip("\n") + "\n"


# Clean, but wrong


TABLE = """\
from sqlalchemy import Column, Text

TABLE = [
    Column("status", Text),
    Column("total", Text),
    Column("coupon", Text),
]
NAMES = {
    "Status": "status",
    "Total": "total",
    "Coupon": "coupon",
}
"""
BY_TEAM = TABLE.replace('    "Status"', '    "VAT": "vat",\n    "Status"')
BY_ETLGEN = TABLE.replace('"coupon",\n', '"coupon",\n    "VAT": "sales_tax",\n')


def test_a_key_twice_by_a_clean_merge_is_a_conflict() -> None:
    result, id = conflict(BY_TEAM, TABLE, BY_ETLGEN, "a.py")
    assert result.reasons == ("the key 'VAT' stands twice in one dict (lines 9 and 16)",)
    assert result.text.split("\n")[8] == '    "VAT": "vat",'
    assert result.text.split("\n")[15] == '    "VAT": "sales_tax",'
    by_team, by_etlgen = both(result, id)
    assert by_team == BY_TEAM
    assert by_etlgen == BY_TEAM.replace('"coupon",\n', '"coupon",\n    "VAT": "sales_tax",\n')


def test_only_what_makes_the_trouble_is_marked() -> None:
    theirs = BY_ETLGEN.replace('    Column("total"', '    Column("net", Text),\n    Column("total"')
    result, id = conflict(BY_TEAM, TABLE, theirs, "a.py")
    assert result.text.count("<<<<<<<") == 1
    assert chosen(result.text, id, "mine").count('Column("net"') == 1


def test_what_is_taken_away_and_still_needed_is_marked_where_it_was() -> None:
    base = "import os\nimport re\n\nprint(os.name, re.I)\n\n# more\n\nLAST = 1\n"
    mine = base.replace("LAST = 1", 'LAST = re.compile("a")')
    theirs = base.replace("import re\n", "").replace(", re.I", "").replace("more", "generated")
    result, id = conflict(mine, base, theirs, "a.py")
    assert result.reasons == ("Undefined name `re` (line 19)",)
    assert result.text.split("\n")[18] == 'LAST = re.compile("a")'
    assert chosen(result.text, id, "mine") == mine.replace("more", "generated")


def test_trouble_that_nothing_new_can_be_blamed_for_marks_all_that_is_new() -> None:
    base = "x = 1\n# a\nif x:\n    y = 1\n# one\n# two\n# three\nz = 2\n"
    mine = base.replace("z = 2", "else:\n    y = 3\nz = 2")
    theirs = base.replace("# one\n", "# one\ny = 4\n").replace("x = 1", "x = 5")
    result, id = conflict(mine, base, theirs, "a.py")
    assert result.reasons == ("merged it does not parse: invalid syntax (line 19)",)
    assert result.text.split("\n")[18] == "else:"
    assert both(result, id) == (
        mine,
        mine.replace("# one\n", "# one\ny = 4\n").replace("1", "5", 1),
    )


def test_half_a_change_is_not_marked_if_the_other_half_alone_does_not_parse() -> None:
    base = "# head\n# two\ntotal = sum([\n    1,\n    2,\n    3,\n    4,\n])\n"
    said = 'print("done")\n'
    theirs = base.replace("([", "((").replace("])\n", f"))\n{said}")
    result, id = conflict(said + base, base, theirs, "a.py")
    assert both(result, id) == (said + base, said + theirs)


def test_beside_an_overlap_what_is_said_twice_is_marked_too() -> None:
    mine = BY_TEAM.replace('"total", Text', '"total", Text, doc="x"')
    theirs = BY_ETLGEN.replace('"total", Text', '"total", Text, doc="y"')
    result, id = conflict(mine, TABLE, theirs, "a.py")
    assert result.reasons == (
        "1 overlapping edit",
        "the key 'VAT' stands twice in one dict (lines 15 and 22)",
    )
    assert result.text.split("\n")[14] == '    "VAT": "vat",'
    assert chosen(result.text, id, "mine") == mine


def test_marked_regions_stand_in_the_order_of_the_text() -> None:
    result, id = conflict(f"{BY_TEAM}A = 1\n", TABLE, f"{BY_ETLGEN}A = 2\n", "a.py")
    assert result.reasons == (
        "1 overlapping edit",
        "the key 'VAT' stands twice in one dict (lines 9 and 16)",
    )
    assert both(result, id) == (
        f"{BY_TEAM}A = 1\n",
        BY_TEAM.replace('"coupon",\n', '"coupon",\n    "VAT": "sales_tax",\n') + "A = 2\n",
    )


def test_what_an_overlap_leaves_undecided_is_no_further_trouble() -> None:
    mine, theirs = (f"import {name}\n\n\n{TABLE}print({name})\n" for name in ("re", "json"))
    theirs = theirs.replace("\nTABLE", "\nprint(json)\nTABLE")
    result, _ = conflict(mine, f"\n\n{TABLE}print()\n", theirs, "a.py")
    assert result.reasons == ("2 overlapping edits",)


def test_what_was_taken_away_beside_the_trouble_is_to_blame() -> None:
    base = "A = 1\nif A:\n    print()\n    # one\n    # two\n    # three\n    print()\nB = 1\n"
    mine = base.replace("    print()\n    # one", "    # one")
    theirs = base.replace("    print()\nB", "B").replace("A = 1", "A = 2")
    result, id = conflict(mine, base, theirs, "a.py")
    assert both(result, id) == (mine.replace("A = 1", "A = 2"), theirs.replace("    print()\n", ""))


def test_a_definition_twice_leaves_the_rest_of_its_body_alone() -> None:
    base = "def one(a):\n    # head\n    b = a\n    return b\n\n\nC = 1\n"
    mine = base.replace("def one", "def two")
    theirs = base.replace("b = a", "b = [a]") + "\n\ndef two():\n    return 2\n"
    result, id = conflict(mine, base, theirs, "a.py")
    assert result.reasons == ("def two stands twice in this file (lines 1 and 13)",)
    assert chosen(result.text, id, "mine") == mine.replace("b = a", "b = [a]")


def test_what_is_new_across_an_overlap_is_not_marked_twice() -> None:
    mine, base, theirs = "\nA=2\n", "\n# x\nB=1\nD=4\n", "C=1\n\nA=2\n\n# x\n"
    result, id = conflict(mine, base, theirs, ".env")
    assert both(result, id) == ("\nA=2\n\nA=2\n", "C=1\n\nA=2\n\n# x\n")


@pytest.mark.parametrize("places", [(), (range(1, 2),), (range(99, 100),)])
def test_trouble_always_leaves_a_marker(
    places: tuple[range, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def trouble(*texts: str, lint: bool) -> list[Trouble]:
        return [Trouble("odd", places)] if lint else []

    monkeypatch.setattr("etlgen.workspace.merging.merge.new_trouble", trouble)
    result, id = conflict(f"zero\n{BASE}", BASE, f"{BASE}six\n")
    assert both(result, id) == (f"zero\n{BASE}", f"zero\n{BASE}six\n")


def test_a_team_in_the_middle_of_an_edit_is_merged_by_lines() -> None:
    mine = TABLE.replace("NAMES = {", "NAMES = {{")
    assert not merged("a.py", mine, TABLE, f"# new\n{TABLE}").is_conflict


def test_the_same_texts_give_the_same_bytes() -> None:
    results = {merged("a.py", BY_TEAM, TABLE, BY_ETLGEN) for _ in range(3)}
    assert len(results) == 1


# git


def test_without_git_it_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Refused, match="both you and etlgen changed this file") as caught:
        merged("a.txt", MINE, BASE, THEIRS)
    finding = caught.value.findings[0]
    assert (finding.file, finding.code) == ("a.txt", "no-git")
    assert finding.hint == "install git and run it again"


@pytest.mark.parametrize(
    "script",
    [
        "echo broken >&2; exit 255",
        "echo broken >&2; exit 1",  # as the stub of macOS does, not one conflict
        "echo broken >&2; kill -9 $$",
        "echo broken >&2",
        "echo broken >&2; cat base",
        "echo broken >&2; cat mine theirs; exit 1",
    ],
)
def test_a_git_that_fails_is_a_fault_and_loses_nothing(
    script: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = f"{stub(tmp_path / 'bin', script)}{os.pathsep}{os.environ['PATH']}"
    monkeypatch.setenv("PATH", path)
    with pytest.raises(InternalError, match="broken") as caught:
        merged("a.txt", MINE, BASE, THEIRS)
    assert caught.value.findings[0].file == "a.txt"


def test_no_configuration_of_git_has_a_say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / ".gitconfig"
    config.write_text(
        "[merge]\n\tconflictstyle = zdiff3\n[core]\n\tautocrlf = true\n\teol = crlf\n"
        "[diff]\n\talgorithm = patience\n[alias]\n\tmerge-file = !false\n"
    )
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, str(config))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "merge.conflictstyle")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "nonsense")
    assert merged("a.txt", MINE, BASE, THEIRS).text == CONFLICT


def test_a_broken_configuration_of_git_has_no_say(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".gitconfig").write_text("[merge\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / ".gitconfig"))
    assert merged("a.txt", MINE, BASE, THEIRS).text == CONFLICT


def test_no_repository_has_a_say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "no" / "such"))
    assert merged("a.txt", MINE, BASE, THEIRS).text == CONFLICT


def test_a_broken_repository_of_the_environment_has_no_say(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    (tmp_path / ".git" / "config").write_text("[merge\n")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / ".git"))
    assert merged("a.txt", MINE, BASE, THEIRS).text == CONFLICT


def test_a_broken_repository_around_the_temporary_folder_has_no_say(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    (tmp_path / ".git" / "config").write_text("[merge\n")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert merged("a.txt", MINE, BASE, THEIRS).text == CONFLICT
    assert [path.name for path in tmp_path.iterdir()] == [".git"]


def test_importing_it_brings_no_linter_and_no_yaml() -> None:
    module = "etlgen.workspace.merging.merge"
    code = f"import sys, {module}; print({{'ruff', 'yaml', 'black'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
