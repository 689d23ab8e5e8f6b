"""What a spec may say of rows that its source deletes, and what the generated code says then."""

from textwrap import indent

import pytest

from etlgen.kinds import load_kinds
from etlgen.plan import plan_project
from etlgen.spec.models import Spec
from tests.spec.specs import faults, read

COLUMNS = """\
path: members.csv
columns:
  id: {type: bigint, nullable: false}
  gone: {type: boolean}
  at: {type: timestamptz}
"""


def spec(keys: str) -> str:
    resource = indent(f"{keys}\n{COLUMNS}", " " * 8)
    return (
        "name: club-etl\nsources:\n  web:\n    kind: file\n    path: data\n"
        f"    resources:\n      members:\n{resource}"
    )


def planned(keys: str) -> tuple[str, str, tuple[str, ...]]:
    found: Spec = read(spec(keys))
    resource = plan_project(found, load_kinds()).sources[0].resources[0]
    return resource.load, resource.rows.parts[-1], resource.imports


@pytest.mark.parametrize(
    ("keys", "load"),
    [
        ("deleted: {field: gone}", 'Merge(TABLE, deleted="gone")'),
        (
            "deleted: {field: gone, mode: soft}\ncursor: {field: at}",
            'Merge(TABLE, cursor="at", deleted="gone")',
        ),
        (
            "delete_missing: {max_delete: 500}",
            "Merge(TABLE, missing=DeleteMissing(max_rows=500))",
        ),
        (
            "delete_missing: {max_delete: 2.5%, allow_empty: true}",
            'Merge(TABLE, missing=DeleteMissing(max_share=Decimal("0.025"), allow_empty=True))',
        ),
    ],
)
def test_the_load_says_it(keys: str, load: str) -> None:
    said, lineage, _ = planned(f"primary_key: [id]\n{keys}")
    assert said == load
    is_soft = "soft" in keys
    assert lineage == ("*file_lineage(), deleted_at()" if is_soft else "*file_lineage()")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("deleted: {field: gon}", "there is no column 'gon'"),
        ("deleted: {}", "missing 'field'"),
        ("delete_missing: {}", "missing 'max_delete'"),
        ("delete_missing: {max_delete: some}", "'some' is not a number of rows or a share"),
        ("delete_missing: {max_delete: 101%}", "'101%' is not a number of rows or a share"),
        ("delete_missing: {max_delete: -1}", "'-1' is not a number of rows or a share"),
        ("delete_missing: {max_delete: true}", "is not a number of rows or a share"),
        (
            "delete_missing: {max_delete: 5%}\ncursor: {field: at}",
            "with a cursor a run reads only what is new",
        ),
        (
            "delete_missing: {max_delete: 5%, mode: soft}\ndeleted: {field: gone}",
            "'deleted' is hard",
        ),
        (
            "delete_missing: {max_delete: 5%}\nwrite_disposition: replace",
            "delete_missing is for merge",
        ),
        ("deleted: {field: gone}\nwrite_disposition: append", "deleted is for merge"),
        ("delete_missing: {max_delete: 5%}\nread: new_files", "a file that is not read again"),
        ("delete_missing: {max_delete: 5%}\narchive: done", "a file that is not read again"),
    ],
)
def test_what_makes_no_sense_is_said_where_it_stands(keys: str, message: str) -> None:
    fault, *others = faults(spec(f"primary_key: [id]\n{keys}"))
    assert others == []
    assert message in fault.message
    assert fault.line is not None
    assert 9 <= fault.line <= 10


@pytest.mark.parametrize(
    ("column", "error"),
    [
        ("{type: bigint}", "'gone' is bigint, which does not tell what is deleted"),
        ("{type: text}", "'gone' is text, which does not tell what is deleted"),
        (
            "{type: timestamptz, nullable: false}",
            "'gone' is never NULL, so every row would be deleted",
        ),
    ],
)
def test_a_flag_that_would_delete_every_row_is_refused(column: str, error: str) -> None:
    text = spec("primary_key: [id]\ndeleted: {field: gone}")
    assert read(text.replace("{type: boolean}", "{type: timestamptz}"))
    (fault,) = faults(text.replace("{type: boolean}", column))
    assert fault.message == error
