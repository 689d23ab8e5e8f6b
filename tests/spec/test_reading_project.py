"""Reading a generated project, or as much of it as is needed."""

import os
from pathlib import Path
from typing import Literal

import pytest

from etlgen.errors import EtlgenError, Finding, MissingAnswers, Refused, SpecError
from etlgen.kinds import Kind, load_kinds
from etlgen.spec.files import project_texts, source_files
from etlgen.spec.models import ResourceSpec, SourceSpec
from etlgen.spec.reading import read_project, read_texts

KINDS = load_kinds()
SOURCE = "kind: file\npath: data\nresources: {RES: {path: r.csv, columns: {c: {type: text}}}}\n"


def source(resource: str) -> str:
    return SOURCE.replace("RES", resource)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    (root / "sources").mkdir(parents=True)
    (root / "etlgen.yaml").write_text("name: shop-etl\n")
    (root / "sources/web.yaml").write_text(source("orders"))
    (root / "sources/crm.yml").write_text(source("people"))
    return root


def names(root: Path, *arguments: object) -> list[str]:
    spec = read_project(root, KINDS, *arguments)  # type: ignore[arg-type]
    return [found.name for found in spec.sources]


def faults(error: type[EtlgenError], root: Path, *arguments: object) -> list[Finding]:
    with pytest.raises(error) as caught:
        names(root, *arguments)
    return list(caught.value.findings)


def test_all_sources_or_only_the_named_are_read(project: Path) -> None:
    assert names(project) == ["crm", "web"]
    assert names(project, ["web"]) == ["web"]
    assert names(project, iter(["web", "web"])) == ["web"]
    assert names(project, []) == []


def test_what_is_not_named_is_not_read(project: Path) -> None:
    (project / "sources/crm.yml").write_bytes(b"\xff")
    assert names(project, ["web"]) == ["web"]
    assert [f.file for f in faults(SpecError, project)] == ["sources/crm.yml"]


def test_a_project_without_sources_is_read(project: Path) -> None:
    for file in (project / "sources").iterdir():
        file.unlink()
    assert names(project) == []
    (project / "sources").rmdir()
    assert names(project) == []
    assert source_files(project) == {}


def test_a_source_that_is_not_there(project: Path) -> None:
    found = faults(SpecError, project, ["wbe", "web", "zzz"])
    assert [(f.file, f.message, f.hint) for f in found] == [
        ("sources/wbe.yaml", "there is no source 'wbe'", "did you mean 'web'?"),
        ("sources/zzz.yaml", "there is no source 'zzz'", "sources: crm, web"),
    ]


def test_files_that_cannot_be_read_or_parsed_are_said_at_once(project: Path) -> None:
    (project / "etlgen.yaml").write_text("name: [\n")
    (project / "sources/web.yaml").write_bytes(b"a: 1\n\xff")
    (project / "sources/crm.yml").unlink()
    (project / "sources/crm.yml").symlink_to("nowhere")
    found = faults(SpecError, project)
    assert sorted((f.file, f.code) for f in found) == [
        ("etlgen.yaml", "yaml"),
        ("sources/crm.yml", "missing_file"),
        ("sources/web.yaml", "encoding"),
    ]


def test_texts_stand_for_files(project: Path) -> None:
    new = {"sources/erp.yaml": source("items"), "sources/web.yaml": source("visits")}
    spec = read_project(project, KINDS, texts=new)
    assert {found.name: [*found.resources] for found in spec.sources} == {
        "crm": ["people"],
        "erp": ["items"],
        "web": ["visits"],
    }
    assert names(project, ["erp"], new) == ["erp"]
    assert names(project, ["crm"], new) == ["crm"]
    (project / "etlgen.yaml").unlink()
    assert names(project, [], {"etlgen.yaml": "name: shop-etl\n"}) == []


def test_errors_in_a_text_name_the_file_that_it_stands_for(project: Path) -> None:
    (found,) = faults(SpecError, project, ["erp"], {"sources/erp.yaml": "kind: nothing\n"})
    assert (found.file, found.line, found.column) == ("sources/erp.yaml", 1, 7)


def test_what_is_parsed_can_be_hashed(project: Path) -> None:
    (project / "sources/web.yaml").write_bytes(
        b"\xef\xbb\xbf" + source("orders").replace("\n", "\r\n").encode()
    )
    texts = project_texts(project, None, {"sources/erp.yaml": "\ufeff" + source("a") + "\r"})
    assert texts == {
        "etlgen.yaml": "name: shop-etl\n",
        "sources/crm.yml": source("people"),
        "sources/erp.yaml": source("a") + "\n",
        "sources/web.yaml": source("orders"),
    }
    assert [found.name for found in read_texts(texts, KINDS).sources] == ["crm", "erp", "web"]
    with pytest.raises(SpecError, match="there is no source 'x'"):
        project_texts(project, ["x"])


def test_the_file_of_each_source(project: Path) -> None:
    for name in (
        ".#web.yaml",
        ".hidden.yaml",
        "web.yaml~",
        "#web.yaml#",
        "web.yaml.orig",
        "README",
    ):
        (project / "sources" / name).write_text("[")
    (project / "sources/folder.yaml").mkdir()
    (project / "sources/.#crm.yaml").symlink_to("someone@host.123")
    os.mkfifo(project / "sources/pipe.yaml")
    assert source_files(project) == {
        "crm": project / "sources/crm.yml",
        "web": project / "sources/web.yaml",
    }
    assert names(project) == ["crm", "web"]


def test_two_files_of_one_source(project: Path) -> None:
    (project / "sources/web.yml").write_text(source("orders"))
    (found,) = faults(SpecError, project, ["crm"])
    assert found.file == "sources/web.yml"
    assert found.message == "is the same source as sources/web.yaml"
    (project / "sources/web.yml").unlink()
    (found,) = faults(SpecError, project, None, {"sources/crm.yaml": source("people")})
    assert (found.file, found.hint) == ("sources/crm.yaml", "keep one of the two files")


@pytest.mark.parametrize("path", ["etlgen.yaml", "sources/web.yaml", "sources"])
def test_a_link_out_of_the_project_is_refused(project: Path, path: str) -> None:
    (project / path).rename(project.parent / "outside")
    (project / path).symlink_to(project.parent / "outside")
    found, *_ = faults(Refused, project)
    assert found.file in (path, "sources/crm.yml")
    assert found.message.startswith("is behind a symbolic link that leads out of the project, to ")


def test_a_link_out_of_the_project_is_no_file_of_a_source(project: Path) -> None:
    (project / "sources/etc.yaml").symlink_to("/etc/hostname")
    with pytest.raises(Refused, match=r"sources/etc\.yaml: is behind a symbolic link"):
        source_files(project)


def test_a_link_within_the_project_is_followed(project: Path, tmp_path: Path) -> None:
    (project / "kept.txt").write_text(source("orders"))
    (project / "sources/web.yaml").unlink()
    (project / "sources/web.yaml").symlink_to("../kept.txt")
    (tmp_path / "link").symlink_to(project)
    assert names(project) == names(tmp_path / "link") == ["crm", "web"]


def test_what_is_no_folder_or_no_file_is_said(project: Path) -> None:
    (project / "etlgen.yaml").unlink()
    (project / "etlgen.yaml").mkdir()
    (found,) = faults(SpecError, project)
    assert (found.file, found.message) == ("etlgen.yaml", "cannot be read: Is a directory")
    (project / "sources").rename(project / "other")
    (project / "sources").write_text("")
    (found,) = faults(SpecError, project)
    assert (found.file, found.message) == ("sources", "cannot be read: Not a directory")


def test_a_loop_of_links_is_said(project: Path) -> None:
    (project / "sources/a.yaml").symlink_to("b.yaml")
    (project / "sources/b.yaml").symlink_to("a.yaml")
    assert {f.code for f in faults(SpecError, project)} == {"unreadable"}


class BoxResource(ResourceSpec):
    rows: int = 3


class BoxSource(SourceSpec):
    kind: Literal["box"]


def test_a_skeleton_shows_what_the_sources_own_kind_needs(project: Path) -> None:
    (project / "sources/web.yaml").write_text(source("orders").replace("path: data\n", ""))
    kinds = {"box": Kind("box", BoxSource, BoxResource, Path("box"), (), print), **KINDS}
    with pytest.raises(MissingAnswers) as caught:
        read_project(project, kinds, ["web"])
    assert caught.value.skeleton == "sources:\n  web:\n    path: data/webshop\n"


def test_two_sources_cannot_load_one_table(project: Path) -> None:
    (project / "sources/web.yaml").write_text(source("people"))
    (found,) = faults(SpecError, project)
    assert (found.file, found.line) == ("sources/web.yaml", 3)
    assert found.message == "crm.people already loads the table 'people'"
    assert names(project, ["web"]) == ["web"]
