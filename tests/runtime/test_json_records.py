"""Records column by column are what they are cell by cell."""

import json

import msgspec
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.json_cells import cell, decode_object
from runtime.json_records import records_table, with_columns, with_values

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=4
)
RECORDS = st.lists(
    st.dictionaries(st.sampled_from(["a", "b", 'c"\\']), VALUES), min_size=1, max_size=5
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(RECORDS, st.booleans())
def test_each_cell_is_the_one_that_is_read_alone(
    records: list[dict[str, object]], escapes: bool
) -> None:
    raws = [msgspec.Raw(json.dumps(one, ensure_ascii=escapes).encode()) for one in records]
    alone = [
        {name: cell(raw, stays_json=name == "b") for name, raw in decode_object(one).items()}
        for one in raws
    ]
    table = records_table(raws, set(), ["b"])
    names = dict.fromkeys(name for one in alone for name in one)
    assert table.column_names == list(names)
    assert all(kind == pa.string() for kind in table.schema.types)
    assert table.to_pydict() == {name: [one.get(name) for one in alone] for name in names}


def test_objects_are_opened_also_where_some_records_have_none() -> None:
    texts = ['{"a": {"b": {"c": 1}}}', '{"a": null}', '{"a": 7}', '{"a": {"b": "x"}}', "{}"]
    table = records_table([msgspec.Raw(text.encode()) for text in texts], {"a", "a.b"}, [])
    assert table.to_pydict() == {
        "a.b.c": ["1", None, None, None, None],
        "a.b": [None, None, None, "x", None],
        "a": [None, None, "7", None, None],
    }


def test_a_name_with_a_dot_and_one_in_an_object_are_one_column() -> None:
    texts = ['{"a.b": 1}', '{"a": {"b": 2}}']
    table = records_table([msgspec.Raw(text.encode()) for text in texts], {"a"}, [])
    assert table.to_pydict() == {"a.b": ["1", "2"]}


@pytest.mark.parametrize("text", [b'{"a": "\xff"}', b'{"a": "\\ud800"}', b"17", b"[]"])
def test_what_is_no_record_is_refused(text: bytes) -> None:
    with pytest.raises((msgspec.DecodeError, UnicodeError, pa.ArrowInvalid)):
        records_table([msgspec.Raw(b'{"a": "x"}'), msgspec.Raw(text)], set(), [])


def test_records_without_members_are_rows() -> None:
    records = [msgspec.Raw(b"{}"), msgspec.Raw(b"{}")]
    table = with_columns(records_table(records, (), ()), 2, [("id", "ID"), ("at",)])
    assert table.to_pylist() == [{"id": None, "at": None}] * 2


def test_a_value_that_all_rows_have_goes_before_a_member_of_that_name() -> None:
    table = records_table([msgspec.Raw(b'{"id": 1, "{of}": 2}'), msgspec.Raw(b'{"id": 3}')], (), ())
    assert with_values(table, {"{of}": "7"}).to_pylist() == [
        {"id": "1", "{of}": "7"},
        {"id": "3", "{of}": "7"},
    ]
