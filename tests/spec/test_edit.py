"""Editing a user's YAML: what is meant is said, and everything else stays as it was."""

import json
import re
from decimal import Decimal
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etlgen.errors import Finding, Refused, SpecError
from etlgen.spec import document
from etlgen.spec.document import parse_document
from etlgen.spec.edit import source_text, with_resources, with_scalar, yaml_key, yaml_value
from etlgen.spec.split import split
from tests.spec.specs import SHOP


@pytest.fixture(
    autouse=True, params=["CSafeLoader", pytest.param("SafeLoader", marks=pytest.mark.slow)]
)
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both say where a value ends, and not in the same words."""
    if not hasattr(yaml, request.param):
        pytest.skip("PyYAML without libyaml")
    monkeypatch.setattr(document, "_LOADER", getattr(yaml, request.param))


def tree(text: str) -> Any:
    return parse_document(text, "file.yaml").tree


def packaged(text: str) -> str:
    return with_scalar(text, "etlgen.yaml", "package", "shop_x")


def grown(text: str, added: str) -> str:
    return with_resources(text, "sources/crm.yaml", added, "new.yaml")


def findings(error: type[SpecError | Refused], text: str, added: str) -> tuple[Finding, ...]:
    with pytest.raises(error) as caught:
        grown(text, added)
    return caught.value.findings


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("name: x  # mine\n", "name: shop  # mine\n"),
        ("# top\nowner: 'y'\nname:   \"x\"\n", "# top\nowner: 'y'\nname:   shop\n"),
        ("name: x\r\nowner: y", "name: shop\r\nowner: y"),
        ("\ufeffname: x\n", "\ufeffname: shop\n"),
        ("name:\nowner: y\n", "name: shop\nowner: y\n"),
        ("name:   # none yet\n", "name: shop   # none yet\n"),
        ("name:\n  x\nowner: y\n", "name:\n  shop\nowner: y\n"),
        ("name: two\n  words # c\nowner: y\n", "name: shop # c\nowner: y\n"),
        ("name: 'two\n\n  words'\nowner: y\n", "name: shop\nowner: y\n"),
        ("name: |  # why\n  x\n  y\n# o\nowner: y\n", "name: shop  # why\n# o\nowner: y\n"),
        ("name: >-\n  x\n", "name: shop\n"),
        ("{name: x, owner: y}", "{name: shop, owner: y}"),
        ('{"name":"x"}', '{"name": shop}'),
        ("? name\n: x\n", "? name\n: shop\n"),
    ],
)
def test_a_value_is_replaced_where_it_stands(before: str, after: str) -> None:
    assert with_scalar(before, "etlgen.yaml", "name", "shop") == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "package: shop_x\n"),
        ("# top\n", "# top\npackage: shop_x\n"),
        ("# top", "# top\npackage: shop_x\n"),
        ("---\n", "---\npackage: shop_x\n"),
        ("name: x # c\n\n# o\nowner: y", "name: x # c\npackage: shop_x\n\n# o\nowner: y"),
        ("owner: y\nname: x", "owner: y\nname: x\npackage: shop_x\n"),
        ("owner: y\n# end\n", "owner: y\npackage: shop_x\n# end\n"),
        ("owner: y\n...\n", "owner: y\npackage: shop_x\n...\n"),
        ("tags:\n  - t\n  # deep\n# end", "tags:\n  - t\n  # deep\npackage: shop_x\n# end"),
        ("name: |\n  x\n# o\nowner: y\n", "name: |\n  x\npackage: shop_x\n# o\nowner: y\n"),
        ("name: x\r\nowner: y\r\n", "name: x\r\npackage: shop_x\r\nowner: y\r\n"),
        ("\ufeffname: x\n", "\ufeffname: x\npackage: shop_x\n"),
        ("  name: x\n  owner: y\n", "  name: x\n  package: shop_x\n  owner: y\n"),
        ("{}", "{package: shop_x}"),
        ("{name: x, owner: y}", "{name: x, package: shop_x, owner: y}"),
        ("{\n  name: x,\n}\n", "{\n  name: x,\n  package: shop_x,\n}\n"),
        ("{\n  name: x,  # c\n  o: y\n}", "{\n  name: x,  # c\n  package: shop_x,\n  o: y\n}"),
        ("{\n  o: y  # c\n}\n", "{\n  o: y,  # c\n  package: shop_x\n}\n"),
    ],
)
def test_a_key_is_added_after_the_name(before: str, after: str) -> None:
    assert packaged(before) == after


def test_a_value_is_quoted_where_it_must_be() -> None:
    assert with_scalar("name: x\n", "f", "name", "a: b") == 'name: "a: b"\n'
    assert with_scalar("name: x\n", "f", "name", "a, b") == "name: a, b\n"
    assert with_scalar("{name: x}", "f", "name", "a, b") == '{name: "a, b"}'


@pytest.mark.parametrize(
    ("text", "line"), [("o: 1\nname: {a: 1}\n", 2), ("name:\n- a\n", 2), ("{o: 1, name}", 1)]
)
def test_what_cannot_be_replaced_is_said_with_the_way_out(text: str, line: int) -> None:
    with pytest.raises(SpecError, match="write 'name: shop' by hand") as caught:
        with_scalar(text, "etlgen.yaml", "name", "shop")
    assert caught.value.findings[0].line == line


def test_an_addition_that_would_say_something_else_is_refused() -> None:
    with pytest.raises(SpecError, match="write 'package: shop_x' by hand"):
        packaged("owner: |\n  no line end")  # a line more would end it
    with pytest.raises(SpecError, match="a spec is a mapping"):
        packaged("[name]")


@pytest.mark.parametrize(
    ("value", "block", "in_flow", "listed"),
    [
        ("shop", "shop", "shop", "shop"),
        ("NO", "NO", "NO", "NO"),
        ("007", "007", "007", "007"),
        ("7", '"7"', '"7"', '"7"'),
        ("1.5", '"1.5"', '"1.5"', '"1.5"'),
        ("true", '"true"', '"true"', '"true"'),
        ("~", '"~"', '"~"', '"~"'),
        ("", '""', '""', '""'),
        ("-", '"-"', '"-"', '"-"'),
        ("a b", "a b", "a b", "a b"),
        ("a ", '"a "', '"a "', '"a "'),
        ("a, b", "a, b", '"a, b"', '"a, b"'),
        ("a #b", '"a #b"', '"a #b"', '"a #b"'),
        ("@daily", '"@daily"', '"@daily"', '"@daily"'),
        ("*.csv", '"*.csv"', '"*.csv"', '"*.csv"'),
        ("${A:-b}", "${A:-b}", '"${A:-b}"', '"${A:-b}"'),
        ("numeric(12,2)", "numeric(12,2)", "numeric(12,2)", '"numeric(12,2)"'),
        (r"[a\s]+", r"'[a\s]+'", r"'[a\s]+'", r"'[a\s]+'"),
        ("it's", "it's", "it's", "it's"),
        ("a\nb\t\x1b", r'"a\nb\t\x1b"', r'"a\nb\t\x1b"', r'"a\nb\t\x1b"'),
        ("a\u202eb", r'"a\u202eb"', r'"a\u202eb"', r'"a\u202eb"'),
    ],
)
def test_quotes_only_where_needed(value: str, block: str, in_flow: str, listed: str) -> None:
    assert yaml_value(value) == block
    assert yaml_value({"k": value}) == f"{{k: {in_flow}}}"
    assert yaml_value([value]) == f"[{listed}]"


VALUES = st.recursive(
    st.one_of(
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6),
        st.text("a(,)1:#-[]{}'\"\\ |>&*!?%@`~<=\n", max_size=6),
        st.sampled_from(["null", "NO", "1", "1.50", "1e3", "<<", "---", "f(1", "2)", "f(1,2)"]),
        st.integers(),
        st.booleans(),
        st.none(),
        st.decimals(-1000, 1000, places=2),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text("a(,) #:1", max_size=4), inner)
    ),
    max_leaves=6,
)


@given(VALUES)
def test_any_value_is_read_as_it_was_written(value: Any) -> None:
    assert repr(tree(f"x: {yaml_value(value)}\n")["x"]) == repr(value)
    assert repr(tree(f"{{x: {yaml_value(value, in_flow=True)}, y: 1}}")["x"]) == repr(value)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8))
def test_any_key_is_read_as_it_was_written(key: str) -> None:
    assert tree(f"{yaml_key(key)}: 1") == {key: 1}
    assert tree(f"{{{yaml_key(key)}: 1}}") == {key: 1}


def test_a_number_keeps_its_digits() -> None:
    assert yaml_value([Decimal("1.50"), -3, True, None]) == "[1.50, -3, true, null]"


def test_what_yaml_has_no_words_for_is_refused() -> None:
    with pytest.raises(SpecError, match="cannot stand in YAML"):
        yaml_key("x" * 2000)


CRM = """\
# yaml-language-server: $schema=../.etlgen/schema/source.json
kind: file
path: "data/crm"   # from the CRM
resources:  # all of them
  # first
  orders:
    path: a.csv
    columns:
      id: {type: bigint, nullable: false}  # key

  # about customers
  customers:
    path: c.csv
    columns: {id: {type: numeric(12,2)}}
  # the end of the resources

# about the schedule
schedule: "@daily"
# last
"""

MORE = """\
# mine
kind: file
resources:   # new ones

    # about returns
    returns:
        path: r.csv
        # inside
        description: |2
             indented
           less

        columns:
            x: {type: numeric(12,2)}  # x
    # about stock
    stock: {path: s.csv, columns: {
       y: {type: text},  # y
    }}
    # after stock
# tail
path: data/crm
"""

GROWN = """\
  # the end of the resources

  # new ones

  # about returns
  returns:
      path: r.csv
      # inside
      description: |2
           indented
         less

      columns:
          x: {type: numeric(12,2)}  # x
  # about stock
  stock: {path: s.csv, columns: {
     y: {type: text},  # y
  }}
  # after stock

# about the schedule
"""


def test_resources_come_with_their_comments_to_the_end_of_the_others() -> None:
    before, _, after = CRM.partition("  # the end of the resources\n\n# about the schedule\n")
    assert grown(CRM, MORE) == before + GROWN + after


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("other_end", ["\n", "\r\n", "\r"])
def test_line_ends_and_marks_are_those_of_the_file(end: str, other_end: str) -> None:
    expected = grown(CRM, MORE).replace("\n", end)
    assert grown(CRM.replace("\n", end), MORE.replace("\n", other_end)) == expected
    assert grown("\ufeff" + CRM, "\ufeff" + MORE) == "\ufeff" + grown(CRM, MORE)


ONE = "resources:\n  a: {x: 1}\n"


@pytest.mark.parametrize(
    ("text", "added", "expected"),
    [
        (ONE, "resources:\n  b: {x: 2}", "resources:\n  a: {x: 1}\n  b: {x: 2}\n"),
        (ONE[:-1], "resources:\n  b: {x: 2}\n", "resources:\n  a: {x: 1}\n  b: {x: 2}\n"),
        (f"{ONE}...\n", "resources:\n  b: 2\n", f"{ONE}  b: 2\n...\n"),
        (f"{ONE}\n\n# end\n", "resources:\n  b: 2\n", f"{ONE}  b: 2\n\n\n# end\n"),
        (f"{ONE}    # deep\n", "resources:\n  b: 2\n", f"{ONE}    # deep\n  b: 2\n"),
        (ONE, "resources:\n  b:\n  - 1\n", f"{ONE}  b:\n  - 1\n"),
        (ONE, "resources:\n\n   \n  # b\n\n  b: 2\n\n", f"{ONE}  # b\n\n  b: 2\n"),
        (
            ONE,
            "resources:\n b:\n  c: |\n    d\n\n    e\n",
            f"{ONE}  b:\n   c: |\n     d\n\n     e\n",
        ),
        (
            ONE,
            "resources:\n    b:\n        c: |+\n            d\n\n\n",
            f"{ONE}  b:\n      c: |+\n          d\n\n\n",
        ),
        (ONE, "resources:\n     b: 'x\n  y\n\n  z'\n", f"{ONE}  b: 'x\ny\n\nz'\n"),
        (ONE, 'resources:\n     b: "x\n\ty"\n', f'{ONE}  b: "x\n\ty"\n'),
        (ONE, "resources:\n b: |\n  x\u2028  y\n", f"{ONE}  b: |\n   x\u2028   y\n"),
        (ONE, "resources:\n b: |1\n   x\n", f"{ONE}  b: |1\n    x\n"),
        (
            "resources:\n    a: 1\n",
            "resources:\n  b:\n    c: 1\n",
            "resources:\n    a: 1\n    b:\n      c: 1\n",
        ),
        (
            "resources:\n  a: |+\n    x\n\n\nz: 1\n",
            "resources: {b: 2}",
            "resources:\n  a: |+\n    x\n\n\n  b: 2\nz: 1\n",
        ),
    ],
)
def test_a_block_grows_by_a_block(text: str, added: str, expected: str) -> None:
    assert grown(text, added) == expected


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        ('{"resources":{"b":{"x":2},"c":{"x":3}}}', '  "b": {"x":2}\n  "c": {"x":3}\n'),
        ("resources: {b: {x: 2}, c: {x: 3},}  # c\n", "  b: {x: 2}\n  c: {x: 3}\n"),
        ("{\n  resources: {\n    b: {\n      x: 2\n    }\n  }\n}\n", "  b: {\n    x: 2\n  }\n"),
        (
            "resources: { # open\n    # about b\n    b: {x: 2}, # behind b\n    # about c\n"
            "    c: {\n      x: 3, # inside\n    } # behind c\n    # end\n}\n",
            "  # open\n  # about b\n  b: {x: 2}  # behind b\n  # about c\n"
            "  c: {\n    x: 3, # inside\n  }  # behind c\n  # end\n",
        ),
    ],
)
def test_a_block_grows_by_what_was_in_flow_style(added: str, expected: str) -> None:
    assert grown(ONE, added) == ONE + expected


@pytest.mark.parametrize(
    ("text", "added", "expected"),
    [
        (
            "{resources: {a: 1}, k: v}",
            "resources: {b: 2, c: 3}",
            "{resources: {a: 1, b: 2, c: 3}, k: v}",
        ),
        (
            "resources: {a: 1}  # c\n",
            "resources:\n  b:\n    t: numeric(12,2)\n",
            "resources: {a: 1, b: {t: numeric(12,2)}}  # c\n",
        ),
        ("{resources: {}}", "resources: {b: 2}", "{resources: {b: 2}}"),
        (
            '{\r\n  "resources": {\r\n    "a": {}\r\n  }\r\n}\r\n',
            '{\n "resources": {\n  "b": {\n   "x": 1\n  }\n }\n}\n',
            '{\r\n  "resources": {\r\n    "a": {},\r\n'
            '    "b": {\r\n     "x": 1\r\n    }\r\n  }\r\n}\r\n',
        ),
        (
            "resources: {\n  a: 1,  # a\n}\n",
            "resources: {b: 2}",
            "resources: {\n  a: 1,  # a\n  b: 2,\n}\n",
        ),
        ("{resources: {a: 1}}\r\n", "resources: {b: {\n}}", "{resources: {a: 1, b: {\r\n}}}\r\n"),
        (
            "resources: {\r\n  a: 1  # a\r\n}\r\n",
            "resources: {b: 2}",
            "resources: {\r\n  a: 1,  # a\r\n  b: 2\r\n}\r\n",
        ),
    ],
)
def test_flow_style_grows_in_flow_style(text: str, added: str, expected: str) -> None:
    assert grown(text, added) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("resources: {}  # none\n# end\n", "resources:  # none\n  b: {x: 2}\n# end\n"),
        ("resources: { }\nk: v\n", "resources:\n  b: {x: 2}\nk: v\n"),
        ("resources:\n\nk: v", "resources:\n  b: {x: 2}\n\nk: v"),
        ("resources: null", "resources:\n  b: {x: 2}\n"),
        ("k: v\r\nresources: ~\r\n", "k: v\r\nresources:\r\n  b: {x: 2}\r\n"),
    ],
)
def test_resources_come_where_there_were_none(text: str, expected: str) -> None:
    assert (
        grown(text, "k: v\nresources:\n  b: {x: 2}\n" if "k:" in text else "resources: {b: {x: 2}}")
        == expected
    )


def test_a_source_of_a_one_file_spec_is_added() -> None:
    text = CRM.replace("orders", "people").replace("customers", "visits")
    added = SHOP.replace("path: data/crm", 'path: "data/crm"')
    result = grown(text, added)
    block = "  customers:\n    path: customers.jsonl\n    columns:\n      email: {type: text"
    assert f"  # the end of the resources\n\n{block}" in result
    assert "webshop" not in result


def test_resources_that_are_there_are_refused() -> None:
    added = "kind: file\nresources:\n  # again\n  orders: {}\n  new: {}\n  customers: {}\n"
    found = findings(Refused, CRM, added)
    assert [(f.file, f.line, f.column, f.message) for f in found] == [
        ("new.yaml", 4, 3, "crm already has a resource 'orders'"),
        ("new.yaml", 6, 3, "crm already has a resource 'customers'"),
    ]
    assert {f.hint for f in found} == {"edit sources/crm.yaml, then run etlgen generate"}


def test_what_the_source_itself_says_must_be_the_same() -> None:
    added = "kind: file\npath: data\ntags: [a]\nschedule: '@daily'\nresources: {b: {}}\n"
    found = findings(SpecError, CRM, added)
    assert [(f.line, f.column, f.message) for f in found] == [
        (2, 7, "sources/crm.yaml says path: data/crm, this says data"),
        (3, 1, "sources/crm.yaml has no 'tags'"),
    ]
    assert {f.hint for f in found} == {"take it out here, or change sources/crm.yaml first"}


def test_a_difference_shows_no_password() -> None:
    added = "path: postgresql://u:S3cr3t@h/db\nresources: {b: {}}\n"
    assert "S3cr3t" not in repr(findings(SpecError, CRM, added))


@pytest.mark.parametrize(
    ("text", "added", "file", "message"),
    [
        (CRM, "kind: file\n", "new.yaml", "missing 'resources'"),
        (CRM, "", "new.yaml", "missing 'resources'"),
        (CRM, "[a]", "new.yaml", "missing 'resources'"),
        (CRM, "resources: {}", "new.yaml", "at least one is needed here"),
        (CRM, "resources: [a]", "new.yaml", "resources is a mapping of names to resources"),
        ("kind: file\n", "resources: {b: {}}", "sources/crm.yaml", "missing 'resources'"),
        (
            "resources: x\n",
            "resources: {b: {}}",
            "sources/crm.yaml",
            "resources is a mapping of names to resources",
        ),
    ],
)
def test_what_has_no_resources(text: str, added: str, file: str, message: str) -> None:
    (found,) = findings(SpecError, text, added)
    assert (found.file, found.line) == (file, 1)
    assert found.message == message


@pytest.mark.parametrize(
    ("text", "added"),
    [
        ("{resources: {a: 1}}", "resources:\n  b:  # lost\n    x: 1\n"),
        ("{resources: {a: 1}}", "resources: {b: 1,  # lost\n  c: 2}"),
        ("{resources: }", "resources: {b: 1}"),
        ("resources: {\n  # lost\n}\n", "resources: {b: 1}"),
        ("resources:\n  a: |\n    no line end", "resources: {b: 1}"),
        ("resources:\n  a: 1\n\nk: v\n", "resources:\n  b: |+\n    x\n"),
    ],
)
def test_what_cannot_be_added_is_said_with_the_way_out(text: str, added: str) -> None:
    (found,) = findings(SpecError, text, added)
    assert (found.file, found.line) == ("sources/crm.yaml", 1)
    assert (
        found.hint
        == "write 'resources:' as a block, each resource and each comment on its own lines"
    )


class Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, with an indentation indicator where one is due."""


def represented(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


Dumper.add_representer(str, represented)

WORDS = st.text("ab #:-'\"|é\n", max_size=10).flatmap(
    lambda text: st.sampled_from([f"x{text}", f" {text}x", f"\n {text}x"])
)
TREES = st.recursive(
    st.one_of(WORDS, st.integers(), st.booleans(), st.none()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("klmn"), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def sources(draw: st.DrawFn, names: str, keys: str) -> str:
    """The text of a source: block, flow or JSON, with comments wherever they change nothing."""
    resources = draw(st.dictionaries(st.sampled_from(names), TREES, min_size=1))
    said: dict[str, Any] = {"kind": "file", "resources": resources}
    said |= draw(st.dictionaries(st.sampled_from(keys), TREES, max_size=2)) if keys else {}
    style = draw(st.sampled_from(["json", "flow", "block", "block", "block"]))
    if style == "json":
        text = json.dumps(said, indent=draw(st.sampled_from([None, 2])), ensure_ascii=False)
    else:
        indent, flow = draw(st.sampled_from([2, 3, 4])), None if style == "block" else True
        text = yaml.dump(
            said, Dumper=Dumper, indent=indent, default_flow_style=flow, allow_unicode=True
        )
    return commented(draw, text, names)


def commented(draw: st.DrawFn, text: str, tag: str) -> str:
    meant = repr(tree(text))
    for number in draw(st.lists(st.integers(0, 30), max_size=8)):
        lines = text.split("\n")
        at = number % len(lines)
        comment = f"# {tag}{number}"
        if draw(st.booleans()):
            lines[at] += f"  {comment}"
        else:
            lines.insert(at, draw(st.sampled_from(["", "  ", "    ", "\n"])) + comment)
        try:
            new = "\n".join(lines)
            text = new if repr(tree(new)) == meant else text
        except SpecError:
            continue
    return text


def kept(before: str, after: str) -> bool:
    """Whether all of a text is left, before and after one insertion."""
    return same_start(before, after) + same_start(before[::-1], after[::-1]) >= len(before)


def same_start(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


@given(sources("abc", "stu"), sources("pqr", ""), st.sampled_from(["\n", "\r\n"]))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_any_source_grows_by_any_resources(text: str, added: str, end: str) -> None:
    text = text.replace("\n", end)
    try:
        result = grown(text, added)
    except SpecError:
        assert is_flow(text)  # which has no place for comments
        assert "#" in added
        return
    have, more = tree(text), tree(added)["resources"]
    assert repr(tree(result)) == repr({**have, "resources": {**have["resources"], **more}})
    assert kept(text, result) or (is_flow(text) and "#" in text)
    if "\r\n" in text:
        assert result.count("\n") == result.count("\r\n")
    assert all(comment in result for comment in comments_within(added))


def is_flow(text: str) -> bool:
    return parse_document(text, "").spans[("resources",)].is_flow


def comments_within(text: str) -> list[str]:
    """Those between the key `resources` and the end of the last value below it."""
    read = parse_document(text, "")
    spans = {path: span for path, span in read.spans.items() if path[:1] == ("resources",)}
    whole = spans[("resources",)]
    inner = {path[:length] for path in spans for length in range(len(path))}  # blocks end late
    ends = [span.end for path, span in spans.items() if span.is_flow or path not in inner]
    end = max((mark.line, mark.column) for mark in ends)
    assert whole.key is not None
    lines = [*read.lines[whole.key.line : end[0]], read.lines[end[0]][: end[1]]]
    return re.findall(r"# pqr\d+", "\n".join(lines))


@given(sources("abc", "stu"), WORDS)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_any_file_takes_any_value(text: str, value: str) -> None:
    result = with_scalar(text, "f", "package", value)
    said = tree(result)
    assert said.pop("package") == value
    assert repr(said) == repr(tree(text))
    assert kept(text, result) or (is_flow(text) and "#" in text)
    assert with_scalar(result, "f", "package", "other").count("other") == 1


def test_a_source_is_taken_as_it_is_under_its_modeline() -> None:
    text = "# mine\r\nkind: file\r\npath: data  # here\r\nresources: {}"
    assert source_text(text, "crm.yaml", "crm") == (
        "# yaml-language-server: $schema=../.etlgen/schema/source.json\n"
        "# mine\nkind: file\npath: data  # here\nresources: {}\n"
    )
    assert source_text("\ufeff\n\n" + CRM, "crm.yaml", "crm") == CRM
    assert tree(source_text("", "the command line", "crm")) is None
    assert "sources:" in source_text("kind: file\nsources: {}\n", "crm.yaml", "crm")


@pytest.mark.parametrize(
    "text", [SHOP, SHOP.replace("\n", "\r\n"), "\ufeff" + SHOP, json.dumps(tree(SHOP))]
)
def test_a_source_of_one_file_is_what_a_new_project_has(text: str) -> None:
    files = split(text, "shop.yaml")
    for source in ("webshop", "crm"):
        taken = source_text(text, "shop.yaml", source)
        assert taken == files[f"sources/{source}.yaml"]
        assert source_text(taken, "again.yaml", source) == taken


@given(sources("abc", "stu"), sources("pqr", "st"), st.booleans())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_any_source_of_one_file_is_what_a_new_project_has(
    first: str, second: str, is_block: bool
) -> None:
    said = {"name": "x", "sources": {"crm": tree(first), "web": tree(second)}}
    text = yaml.dump(said, Dumper=Dumper) if is_block else json.dumps(said)
    files = split(text, "shop.yaml")
    for source in ("crm", "web"):
        assert source_text(text, "shop.yaml", source) == files[f"sources/{source}.yaml"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SHOP, r"^f:7:1: there is no source 'cmr' in this file; did you mean 'crm'\?"),
        (SHOP.replace("crm:", "other:"), "in this file; sources: webshop, other"),
        ("sources:\n", "f:1:1: there is no source 'cmr' in this file"),
        ("sources: [a]\n", "f:1:10: sources is a mapping of names to sources"),
        ("kind: [", "f:1:8: while parsing"),
    ],
)
def test_a_file_without_the_source(text: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        source_text(text, "f", "cmr")
