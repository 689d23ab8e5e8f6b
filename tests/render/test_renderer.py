from dataclasses import dataclass
from pathlib import Path

import pytest

from etlgen.errors import InternalError
from etlgen.pycode import Py, code
from etlgen.render import Renderer, output_path


def rendered(folder: Path, source: str, name: str = "a.py.jinja", **context: object) -> str:
    (folder / name).write_text(source, encoding="utf-8")
    return Renderer([folder]).text(name, context)


def fault(folder: Path, source: str, name: str = "a.py.jinja", **context: object) -> str:
    with pytest.raises(InternalError) as caught:
        rendered(folder, source, name, **context)
    (finding,) = caught.value.findings
    return f"{finding.file}:{finding.line}: {finding.message}"


def test_a_dataclass_is_a_context(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Plan:
        table: str

    (tmp_path / "a.py.jinja").write_text("TABLE = {{ table | py }}\n")
    file = Renderer([tmp_path]).render("a.py.jinja", "src/a.py", Plan("it's"), "etlgen")
    assert (file.path, file.unit, file.template) == ("src/a.py", "etlgen", "a.py.jinja")
    assert file.text == 'TABLE = "it\'s"\n'


def test_ready_code_prints_as_it_is(tmp_path: Path) -> None:
    made = code("f({x})", x="a")
    text = rendered(tmp_path, "{{ made }}; {{ spelled }}", made=made, spelled=Py("g()"))
    assert text == 'f("a"); g()'


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("\n{{ v }}", "a.py.jinja:2: a bare str is printed"),
        ("{{ n }}", "a.py.jinja:1: a bare int is printed"),
        ("{{ v ~ v }}", "a.py.jinja:1: a bare str is printed"),
        ("{{ (v | py) ~ '' }}", "a.py.jinja:1: a bare str is printed"),
        ("{{ 'constant' }}", "a.py.jinja:1: a bare str is printed"),
        ("\n\n{{ missing | py }}", "a.py.jinja:3: 'missing' is undefined"),
        ("{{ missing }}", "a.py.jinja:1: 'missing' is undefined"),
        ("\n{{ v | toml }}", "a.py.jinja:2: No filter named 'toml'"),
        ("{{ v | upper }}", "a.py.jinja:1: No filter named 'upper'"),
        ("{{ v | safe }}", "a.py.jinja:1: No filter named 'safe'"),
        ("{{ (v | comment) | py | comment }}", "a.py.jinja:1: a plain text is needed"),
        ("{{ range(3) }}", "a.py.jinja:1: 'range' is undefined"),
        ("{% if v %}", "a.py.jinja:1: Unexpected end of template"),
        ("{% macro m() %}{% endmacro %}", "a.py.jinja:1: macro is not used"),
        ("\n{% filter py %}a{% endfilter %}", "a.py.jinja:2: filter block is not used"),
        ("{% set x %}a{% endset %}", "a.py.jinja:1: set block is not used"),
        ("{% autoescape true %}{% endautoescape %}", "a.py.jinja:1: "),
        ("{% include 'b.toml.jinja' %}", "b.toml.jinja:None: b.toml.jinja is another kind"),
        ("{% include 'b.py.jinja' %}", "b.py.jinja:None: "),
    ],
)
def test_a_fault_of_a_template_names_it_and_its_line(
    tmp_path: Path, source: str, message: str
) -> None:
    (tmp_path / "b.toml.jinja").write_text("a = 1\n")
    assert fault(tmp_path, source, v="text", n=1).startswith(message)


def test_a_fault_in_an_included_template_names_that_one(tmp_path: Path) -> None:
    (tmp_path / "_part.py.jinja").write_text("\nx = {{ v }}\n")
    message = fault(tmp_path, "{% include '_part.py.jinja' %}", v=1)
    assert message.startswith("_part.py.jinja:2: a bare int")


def test_a_wrong_filter_is_found_without_rendering(tmp_path: Path) -> None:
    (tmp_path / "a.toml.jinja").write_text("{% if never %}{{ v | docstring }}{% endif %}")
    with pytest.raises(InternalError, match="No filter named 'docstring'"):
        Renderer([tmp_path]).check("a.toml.jinja")


def test_a_file_of_unknown_kind_has_no_spelling(tmp_path: Path) -> None:
    assert "no spelling is known" in fault(tmp_path, "x", "a.xyz.jinja")


def test_spec_text_is_not_a_template(tmp_path: Path) -> None:
    hostile = "{{ cycler.__init__.__globals__ }}{% include '/etc/passwd' %}"
    source = "# {{ v | comment }}\n{% include '_b.py.jinja' %}"
    (tmp_path / "_b.py.jinja").write_text("{{ v | py }}")
    assert rendered(tmp_path, source, v=hostile) == f'# {hostile}\n"{hostile}"'


def test_block_lines_leave_no_trace(tmp_path: Path) -> None:
    source = "a\n    {% if yes %}\n    b\n    {% endif %}\nc\n"
    assert rendered(tmp_path, source, yes=True) == "a\n    b\nc\n"


def test_the_first_root_that_has_a_template_wins(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.md.jinja").write_text(name)
    (tmp_path / "two" / "b.md.jinja").write_text("only here")
    renderer = Renderer([tmp_path / "one", tmp_path / "two"])
    assert renderer.text("a.md.jinja", {}) == "one"
    assert renderer.text("b.md.jinja", {}) == "only here"
    assert renderer.templates() == ["a.md.jinja", "b.md.jinja"]


def test_a_copy_is_the_same_bytes(tmp_path: Path) -> None:
    content = b"x = '{{ not jinja }}'  \r\n\r\n"
    (tmp_path / "a.py").write_bytes(content)
    file = Renderer([tmp_path]).copy("a.py", "src/runtime/a.py", "etlgen")
    assert file.verbatim
    assert file.text.encode() == content
    with pytest.raises(InternalError, match="no such file"):
        Renderer([tmp_path]).copy("b.py", "b.py", "etlgen")


def test_placeholders_in_paths() -> None:
    names = {"package": "shop_etl", "source": "crm", "dag": "shop_etl__crm"}
    assert (
        output_path("src/__package__/sources/__source__/__init__.py.jinja", names)
        == "src/shop_etl/sources/crm/__init__.py"
    )
    assert output_path("dags/__dag__.py.jinja", names) == "dags/shop_etl__crm.py"
    assert output_path("src/__package__/__main__.py", names) == "src/shop_etl/__main__.py"


def test_a_name_for_a_placeholder_is_not_filled_again() -> None:
    names = {"package": "__source__", "source": "x"}
    assert output_path("src/__package__/a.py", names) == "src/__source__/a.py"


@pytest.mark.parametrize(
    "name", ["..", ".", "", "a/b", "a\\b", "/abs", "C:x", "a\0b", "a\nb", "a\u202eb", "end. ", "x."]
)
def test_a_name_that_leaves_its_folder_is_refused(name: str) -> None:
    with pytest.raises(InternalError):
        output_path("src/__package__/a.py", {"package": name})


def test_an_unknown_placeholder_is_refused() -> None:
    with pytest.raises(InternalError, match="__resource__"):
        output_path("src/__resource__.py", {"package": "p"})


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", "a//b", "C:/x", "a\tb"])
def test_a_file_outside_the_project_cannot_be_made(tmp_path: Path, path: str) -> None:
    (tmp_path / "a.md.jinja").write_text("x")
    with pytest.raises(InternalError, match="not a plain path"):
        Renderer([tmp_path]).render("a.md.jinja", path, {}, "etlgen")
