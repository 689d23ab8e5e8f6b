"""Splitting the one-file form: the user's text, cut, and the same spec."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etlgen.errors import SpecError
from etlgen.kinds import load_kinds
from etlgen.spec.document import parse_document
from etlgen.spec.reading import read_project
from etlgen.spec.split import split
from tests.spec.specs import SHOP, read


def trees(files: dict[str, str]) -> tuple[Any, dict[str, Any]]:
    """The project's tree and the sources' trees."""
    read_back = {path: parse_document(text, path).tree for path, text in files.items()}
    project = read_back.pop("etlgen.yaml")
    return project, {Path(path).stem: tree for path, tree in read_back.items()}


def assert_same(text: str) -> dict[str, str]:
    whole = parse_document(text, "spec.yaml").tree
    sources = whole.pop("sources")
    files = split(text, "spec.yaml")
    assert trees(files) == (whole, sources)
    return files


def test_comments_order_and_style_stay() -> None:
    files = assert_same(SHOP)
    assert files["etlgen.yaml"] == (
        "# yaml-language-server: $schema=.etlgen/schema/project.json\n"
        "# The shop.\n"
        "name: shop-etl\n"
        "owner: data team\n"
        "destination: {schema: shop}\n"
        'schedule: "@daily"\n'
        "\n"
        "\n"
        "# What else there is.\n"
        "timezone: Europe/Berlin\n"
    )
    webshop = files["sources/webshop.yaml"].splitlines()
    assert webshop[:5] == [
        "# yaml-language-server: $schema=../.etlgen/schema/source.json",
        "# The web shop's exports.",
        "kind: file",
        "path: ${WEBSHOP_PATH:-data/webshop}",
        "resources:",
    ]
    assert webshop[5] == "  orders:  # one file a day"
    assert webshop[-1] == "# the end of the web shop"
    assert "          - {one_of: [new, paid], severity: warn}" in webshop
    assert files["sources/crm.yaml"].splitlines()[1] == "# Customers come from the CRM."
    assert files["sources/crm.yaml"].endswith("email: {type: text, from: [Email, E-mail]}\n")


SOURCE = "{kind: file, path: d, resources: {r: {path: r.csv, columns: {c: {type: text}}}}}"


@pytest.mark.parametrize(
    "text",
    [
        f"name: x\nsources:\n  a: {SOURCE}  # inline\n  b: {SOURCE}\n",
        f"name: x\nsources: {{a: {SOURCE}, b: {SOURCE}}}  # all\ntags: [t]\n",
        f"sources: {{a: {SOURCE}}}\nname: x",
        f"{{name: x, sources: {{a: {SOURCE}}}, tags: []}}",
        f"{{sources: {{a: {SOURCE}}}, name: x}}",
        f"{{name: x, sources: {{a: {SOURCE}}}}}",
        f"---\nname: x\nsources:\n    a:\n        {SOURCE}\n",
        SHOP.replace("\n", "\r\n"),
        f"# yaml-language-server: $schema=x.json\nname: x\nsources:\n  a: {SOURCE}",
        "name: x\nsources:  # all of them\n  a:  # the first\n\n    # inside\n    kind: file\n\n\n",
        "name: x\nsources:\n  a:\n    owner: |\n      # no\n\n      text\n  # b's\n  b: {}\n",
        "name: x\nsources:\n  a:\n    description: |+\n      text\n\n\nowner: x\n",
        "name: x\nsources:\n  a:\n    description: |\n      text\n# end\n# of it\n",
        'name: x\nsources:\n  a:\n    description: "two\n  lines"\n    tags: [\n a,\n]\n  b: {}\n',
        "sources:\n  a:\n    tags:\n    - x\n    - y\nname: é🙂\n",
        "sources:\n  \"a\":\n    kind: file\n  'b': {}\nname: x\n...\n",
        "name: x\nsources:\n  a:\n    kind: file\n      # deep\n    # mid\n  # b\n  b: {}\n# last",
        "owner: 'a\u2028b'\nsources:\n  a:\n    kind: file\n",
    ],
)
def test_parts_say_what_the_whole_said(text: str) -> None:
    assert_same(text)


def test_no_comment_is_lost_in_blocks() -> None:
    text = (
        "# 1\nname: x  # 2\n# 3\nsources:  # 4\n  # 5\n  a:  # 6\n    # 7\n    kind: file  # 8\n"
        "    # 9\n  # 10\n  b: {}  # 11\n# 12\nowner: y  # 13\n# 14\n"
    )
    kept = "".join(assert_same(text).values())
    assert all(kept.count(f"# {number}\n") == 1 for number in range(1, 15))


def test_a_second_split_line_is_not_kept() -> None:
    files = assert_same(f"# yaml-language-server: $schema=x.json\nname: x\nsources:\n  a: {SOURCE}")
    assert files["etlgen.yaml"].count("yaml-language-server") == 1


def test_what_cannot_be_cut_is_refused_with_the_way_out() -> None:
    text = "name: x\nsources:\n  ? a\n  : kind: file\n"
    with pytest.raises(SpecError, match="write 'sources:' as a plain block"):
        split(text, "spec.yaml")


WORDS = st.text("abc #:-'\"|é\n", max_size=12).map(lambda text: f"x{text}")
TREES = st.recursive(
    st.one_of(WORDS, st.integers(), st.booleans(), st.none()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("pqrs"), inner, max_size=3)
    ),
    max_leaves=6,
)
SPECS = st.fixed_dictionaries(
    {
        "name": WORDS,
        "sources": st.dictionaries(
            st.sampled_from(["a", "b", "c"]),
            st.dictionaries(st.sampled_from("klmn"), TREES, min_size=1, max_size=3),
            min_size=1,
        ),
    },
    optional={"owner": TREES},
)


@given(SPECS, st.booleans(), st.sampled_from([2, 4, 6]))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_any_block_spec_splits_into_the_same(spec: Any, sort: bool, indent: int) -> None:
    assert_same(yaml.safe_dump(spec, sort_keys=sort, indent=indent, allow_unicode=True))


@given(SPECS, st.sampled_from([None, 2]))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_any_json_spec_splits_into_the_same(spec: Any, indent: int | None) -> None:
    assert_same(json.dumps(spec, indent=indent, ensure_ascii=False))


def test_the_parts_give_an_equal_spec(tmp_path: Path) -> None:
    for number, text in enumerate(
        [SHOP, json.dumps(yaml.safe_load(SHOP.replace("(12,2)", "(12)")))]
    ):
        folder = tmp_path / str(number)
        for path, part in split(text, "spec.yaml").items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(part)
        assert read_project(folder, load_kinds()) == read(text)
