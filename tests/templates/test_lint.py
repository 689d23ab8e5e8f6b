"""Every template puts every value where its spelling is safe, whatever the value is."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etlgen.render.lint import Linter, shape, texts
from etlgen.templates import templates_root

from .contexts import python_renderings, renderings

LINTER = Linter([templates_root()])
# No template of a file: it is included by others.
PARTS = {
    f"resource/{name}.py.jinja"
    for name in ("one_table", "table", "transform_and_check", "transform_rows")
}
HOSTILE = [
    'x"""\n__import__("pathlib").Path("canary").touch()\n"""',
    "trailing \\",
    "'\"\"'",
    "{x} {{ x }} {% x %} %s",
    "\r\x0b\x85\u2028\u202e\ufeff",
]


def test_every_template_is_rendered_by_a_spec_of_these_tests() -> None:
    assert {template for template, _ in renderings()} | PARTS == set(LINTER.templates())


@pytest.mark.parametrize("template", sorted({template for template, _ in renderings()}))
def test_a_template_puts_each_spelling_where_it_is_safe(template: str) -> None:
    for name, context in renderings():
        if name == template:
            assert LINTER.misplaced(template, context) == []


@pytest.mark.slow
@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(text=st.sampled_from(HOSTILE) | st.text(min_size=1))
def test_any_text_in_any_python_template_stays_a_constant(text: str) -> None:
    for template, context in python_renderings():
        plain = LINTER.with_text(template, context, "plain")
        hostile = LINTER.with_text(template, context, text)
        assert shape(hostile.text) == shape(plain.text), template
        constants = texts(hostile.text)
        for slot in hostile.slots:
            if slot.spelling in ("py", "regex"):
                assert text in constants, template
            elif slot.spelling == "docstring":
                said = [" ".join(constant.split()) for constant in constants]
                assert any(" ".join(text.split()) in one for one in said), template
