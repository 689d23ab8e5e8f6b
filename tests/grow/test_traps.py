"""Each way in which an edit was lost, or a team misled, by a generator before."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from etlgen import style
from tests.grow.conftest import ORDERS, Project

OLD = 'Column("total", Numeric(12, 2))'
OURS = 'Column("total", Numeric(20, 2))'
BIGGER = ("numeric(12,2)", "numeric(14,2)")
NEW = 'Column("total", Numeric(14, 2))'


@pytest.fixture
def overlap(project: Project) -> Project:
    """The team and the spec changed the same line."""
    project.committed("generated")
    project.edit(ORDERS, OLD, OURS)
    project.committed("edited")
    project.edit("sources/shop.yaml", *BIGGER)
    return project


@pytest.fixture
def conflict(overlap: Project) -> Project:
    assert overlap("generate").code == 4
    return overlap


def test_an_overlap_is_red_until_it_is_resolved(conflict: Project) -> None:
    text = conflict.text(ORDERS)
    assert OURS in text
    assert NEW in text
    assert "<<<<<<< yours" in text
    for command in ("check", "generate"):
        result = conflict(command)
        assert result.code == 4
        assert f"{ORDERS}" in result.err
        assert "etlgen resolve" in result.err
    conflict.write(ORDERS, _without_markers(text, OURS.replace("20", "24")))
    conflict.does("check")
    conflict.does("generate")
    assert conflict.does("generate").out.endswith("Nothing to write.\n")
    assert OURS.replace("20", "24") in conflict.text(ORDERS)


def test_taking_the_markers_out_by_hand_for_ones_own_side_needs_a_word(conflict: Project) -> None:
    conflict.write(ORDERS, _without_markers(conflict.text(ORDERS), OURS))
    result = conflict("check")
    assert result.code == 4
    assert "is as it was before the conflict" in result.err
    assert f"etlgen resolve {ORDERS} --mine" in result.err
    conflict.does("resolve", conflict.path(ORDERS), "--mine")
    conflict.does("check")


@pytest.mark.parametrize(("side", "kept", "gone"), [("--mine", OURS, NEW), ("--new", NEW, OURS)])
def test_a_side_can_be_taken_and_all_else_stays(
    conflict: Project, side: str, kept: str, gone: str
) -> None:
    conflict.edit(ORDERS, "def transform", "# edited since\n\n\ndef transform")
    conflict.does("resolve", conflict.path(ORDERS), side)
    text = conflict.text(ORDERS)
    assert (kept in text, gone in text, "# edited since" in text) == (True, False, True)
    assert "etlgen" not in text
    conflict.does("check")
    assert conflict.does("generate").out.endswith("Nothing to write.\n")


def test_a_conflict_then_git_checkout_is_still_a_conflict(conflict: Project) -> None:
    marked = conflict.text(ORDERS)
    conflict.git("checkout", "--", ORDERS)
    assert OURS in conflict.text(ORDERS)
    assert conflict("check").code == 4
    assert conflict("generate").code == 4
    assert conflict.text(ORDERS) == marked
    conflict.git("checkout", "--", ORDERS)
    assert conflict("resolve").code == 5  # which side?
    conflict.does("resolve", "--mine")
    assert OURS in conflict.text(ORDERS)
    conflict.does("check")


def test_a_conflict_that_is_committed_with_its_markers_is_red_for_everyone(
    conflict: Project, tmp_path: Path
) -> None:
    conflict.committed("oops")
    clone = conflict.at(tmp_path / "clone")
    subprocess.run(["git", "clone", "-q", conflict.root, clone.root], check=True)
    assert clone("check").code == 4
    clone.does("resolve", "--new")
    clone.does("check")


def test_markers_that_are_half_removed_are_red(conflict: Project) -> None:
    text = conflict.text(ORDERS)
    for start in ("<<<<<<<", "|||||||", ">>>>>>>"):
        lines = text.splitlines(keepends=True)
        conflict.write(ORDERS, "".join(line for line in lines if not line.startswith(start)))
        assert conflict("check").code == 4, start
        assert conflict("generate").code == 4, start
        refused = conflict("resolve", conflict.path(ORDERS), "--mine")
        assert refused.code == 5
        assert "finish by hand" in refused.err


def bare(text: str) -> str:
    """The text whose markers someone took the labels from."""
    return re.sub(r"^([<|>]{7,}) .*\(etlgen .*$", r"\1", text, flags=re.MULTILINE)


@pytest.mark.parametrize(("side", "kept", "gone"), [("--mine", OURS, NEW), ("--new", NEW, OURS)])
def test_markers_without_their_labels_are_red(
    conflict: Project, side: str, kept: str, gone: str
) -> None:
    text = bare(conflict.text(ORDERS))
    assert "etlgen" not in text
    assert "\n<<<<<<<\n" in text
    conflict.write(ORDERS, text)
    checked = conflict("check")
    assert checked.code == 4
    assert f"{ORDERS}:" in checked.err
    assert "has conflict markers that lost their labels" in checked.err
    assert conflict("generate").code == 4
    assert conflict("resolve").code == 5
    assert conflict.text(ORDERS) == text
    conflict.does("resolve", conflict.path(ORDERS), side)
    settled = conflict.text(ORDERS)
    assert (kept in settled, gone in settled, "<<<<<<<" in settled) == (True, False, False)
    conflict.does("check")


@pytest.mark.parametrize("marker", ["<<<<<<<", "|||||||", ">>>>>>>", ">>>>>>> newly generated"])
def test_one_marker_without_its_label_is_red(conflict: Project, marker: str) -> None:
    resolved = _without_markers(conflict.text(ORDERS), OURS.replace("20", "24"))
    conflict.write(ORDERS, f"{resolved}{marker}\n")
    assert conflict("check").code == 4
    assert conflict("generate").code == 4
    assert "finish by hand" in conflict("resolve", conflict.path(ORDERS), "--mine").err
    conflict.write(ORDERS, f"{resolved}# {marker} or so\n")
    conflict.does("check")


def test_markers_that_are_meant_to_be_in_the_file_need_a_word(conflict: Project) -> None:
    text = _without_markers(conflict.text(ORDERS), OURS.replace("20", "24"))
    conflict.write(ORDERS, f'{text}\nQUOTED = """\n<<<<<<<\na\n=======\nb\n>>>>>>>\n"""\n')
    before = conflict.text(ORDERS)
    assert f"if they are meant to be in the file: etlgen resolve {ORDERS}" in conflict("check").err
    assert conflict("resolve").code == 5
    conflict.does("resolve", conflict.path(ORDERS))
    assert conflict.text(ORDERS) == before
    conflict.does("check")
    conflict.does("generate")


def test_a_conflict_in_a_file_that_quotes_markers_ends_with_its_own(project: Project) -> None:
    """The conflict's markers are longer than the quoted ones, which may stay."""
    quoted = 'QUOTED = """\n<<<<<<<\na\n|||||||\n=======\nb\n>>>>>>>\n"""\n'
    project.edit(ORDERS, OLD, OURS)
    project.write(ORDERS, f"{project.text(ORDERS)}\n\n{quoted}")
    project.edit("sources/shop.yaml", *BIGGER)
    assert project("generate").code == 4
    marked = project.text(ORDERS)
    assert "\n<<<<<<<< yours (etlgen" in marked
    project.write(ORDERS, bare(marked))
    assert project("check").code == 4
    assert project("generate").code == 4
    head, _, rest = marked.partition("<<<<<<<<")
    tail = rest.partition(">>>>>>>>")[2].partition("\n")[2]
    project.write(ORDERS, f"{head}    {OURS.replace('20', '24')},\n{tail}")
    assert quoted in project.text(ORDERS)
    project.does("check")
    project.does("generate")
    assert quoted in project.text(ORDERS)


def test_a_conflict_moves_with_its_file(conflict: Project) -> None:
    assert conflict("rename-source", "shop", "store").code == 4
    moved = ORDERS.replace("/shop/", "/store/")
    assert not conflict.path(ORDERS).exists()
    assert OURS in conflict.text(moved)
    assert conflict("check").code == 4
    conflict.does("resolve", "--mine")
    assert "<<<<<<<" not in conflict.text(moved)
    conflict.does("generate")
    conflict.does("check")
    assert OURS in conflict.text(moved)


def test_a_conflict_then_git_checkout_of_an_edit_that_was_not_committed(project: Project) -> None:
    project.committed("generated")
    project.edit(ORDERS, OLD, OURS)
    project.edit("sources/shop.yaml", *BIGGER)
    assert project("generate").code == 4
    project.git("checkout", "--", ORDERS)
    assert project("check").code == 4
    assert project("resolve", "--mine").code == 5
    project.does("generate")
    assert NEW in project.text(ORDERS)
    project.does("check")


def test_a_moved_file_is_not_gone_before_it_has_arrived(project: Project) -> None:
    """The team puts a file at the target, or edits the origin, after a crash in the middle."""
    project.write("README.md", project.text("README.md") + "PRECIOUS\n")
    for late in ("docs/README.md", "README.md"):
        before = project.files()
        _crash_after_commit(
            project, "mv", project.path("README.md"), project.path("docs/README.md")
        )
        project.write(late, "late\n" + project.text("README.md") * (late == "README.md"))
        result = project("generate")
        assert f"{late}: was changed while etlgen wrote" in result.err
        assert "PRECIOUS" in project.text("README.md")
        assert project.path("docs/README.md").exists() == (late != "README.md")
        project.path("docs/README.md").unlink(missing_ok=True)
        project.write("README.md", before["README.md"].decode())
        project.does("generate")
        project.does("check")
    project.does("mv", project.path("README.md"), project.path("docs/README.md"))
    assert "PRECIOUS" in project.text("docs/README.md")


@pytest.mark.parametrize("words", [("add-source", "shop", "--spec", "../visits.yaml"), ("mv",)])
def test_a_spec_that_is_saved_meanwhile_is_not_written_over(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    real = style._black
    saved = "sources/shop.yaml" if words[0] == "add-source" else "etlgen.yaml"
    if words == ("mv",):
        words = ("mv", str(project.path("src/shop_etl")), str(project.path("src/sales")))

    def slow(text: str) -> str:
        if "# late" not in project.text(saved):
            project.write(saved, project.text(saved) + "# late\n")
        return real(text)

    monkeypatch.setattr(style, "_black", slow)
    monkeypatch.chdir(project.root)
    before = project.files()
    result = project(*words)
    assert result.code == 5
    assert f"{saved}: was changed while etlgen was at work" in result.err
    assert {p for p, b in project.files().items() if before.get(p) != b} == {saved}


def test_a_spec_with_something_new_is_not_removed(project: Project) -> None:
    project.write("sources/shop.yaml", project.text("sources/shop.yaml") + "# precious\n")
    before = project.files()
    result = project("remove-source", "shop")
    assert result.code == 5
    assert "sources/shop.yaml: was changed since the code was generated" in result.err
    assert project.files() == before
    project.does("remove-source", "shop", "--force")


@pytest.mark.parametrize(
    "lost", [("runtime", "src/shop_etl/runtime/audit.py"), ("sources/shop", ORDERS)]
)
def test_a_unit_without_its_state_is_red(project: Project, lost: tuple[str, str]) -> None:
    unit, path = lost
    project.path(f".etlgen/units/{unit}.json").unlink()
    project.path(path).unlink()
    assert project("check").code == 6


@pytest.mark.parametrize("words", [("diff",), ("resolve", "Makefile", "--mine"), ("check",)])
@pytest.mark.parametrize("what", ["folder", "pipe"])
def test_what_is_no_file_is_refused(project: Project, words: tuple[str, ...], what: str) -> None:
    project.path("Makefile").unlink()
    if what == "folder":
        project.path("Makefile").mkdir()
    else:
        os.mkfifo(project.path("Makefile"))
    result = project(
        words[0], *(project.path(one) if one == "Makefile" else one for one in words[1:])
    )
    assert result.code in (5, 6)
    assert "Makefile: cannot be read" in result.err


def test_on_conflict_abort_writes_nothing(overlap: Project) -> None:
    before = overlap.files()
    result = overlap("generate", "--on-conflict", "abort")
    assert result.code == 4
    assert "Nothing was written." in result.out
    assert overlap.files() == before


def test_an_edit_during_black_is_merged(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    real = style._black

    def slow(text: str) -> str:
        if "# saved meanwhile" not in project.text(ORDERS):
            project.edit(ORDERS, "def transform", "# saved meanwhile\n\n\ndef transform")
        return real(text)

    monkeypatch.setattr(style, "_black", slow)
    project.edit("sources/shop.yaml", *BIGGER)
    project.does("generate")
    assert "# saved meanwhile" in project.text(ORDERS)
    assert NEW in project.text(ORDERS)


def test_a_file_that_is_saved_after_it_was_read_is_not_written_over(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    from etlgen.workspace.writing import apply as writing

    real = writing.apply

    def late(*arguments: Any) -> Any:
        project.edit(ORDERS, "def transform", "# saved meanwhile\n\n\ndef transform")
        return real(*arguments)

    monkeypatch.setattr(writing, "apply", late)
    project.edit("sources/shop.yaml", *BIGGER)
    before = project.files()
    result = project("generate")
    assert result.code == 5
    assert "changed while etlgen was at work" in result.err
    assert {p for p, b in project.files().items() if before.get(p) != b} == {ORDERS}
    monkeypatch.setattr(writing, "apply", real)
    project.does("generate")
    assert "# saved meanwhile" in project.text(ORDERS)
    assert NEW in project.text(ORDERS)


def test_an_edit_after_a_crash_is_not_rolled_over(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.edit("sources/shop.yaml", *BIGGER)
    _crash_after_commit(project)
    assert OLD in project.text(ORDERS)
    assert project("check").code == 5  # it does not mend, it says so
    assert "interrupted" in project("generate", "--dry-run").err
    project.edit(ORDERS, "def transform", "# after the crash\n\n\ndef transform")
    recovered = project("generate")
    assert f"{ORDERS}: was changed while etlgen wrote" in recovered.err
    assert "# after the crash" in project.text(ORDERS)
    project.does("generate")
    assert "# after the crash" in project.text(ORDERS)
    assert NEW in project.text(ORDERS)
    project.does("check")


def _crash_after_commit(project: Project, *words: object) -> None:
    """The process is killed when everything is staged and committed, and nothing replaced yet."""
    script = f"""
import os, signal
from etlgen.workspace.writing import journal
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
journal._finish = die
from etlgen.cli import run
run([*{[str(word) for word in words or ("generate",)]!r}, "-C", {str(project.root)!r}])
"""
    done = subprocess.run([os.sys.executable, "-c", script], capture_output=True)  # type: ignore[attr-defined]
    assert done.returncode == -9, done.stderr


def test_a_clean_merge_that_says_a_key_twice_is_a_conflict(
    project: Project, newer: Callable[..., None]
) -> None:
    project.edit(ORDERS, OLD, f'Column("vat", Text),\n    {OLD}')
    newer(**{"orders.py": ("*file_lineage(),", 'Column("vat", Text),\n    *file_lineage(),')})
    result = project("upgrade")
    assert result.code == 4
    assert "vat" in result.err
    assert project("check").code == 4
    project.does("resolve", "--mine")
    assert project.text(ORDERS).count('Column("vat"') == 1
    project.does("check")


@pytest.mark.parametrize("ours", [False, True], ids=["as generated", "edited"])
def test_a_crlf_checkout_is_no_edit_and_stays_crlf(project: Project, ours: bool) -> None:
    if ours:
        project.edit(ORDERS, "def transform", "# ours\n\n\ndef transform")
    for path in project.files():
        if not path.startswith(".etlgen/"):
            project.path(path).write_bytes(project.path(path).read_bytes().replace(b"\n", b"\r\n"))
    checked = project.does("check").out
    assert ("1 of them edited" in checked) == ours
    assert project.does("generate").out.endswith("Nothing to write.\n")
    project.edit("sources/shop.yaml", *BIGGER)
    project.does("generate")
    raw = project.path(ORDERS).read_bytes()
    assert raw.count(b"\n") == raw.count(b"\r\n") > 10
    assert NEW.encode() in raw
    assert (b"# ours" in raw) == ours


def test_a_stripped_final_newline_is_no_edit(project: Project) -> None:
    project.write(ORDERS, project.text(ORDERS).rstrip("\n"))
    assert "edited" not in project.does("check").out
    project.edit("sources/shop.yaml", *BIGGER)
    project.does("generate")
    assert NEW in project.text(ORDERS)
    assert not project.text(ORDERS).endswith("\n")


def test_a_file_that_quotes_markers_is_no_conflict(
    project: Project, newer: Callable[..., None]
) -> None:
    quoted = "<<<<<<< HEAD\na\n||||||| base\n=======\nb\n>>>>>>> new\n"
    project.write("README.md", project.text("README.md") + quoted)
    newer(**{"README.md": ("# shop-etl", "# Shop!")})
    project.does("upgrade")
    assert project.text("README.md").startswith("# Shop!")
    assert project.text("README.md").endswith(quoted)
    project.does("check")


def test_state_that_is_committed_without_its_code_is_red(project: Project, tmp_path: Path) -> None:
    project.committed("generated")
    project.edit("sources/shop.yaml", *BIGGER)
    project.does("generate")
    project.does("add-source", "crm", "--spec", tmp_path / "crm.yaml")
    project.git("add", ".etlgen", "sources", "env", "dags", "tests")
    project.git("commit", "-q", "-m", "src is forgotten")
    clone = project.at(tmp_path / "clone")
    subprocess.run(["git", "clone", "-q", project.root, clone.root], check=True)
    checked = clone("check", "--json")
    assert checked.code == 6
    found = {finding["file"]: finding["code"] for finding in checked.json["findings"]}
    assert found[ORDERS] == "outdated"
    assert found["src/shop_etl/sources/crm/clients.py"] == "missing"
    clone.does("generate")  # a missing file may have been deleted on purpose
    assert clone("check").code == 6
    missing = [clone.path(path) for path, code in found.items() if code == "missing"]
    clone.does("resolve", *missing, "--new")
    clone.does("check")
    assert {p: b for p, b in clone.files().items() if not p.startswith(".etlgen")} == {
        p: b for p, b in project.files().items() if not p.startswith(".etlgen")
    }


def test_what_the_team_deleted_stays_away_once_it_says_so(
    project: Project, newer: Callable[..., None]
) -> None:
    project.path("compose.yaml").unlink()
    assert project("check").code == 6
    project.does("resolve", project.path("compose.yaml"), "--mine")
    project.does("check")
    newer(**{"compose.yaml": ("services:", "services: # newer")})
    result = project.does("upgrade", "--json")
    assert not project.path("compose.yaml").exists()
    verbs = {change["path"]: change["verb"] for change in result.json["changes"]}
    assert verbs["compose.yaml"] == "keep-deleted"
    project.does("check")


def test_a_package_that_is_renamed_by_hand_is_followed(project: Project, tmp_path: Path) -> None:
    project.edit(ORDERS, "def transform", "# ours\n\n\ndef transform")
    project.path("src/shop_etl").rename(project.path("src/sales"))
    for path in project.root.rglob("*.py"):
        path.write_text(path.read_text().replace("shop_etl import", "sales import"))
        path.write_text(path.read_text().replace("from shop_etl.", "from sales."))
    checked = project("check")
    assert checked.code == 6
    assert f"{ORDERS}: was generated and is not there" in checked.err
    project.does("mv", project.path("src/shop_etl"), project.path("src/sales"))
    assert not project.path("src/shop_etl").exists()
    assert "# ours" in project.text("src/sales/sources/shop/orders.py")
    project.does("check")
    project.does("add-source", "crm", "--spec", tmp_path / "crm.yaml")
    assert "from sales." in project.text("src/sales/sources/crm/clients.py")
    project.edit("sources/shop.yaml", *BIGGER)
    project.does("generate")
    text = project.text("src/sales/sources/shop/orders.py")
    assert "# ours" in text
    assert NEW in text
    assert not project.path("src/shop_etl").exists()


def test_what_is_in_a_folder_that_is_renamed_goes_with_it(project: Project) -> None:
    project.write("src/shop_etl/sources/shop/ours.py", "X = 1\n")
    project.does("rename-source", "shop", "store")
    assert project.text("src/shop_etl/sources/store/ours.py") == "X = 1\n"
    project.write("src/shop_etl/helpers.py", "Y = 1\n")
    settings = (project.path("src/shop_etl/py.typed"), project.path("src/shop_etl/typed"))
    project.does("mv", *settings)
    project.does("mv", project.path("src/shop_etl"), project.path("src/sales"))
    assert not project.path("src/shop_etl").exists()
    for name in ("typed", "helpers.py", "sources/store/ours.py", "sources/store/orders.py"):
        assert project.path(f"src/sales/{name}").exists(), name
    project.does("check")
    assert project.does("generate").out.endswith("Nothing to write.\n")


def test_nothing_is_moved_to_where_another_file_belongs(project: Project) -> None:
    project.path("compose.yaml").unlink()
    project.does("resolve", project.path("compose.yaml"), "--mine")
    before = project.files()
    assert project("mv", project.path("Makefile"), project.path("compose.yaml")).code == 2
    assert project.files() == before


def test_a_file_that_is_moved_by_hand_is_followed(
    project: Project, newer: Callable[..., None]
) -> None:
    project.path("docs").mkdir()
    project.path("README.md").rename(project.path("docs/README.md"))
    project.path("docs/README.md").chmod(0o755)
    assert project("check").code == 6
    project.does("mv", project.path("README.md"), project.path("docs/README.md"))
    project.does("check")
    newer(**{"README.md": ("# shop-etl", "# Shop!")})
    project.does("upgrade")
    assert project.text("docs/README.md").startswith("# Shop!")
    assert not project.path("README.md").exists()
    project.does("mv", project.path("docs/README.md"), project.path("README.md"))
    assert project.path("README.md").stat().st_mode & 0o777 == 0o755


def test_a_symlink_in_the_project_is_written_through(
    project: Project, newer: Callable[..., None]
) -> None:
    project.path("AGENTS.md").rename(project.path("CLAUDE.md"))
    project.path("AGENTS.md").symlink_to("CLAUDE.md")
    project.does("check")
    newer(**{"AGENTS.md": ("# ", "# Newer ")})
    project.does("upgrade")
    assert project.path("AGENTS.md").readlink() == Path("CLAUDE.md")
    assert project.text("CLAUDE.md").startswith("# Newer ")
    project.does("check")


def test_an_older_etlgen_is_refused_on_newer_state(
    project: Project, newer: Callable[..., None], tmp_path: Path
) -> None:
    newer("9.0.0")
    project.does("upgrade")
    before = project.files()
    newer("8.5.0")
    commands = [
        ("generate",),
        ("check",),
        ("add-source", "crm", "--spec", tmp_path / "crm.yaml"),
        ("remove-source", "shop"),
        ("resolve",),
    ]
    for words in commands:
        result = project(*words)
        assert result.code == 5, words
        assert "was generated by etlgen 9.0.0, this is 8.5.0" in result.err
        assert "pip install 'etlgen>=9.0.0'" in result.err
    assert project.files() == before


def test_a_source_is_not_added_beside_the_code_of_another_version(
    project: Project, newer: Callable[..., None], tmp_path: Path
) -> None:
    newer("9.0.0")
    before = project.files()
    result = project("add-source", "crm", "--spec", tmp_path / "crm.yaml")
    assert result.code == 5
    assert "run etlgen upgrade first" in result.err
    assert project.files() == before


def test_runtime_only_brings_the_runtime_and_nothing_else(
    project: Project, newer: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from etlgen import templates
    from etlgen.render import project as rendering

    shutil.copytree(templates.templates_root(), tmp_path / "templates")
    monkeypatch.setattr(rendering, "templates_root", lambda: tmp_path / "templates")
    fixed = tmp_path / "templates/runtime/convert.py"
    fixed.write_text(fixed.read_text() + "\n\nFIXED = True\n")
    newer(**{"README.md": ("# shop-etl", "# Shop!")})
    result = project.does("upgrade", "--runtime-only", "--json")
    changed = [c["path"] for c in result.json["changes"] if c["verb"] != "unchanged"]
    assert changed == ["src/shop_etl/runtime/convert.py"]
    assert project.text("README.md").startswith("# shop-etl")
    project.does("upgrade")  # the rest is not forgotten
    assert project.text("README.md").startswith("# Shop!")


def test_git_is_needed_only_to_merge(overlap: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    before = overlap.files()
    monkeypatch.setenv("PATH", "/nonexistent")
    result = overlap("generate")
    assert result.code == 5
    assert "merging needs git; install git" in result.err
    assert overlap.files() == before
    overlap.edit(ORDERS, OURS, OLD)
    overlap.does("generate")
    assert NEW in overlap.text(ORDERS)


def test_a_dropped_resource_is_refused_as_a_whole_where_it_was_edited(
    project: Project, tmp_path: Path
) -> None:
    project.does("add-source", "shop", "--spec", tmp_path / "visits.yaml")
    visits = "src/shop_etl/sources/shop/visits.py"
    project.edit(visits, "def transform", "# ours\n\n\ndef transform")
    spec = project.text("sources/shop.yaml")
    project.write("sources/shop.yaml", spec[: spec.index("  visits:")])
    before = project.files()
    result = project("generate")
    assert result.code == 5
    assert f"{visits}: was edited by hand" in result.err
    assert project.files() == before
    project.does("generate", "--force")
    assert not project.path(visits).exists()
    project.does("check")


def test_a_spec_file_that_is_gone_takes_no_code_with_it(project: Project) -> None:
    project.path("sources/shop.yaml").unlink()
    for command, code in (("generate", 5), ("check", 6)):
        result = project(command)
        assert result.code == code
        assert "sources/shop.yaml: the spec file is gone, its code is not" in result.err
    assert project.path(ORDERS).exists()
    project.does("remove-source", "shop")
    assert not project.path(ORDERS).exists()
    project.does("check")


def _without_markers(text: str, kept: str) -> str:
    before, _, rest = text.partition("<<<<<<<")
    after = rest.partition(">>>>>>>")[2].partition("\n")[2]
    return f"{before}    {kept},\n{after}"
