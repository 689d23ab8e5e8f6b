"""What a spec may say of a cursor, and what the generated load says then."""

from textwrap import indent

import pytest

from etlgen.errors import SpecError
from etlgen.kinds import load_kinds
from etlgen.plan import plan_project
from etlgen.spec.models import Spec
from etlgen.spec.reading import read_project_file

RESOURCE = """\
path: events.csv
columns:
  id: {type: bigint, nullable: false}
  at: {type: timestamptz}
  on: {type: date}
"""


def read(keys: str) -> Spec:
    resource = indent(f"{keys}\n{RESOURCE}", " " * 8)
    text = (
        "name: shop\nsources:\n  web:\n    kind: file\n    path: data\n    resources:\n      e:\n"
    )
    return read_project_file(text + resource, "spec.yaml", load_kinds())


@pytest.mark.parametrize(
    ("keys", "load"),
    [
        ("primary_key: [id]\ncursor: {field: at}", 'Merge(TABLE, cursor="at")'),
        (
            "primary_key: [id]\n"
            "cursor: {field: at, initial_value: 2026-01-01T00:00:00Z, lookback: 5m, delay: 90s}",
            'Merge(TABLE, cursor="at", initial_value=datetime(2026, 1, 1, 0, 0, tzinfo=UTC), '
            "lookback=timedelta(minutes=5), delay=timedelta(seconds=90))",
        ),
        (
            "primary_key: [id]\ncursor: {field: id, initial_value: 100, lookback: 10}",
            'Merge(TABLE, cursor="id", initial_value=100, lookback=10)',
        ),
        (
            "write_disposition: append\ncursor: {field: on, window: interval}",
            'Append(TABLE, cursor="on", by_interval=True)',
        ),
        ("cursor: {field: at, lookback: 1d}", "Replace(TABLE)"),
    ],
)
def test_the_load_says_it(keys: str, load: str) -> None:
    plan = plan_project(read(keys), load_kinds())
    assert plan.sources[0].resources[0].load == load


@pytest.mark.parametrize(
    ("cursor", "message"),
    [
        ("{field: at, lookback: soon}", "'soon' is not a duration"),
        ("{field: at, lookback: 5}", "'at' is timestamptz: a lookback of it is a duration"),
        ("{field: id, lookback: 5m}", "'id' is bigint: a lookback of it is a number"),
        ("{field: at, delay: 9999999d}", "'9999999d' is not a duration"),
        ("{field: id, lookback: -1}", "-1 is not a duration or a number from 0"),
        ("{field: id, delay: 5m}", "'id' is bigint, which says nothing of time"),
        ("{field: id, window: interval}", "'id' is bigint, which says nothing of time"),
        ("{field: at, window: weekly}", "'weekly' is not cursor or interval"),
        ("{field: at, initial_value: soon}", "'soon' is not a value of timestamptz"),
        ("{field: at, initial_value: [1]}", "is not a value of timestamptz"),
    ],
)
def test_what_makes_no_sense_is_said_where_it_stands(cursor: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        read(f"primary_key: [id]\ncursor: {cursor}")
    (finding,) = caught.value.findings
    assert message in finding.message
    assert finding.line == 9


def test_append_with_a_lookback_needs_a_key() -> None:
    with pytest.raises(SpecError, match="what is read again would be appended again"):
        read("write_disposition: append\ncursor: {field: at, lookback: 5m}")
    read("write_disposition: append\nprimary_key: [id]\ncursor: {field: at, lookback: 5m}")
