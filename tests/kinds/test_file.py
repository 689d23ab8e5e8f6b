"""What a spec of files may say: faults with their place and a fix, and what becomes code."""

import pytest

from etlgen.errors import SpecError
from etlgen.kinds import load_kinds
from etlgen.kinds.file.plan import plan
from etlgen.spec.reading import read_project_file

SPEC = """\
name: shop
sources:
  box:
    kind: file
    path: data
    resources:
      things:
        {keys}
        columns:
          a: {{type: integer}}
          b: {{type: text{column}}}
"""


def spec(*keys: str, column: str = "") -> str:
    return SPEC.format(keys="\n        ".join(keys), column=column)


def faults(text: str) -> list[str]:
    with pytest.raises(SpecError) as error:
        read_project_file(text, "shop.yaml", load_kinds())
    return [f"{one.message}; {one.hint}" for one in error.value.findings]


def files(text: str) -> str:
    [source] = read_project_file(text, "shop.yaml", load_kinds()).sources
    return plan(source).resources["things"].files.text  # type: ignore[arg-type, attr-defined]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (["path: x.parquet", "delimiter: ;"], "'delimiter' says nothing of parquet files"),
        (["path: x.csv", "sheet: a"], "'sheet' says nothing of csv files; it is for excel"),
        (["path: x.xlsx", "decimal_mark: ','"], "'decimal_mark' says nothing of excel files"),
        (["path: x.parquet.gz"], "parquet files are not compressed as a whole"),
        (["path: x.gz"], "the suffix of 'x.gz' does not say the format"),
        (["path: x.csv", "compression: lz4"], "'lz4' is not none, gzip, bz2, xz, zstd or zip"),
        (["path: 'x{.csv'"], "'x{.csv' has a brace that is not closed"),
        (["path: 'x{A b}.csv'"], "'A b' is no name for a value in a path"),
        (["path: 'x{a}{a}.csv'"], "'a' stands twice in"),
        (["path: 'x{a:%B}.csv'"], "'%B' is no format of a date in a path; use %Y %m"),
        (["path: 'x{a:day}.csv'"], "'day' is no format of a date in a path"),
        (["path: x.xlsx", "range: B3-D"], "'B3-D' is not a range of cells; write B3:F90"),
        (["path: x.csv", "archive: ../done"], "'../done' is not the name of something"),
        (["path: x.csv", "archive: /done"], "'/done' is not the name of something"),
        (["path: x.csv", "archive: done"], "a replaced table needs its files in every run"),
        (["path: x.csv", "read: new_files"], "replace makes the table what was read"),
        (["path: x.csv", "ready: {min_age: 5}"], "'5' is not an age; write 30s, 5m, 2h or 1d"),
        (["path: x.csv", "ready: {marker: a/b}"], "'a/b' is not the name of a file beside"),
        (["path: x.csv", "ready: {count: 0}"], "0"),
        (["path: x.csv", "replace_by: [a]"], "replace_by is for append; this is replace"),
        (
            ["path: x.csv", "write_disposition: append", "replace_by: [c]"],
            "there is no column 'c'",
        ),
    ],
)
def test_faults_are_said(keys: list[str], message: str) -> None:
    assert any(message in fault for fault in faults(spec(*keys))), faults(spec(*keys))


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (', from: "{plnt}"', "the path has no value {plnt}; values in the path: {plant}, {day}"),
        (', from: ["{plant}", x]', "a value in the path has one name"),
        (', from: "{day}", clean: [lower]', "its format stands in the path"),
    ],
)
def test_faults_of_columns_from_the_path(column: str, message: str) -> None:
    found = faults(spec("path: '{plant}_{day:%Y%m%d}.csv'", column=column))
    assert any(message in fault for fault in found), found


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        (["path: '{day:%Y/%m}/x.csv'"], "CsvFiles('{day:%Y/%m}/x.csv', columns=['a', 'b'])"),
        (["path: x.tsv.gz"], """CsvFiles('x.tsv.gz', columns=['a', 'b'], delimiter='\\t')"""),
        (["path: x.feather"], "ArrowFiles('x.feather', columns=['a', 'b'])"),
        (
            ["path: x.zip", "format: csv", "member: '*.csv'"],
            "CsvFiles('x.zip', columns=['a', 'b'], member='*.csv')",
        ),
        (
            ["path: x.csv", "ready: {min_age: 90m, count: 2}"],
            "CsvFiles('x.csv', columns=['a', 'b'],"
            " ready=Ready(min_age=timedelta(minutes=90), count=2))",
        ),
        (
            ["path: x.csv", "write_disposition: append"],
            "CsvFiles('x.csv', columns=['a', 'b'], only_new=True)",
        ),
        (
            ["path: x.csv", "write_disposition: append", "read: all_files"],
            "CsvFiles('x.csv', columns=['a', 'b'])",
        ),
    ],
)
def test_what_is_not_said_is_not_printed(keys: list[str], code: str) -> None:
    assert files(spec(*keys)).replace('"', "'") == code


def test_braces_in_a_name_are_a_name_where_the_path_has_no_values() -> None:
    assert "{x}" in files(spec("path: x.csv", column=', from: "{x}"'))
