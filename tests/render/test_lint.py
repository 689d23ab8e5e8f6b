"""The lint, on templates of its own: one that is right, and each way of being wrong."""

import inspect
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etlgen.pycode import code
from etlgen.render.lint import Linter, shape, texts
from etlgen.rendered import RenderedFile
from etlgen.style import styled

CONTEXT = {
    "title": "Orders",
    "name": "orders",
    "rows": [{"key": "a", "value": 1}, {"key": "b", "value": "it's"}],
    "expression": code("abs({x})", x=1),
    "pattern": r"\d+",
}

RESOURCE = '''"""{{ title | docstring }}

{{ title | docstring }}
"""

import re

# About: {{ title | comment }}
TABLE = {{ name | py }}
PATTERN = re.compile({{ pattern | regex }})
VALUES = [
{% for row in rows %}
    ({{ row.key | py }}, {{ row.value | py }}),  # {{ row.key | comment }}
{% endfor %}
]


def make_{{ name | ident }}() -> int:
    """{{ title | docstring(4) }}"""
    return {{ expression }}
'''

RIGHT = {
    "resource.py.jinja": RESOURCE,
    "pyproject.toml.jinja": (
        "# {{ title | comment }}\n[project]\nname = {{ name | toml }}\n"
        'scripts = ["{{ name | word }}.cli:main"]\nd = {{ title | toml }}  # {{ name | comment }}\n'
    ),
    "ci.yml.jinja": (
        "# {{ title | comment }}\nname: {{ name | yaml }}\nsteps:\n"
        "  - run: |\n      {{ name | word }} run\n"
    ),
    "README.md.jinja": (
        "# {{ title | md }}\n\nThe table {{ name | code }}, by `{{ name | word }} run`.\n\n"
        "```sh\n{{ name | sh }} run\n```\n\n"
        '```mermaid\nflowchart LR\n  a["{{ title | mermaid }}"] --> b\n```\n'
    ),
    ".env.example.jinja": "# {{ title | comment }}\nPATH_OF={{ title | env }}\n",
    "schema.json.jinja": '{"a": {{ title | json }}}\n',
    "Makefile.jinja": "# {{ title | comment }}\nrun:\n\t{{ name | word }} run\n",
    ".gitignore.jinja": "{{ name | word }}.log\n",
}

WRONG = [
    ("a.py.jinja", "x = {{ title | comment }}\n", "comment must not be a name"),
    ("a.py.jinja", "# {{ title | py }}\n", "py must not be in a comment"),
    ("a.py.jinja", 'x = "{{ name | py }}"\n', "py must not be"),
    ("a.py.jinja", 'x = f"{ {{ name | py }} }"\n', "py must not be"),
    ("a.py.jinja", "x = {{ title | docstring }}\n", "docstring must not be a name"),
    ("a.py.jinja", 'x = "{{ title | docstring }}"\n', "docstring must not be"),
    ("a.py.jinja", 'x = f"""{{ title | docstring }}"""\n', "docstring must not be inside a string"),
    ("a.py.jinja", 'x = r"""{{ title | docstring }}"""\n', "docstring must not be inside a string"),
    ("a.py.jinja", 'x = "{{ name | ident }}"\n', "ident must not be"),
    ("a.py.jinja", "x = a{{ name | ident }}\n", "ident must not be bare"),
    ("a.py.jinja", "x = a_{{ expression }}\n", "ready must not be part of a name"),
    ("a.py.jinja", 'x = "{{ expression }}"\n', "ready must not be"),
    ("a.py.jinja", "# {{ expression }}\n", "ready must not be in a comment"),
    ("a.py.jinja", '"""{{ pattern | regex }} """\n', "regex must not be inside a docstring"),
    ("a.toml.jinja", "a = '{{ title | toml }}'\n", "toml must not be inside a string"),
    ("a.toml.jinja", "# {{ title | toml }}\n", "toml must not be in a comment"),
    ("a.toml.jinja", 'a = "{{ title | comment }}"\n', "comment must not be a whole string"),
    ("a.yaml.jinja", "a: x {{ title | yaml }}\n", "yaml must not be inside a string"),
    ("a.yaml.jinja", "a: {{ title | comment }}\n", "comment must not be a whole string"),
    ("a.md.jinja", "```\n{{ title | md }}\n```\n", "md must not be in a code block"),
    ("a.md.jinja", "`{{ title | md }}`\n", "md must not be in a code span"),
    ("a.md.jinja", "```sh\n{{ title | code }}\n```\n", "code must not be in a code block"),
    ("a.md.jinja", "{{ title | mermaid }}\n", "mermaid must not be in running text"),
    ("a.md.jinja", "```mermaid\na[{{ title | mermaid }}]\n```\n", "mermaid must not be bare"),
    ("a.md.jinja", "run {{ title | sh }}\n", "sh must not be in running text"),
    (".env.example.jinja", "A=x{{ title | env }}\n", "env must not be bare"),
    (".env.example.jinja", "A={{ title | comment }}\n", "comment must not be a whole value"),
]


@pytest.fixture(scope="module")
def linter(tmp_path_factory: pytest.TempPathFactory) -> Linter:
    folder = tmp_path_factory.mktemp("templates")
    for name, source in RIGHT.items():
        (folder / name).write_text(source, encoding="utf-8")
    return Linter([folder])


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_template_passes(linter: Linter, name: str) -> None:
    linter.check(name)
    assert linter.misplaced(name, CONTEXT) == []


@pytest.mark.parametrize(("name", "source", "message"), WRONG)
def test_a_value_in_the_wrong_place_is_found(
    tmp_path: Path, name: str, source: str, message: str
) -> None:
    (tmp_path / name).write_text(source)
    (found,) = Linter([tmp_path]).misplaced(name, CONTEXT)
    assert message in found


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(text=st.text(min_size=1))
def test_any_text_anywhere_stays_a_constant(linter: Linter, text: str) -> None:
    known = linter.with_sentinels("resource.py.jinja", CONTEXT)
    hostile = linter.with_text("resource.py.jinja", CONTEXT, text)
    # The ready-made expression is a sentinel in the one and itself in the other.
    ready = next(slot.text for slot in known.slots if slot.spelling == "ready")
    assert shape(hostile.text.replace("abs(1)", ready)) == shape(known.text)
    given_texts = [slot.text for slot in hostile.slots if slot.spelling in ("py", "regex")]
    assert texts(hostile.text)[1:-1] == given_texts
    docstring = texts(hostile.text)[-1]
    assert docstring == text or inspect.cleandoc(docstring) == text


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(text=st.text(min_size=1).filter(str.strip))
def test_style_changes_no_constant(linter: Linter, text: str) -> None:
    hostile = linter.with_text("resource.py.jinja", CONTEXT, text)
    (done,) = styled([RenderedFile("a.py", hostile.text, "u", "t")], package="shop")
    assert texts(done.text)[1:-1] == texts(hostile.text)[1:-1]
    docstring = texts(done.text)[-1]
    assert docstring == text or inspect.cleandoc(docstring) == text
