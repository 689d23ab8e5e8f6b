"""From YAML to a `Spec`, or to all that is wrong with it at once."""

import re
import time
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from etlgen import errors, report
from etlgen.errors import Finding, MissingAnswers, SpecError, format_finding
from etlgen.kinds import load_kinds
from etlgen.kinds.file.spec import FileResource, FileSource
from etlgen.spec.reading import read_project
from etlgen.spec.split import split
from etlgen.vocabulary.column import Clean, ColumnType
from tests.spec.specs import ONE_COLUMN, SHOP, faults, faults_of_column, read


def test_a_spec_is_read() -> None:
    spec = read(SHOP + "start_date: 2026-01-31\ntags: [shop]\n")
    assert (spec.project.name, spec.project.work_schema) == ("shop-etl", "etl_shop_etl")
    assert (spec.project.destination.schema_name, spec.project.timezone) == (
        "shop",
        "Europe/Berlin",
    )
    assert (spec.project.start_date, spec.project.tags) == (date(2026, 1, 31), ("shop",))
    crm, webshop = spec.sources
    assert (crm.name, crm.resources["customers"].write_disposition) == ("crm", "replace")
    assert isinstance(webshop, FileSource)
    assert str(webshop.path) == "${WEBSHOP_PATH:-data/webshop}"
    orders = webshop.resources["orders"]
    assert (orders.name, orders.table, orders.write_disposition) == ("orders", "orders", "merge")
    columns = {column.name: column for column in orders.resolved_columns()}
    assert list(columns) == ["order_id", "ordered_at", "total", "status", "country"]
    assert columns["order_id"].from_names == ("Order No",)
    assert (columns["order_id"].nullable, columns["order_id"].in_key) == (False, True)
    assert columns["ordered_at"].is_cursor
    assert columns["total"].type == ColumnType("numeric", 12, 2)
    assert columns["total"].notation.decimal_mark == ","
    assert columns["status"].clean[2] == Clean("null_if", ("n/a",))
    assert columns["status"].checks[0].message == "is one of new, paid"
    assert columns["country"].default == "DE"
    (email,) = crm.resources["customers"].resolved_columns()
    assert email.from_names == ("Email", "E-mail")


def test_defaults_of_files() -> None:
    files = {
        "a.csv": ("csv", ",", ("",)),
        "a.TSV": ("csv", "\t", ("",)),
        "a.jsonl": ("json_lines", ",", ()),
        "a.ndjson": ("json_lines", ",", ()),
        "a.json": ("json_array", ",", ()),
    }
    for path, expected in files.items():
        text = ONE_COLUMN.replace("{column}", "{type: text}").replace("r.csv", path)
        resource = read(text).sources[0].resources["r"]
        assert isinstance(resource, FileResource)
        assert (resource.format, resource.delimiter, resource.null_values) == expected


def test_everything_wrong_is_said_at_once_with_its_place() -> None:
    text = """\
        name: Shop ETL
        schedule: daily
        sources:
          webshop:
            kind: file
            path: data
            resources:
              orders:
                path: orders.csv
                delimeter: ";"
                primary_key: [order_no]
                cursor: {field: placed}
                columns:
                  order_id: {type: string}
                  total: {type: numeric(12,2), checks: [{at_least: cheap}], format: "%d"}
                  at: {type: timestamp, timezone: Europe/Berlin}
          other:
            kind: files
        """
    assert [format_finding(fault).splitlines()[0] for fault in faults(text)] == [
        "spec.yaml:1:7: 'Shop ETL' cannot be a project name: it takes a-z, 0-9 and single '-' or "
        "'_' between them, and starts with a letter; write 'shop-etl'",
        "spec.yaml:2:11: 'daily' is not a schedule: five cron fields such as '30 6 * * 1-5', or a "
        "preset",
        "spec.yaml:10:9: unknown key 'delimeter'; did you mean 'delimiter'?",
        "spec.yaml:11:23: there is no column 'order_no'; did you mean 'order_id'?",
        "spec.yaml:12:25: there is no column 'placed'; columns: order_id, total, at",
        "spec.yaml:14:28: 'string' is not a type; write 'text'",
        "spec.yaml:15:60: 'cheap' is not a number",
        "spec.yaml:15:77: '%d' does not fit: numeric(12,2) takes no format",
        "spec.yaml:16:43: timestamp has no time zone; only timestamptz takes 'timezone'",
        "spec.yaml:18:11: 'files' is not a kind of source; did you mean 'file'?",
    ]


def test_a_finding_is_rendered_as_compilers_do() -> None:
    (fault,) = faults(SHOP.replace("delimiter", "delimeter"))
    assert format_finding(fault) == (
        "spec.yaml:15:9: unknown key 'delimeter'; did you mean 'delimiter'?\n"
        '            delimeter: ";"\n'
        "            ^"
    )
    assert (fault.code, fault.source_line) == ("unknown_key", '        delimeter: ";"')


def test_a_caret_stands_under_wide_characters_and_obeys_no_control() -> None:
    (fault,) = faults(ONE_COLUMN.replace("{column}", '{description: "日本\\x1b", type: txt}'))
    lines = format_finding(fault).splitlines()
    assert lines[2].index("^") == lines[1].index("txt") + 2
    (fault,) = faults(ONE_COLUMN.replace("{column}", '{type: "te\u200bxt"}'))
    assert "\u200b" not in format_finding(fault)
    assert "te\\u200bxt" in format_finding(fault)


def test_many_mistakes_in_one_line_are_no_more_work_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted are the characters that are searched for secrets, and findings that are compared."""
    work = Counter[str]()

    class Counted:
        def __init__(self, pattern: re.Pattern[str]) -> None:
            self._pattern = pattern

        def sub(self, replacement: str, text: str) -> str:
            work["searched"] += len(text)
            return self._pattern.sub(replacement, text)

    def equal(one: Finding, other: object) -> bool:
        work["compared"] += 1
        return one is other

    monkeypatch.setattr(errors, "_SECRET_KEY", Counted(errors._SECRET_KEY))
    monkeypatch.setattr(Finding, "__eq__", equal)

    def work_on(mistakes: int) -> Counter[str]:
        work.clear()
        columns = ", ".join(f"c{n}: {{type: text, no_such_key: 1}}" for n in range(mistakes))
        resources = f"{{r: {{path: a.csv, columns: {{{columns}}}}}}}"
        text = f"name: a\nsources: {{s: {{kind: file, path: d, resources: {resources}}}}}\n"
        with pytest.raises(SpecError) as caught:
            read(text)
        assert report.error_text(caught.value).count("unknown key 'no_such_key'") == mistakes
        return work.copy()

    few, many = work_on(50), work_on(400)
    assert few["searched"] > 0
    assert many["searched"] < 2 * 8 * few["searched"]
    assert many["compared"] < 10 * 400


def test_missing_answers_come_with_a_skeleton() -> None:
    with pytest.raises(MissingAnswers) as caught:
        read("")
    assert caught.value.exit_code == 3
    spec = read(caught.value.skeleton)
    assert spec.sources[0].name == "my_source"


def test_the_skeleton_has_only_what_is_missing() -> None:
    with pytest.raises(MissingAnswers) as caught:
        read("name: shop-etl\nsources: {web: {kind: file, path: data}, crm: {}}")
    assert [finding.message for finding in caught.value.findings] == [
        "missing 'resources'",
        "missing 'kind'",
    ]
    assert caught.value.skeleton.startswith("sources:\n  web:\n    resources:\n      orders:\n")
    assert "name" not in caught.value.skeleton.splitlines()[0]


def test_a_mistake_beside_a_missing_answer_is_no_mere_question() -> None:
    with pytest.raises(SpecError) as caught:
        read("nam: shop-etl")
    assert not isinstance(caught.value, MissingAnswers)
    assert {finding.code for finding in caught.value.findings} == {"missing", "unknown_key"}


@pytest.mark.parametrize("text", ["[]", "text", "sources: []\nname: x", "name: x\nsources: {a: 1}"])
def test_what_is_no_mapping_is_refused(text: str) -> None:
    assert "mapping" in " ".join(fault.message for fault in faults(text))


@pytest.mark.parametrize(
    ("column", "messages"),
    [
        ("{type: text, matches: a}", ["unknown key 'matches'; did you mean 'checks'?"]),
        ("{type: 3}", ["3 is not text; put it in quotes"]),
        ("text", ["'text' stands where keys are needed"]),
        ("{type: text, nullable: NO}", ["'NO' is not true or false"]),
        ("{type: text, clean: strip}", ["'strip' is not a list; put it in [ ]"]),
        (
            "{type: text, clean: [lowr]}",
            ["'lowr' is not a cleaning operation; did you mean 'lower'?"],
        ),
        (
            "{type: text, clean: [{null_if: x}]}",
            ["null_if needs a list of texts, such as [n/a, '-']"],
        ),
        (
            "{type: integer, checks: [{at_lest: 1}]}",
            ["unknown check 'at_lest'; did you mean 'at_least'?"],
        ),
        (
            "{type: text, checks: [{at_least: 1}]}",
            [
                "at_least does not fit text; it fits smallint, "
                "integer, bigint, numeric, double, date, time, timestamp, timestamptz"
            ],
        ),
        (
            "{type: text, checks: [{matches: '(?P<x>'}]}",
            ["'(?P<x>' is not a regex of the RE2 syntax: " "missing ): (?P<x>"],
        ),
        ("{type: text, format: '%d'}", ["'%d' does not fit: text takes no format"]),
        (
            "{type: boolean, format: J}",
            ["'J' is not a pair of words for true and false, such as 'J/N'"],
        ),
        ("{type: bytea, format: hexx}", ["'hexx' is not hex or base64"]),
        ("{type: date, format: yyyy}", ["'yyyy' is not a strptime pattern such as '%d.%m.%Y'"]),
        (
            "{type: timestamptz, format: '%Y%m%d'}",
            [
                "values in this format name no time zone; add "
                "'timezone: UTC' or the zone that they are written in"
            ],
        ),
        (
            "{type: timestamptz, timezone: Europe/berlin}",
            ["'Europe/berlin' is not an IANA time zone; " "did you mean 'Europe/Berlin'?"],
        ),
        (
            "{type: timestamptz, timezone: ../../etc/passwd}",
            ["'../../etc/passwd' is not an IANA time " "zone; write one such as Europe/Berlin"],
        ),
        ("{type: integer, default: x}", ["'x' is not a whole number"]),
        ("{type: text, default: [1]}", ["a list is not a value of text"]),
        (
            "{type: integer, default: -1, checks: [{at_least: 0}]}",
            ["-1 breaks the check 'is at least 0'"],
        ),
        ("{type: integer, example: x}", ["'x' is not a whole number"]),
        (
            "{type: integer, example: '-1', checks: [{at_least: 0}]}",
            ["'-1' breaks \"is at least 0\""],
        ),
        (
            "{type: integer, clean: [hash]}",
            ["hash gives text, but the type is integer"],
        ),
        ("{type: text, pii: 3}", ["3 is not true or false"]),
        (
            "{type: text, clean: [strip_afixes]}",
            ["'strip_afixes' is not a cleaning operation; did you mean 'strip_affixes'?"],
        ),
        (
            "{type: text, clean: [{extract: a}]}",
            ["extract needs one group, such as 'No ([0-9]+)'; it has 0"],
        ),
        (
            "{type: double, clean: [{round: 2}, strip]}",
            ["round is on numbers, and strip on text; put what is on numbers last"],
        ),
        ("{type: double, clean: [{round: 2}, {round: 1}]}", ["round stands here twice"]),
        (
            "{type: integer, clean: [{round: 2}]}",
            ["round does not fit integer; it fits numeric, double"],
        ),
        (
            "{type: integer, clean: [{clip: {at_least: x}}]}",
            ["clip: 'x' is not a whole number"],
        ),
        (
            "{type: date, format: ['%d.%m.%Y', '%x']}",
            ["'%x' is not a strptime pattern such as '%d.%m.%Y' (%x is none)"],
        ),
        (
            "{type: timestamptz, format: ['%Y-%m-%d %H:%M %z', '%Y-%m-%d %H:%M'], timezone: UTC}",
            ["%Y-%m-%d %H:%M %z, %Y-%m-%d %H:%M has formats with and without %z"],
        ),
        (
            "{type: boolean, format: [J/N, n/y]}",
            ["J/N, n/y says of 'n' that it is both true and false"],
        ),
        (
            "{type: bytea, format: [hex, base64]}",
            ["hex, base64 has two encodings, and a value does not say which it is in"],
        ),
        ("{type: text, from: []}", ["at least one is needed here"]),
        ("{type: text, from: ['']}", ["a name in the source cannot be empty"]),
    ],
)
def test_faults_of_a_column(column: str, messages: list[str]) -> None:
    assert faults_of_column(column) == messages


def test_a_check_that_stands_in_the_wrong_place_is_told_the_right_one() -> None:
    assert faults_of_column("{type: text, checks: [{unique: true}]}") == [
        "unknown check 'unique'; unique is about all rows: put it into the resource's own 'checks'"
    ]
    (fault,) = faults(RESOURCE.replace("{keys}", "checks: [{at_least: 1}]"))
    assert fault.hint == "at_least is about one column: put it into the column's own 'checks'"


def test_i06_a_default_is_a_value_of_its_type() -> None:
    hostile = "0); __import__('pathlib').Path('canary_I06').touch()  #"
    assert faults_of_column(f'{{type: integer, default: "{hostile}"}}')
    assert not faults_of_column(f'{{type: text, default: "{hostile}"}}')


def test_i07_a_type_is_one_of_the_list() -> None:
    hostile = "os\\n__import__('pathlib').Path('canary_I07').touch()\\nimport sys"
    (message,) = faults_of_column(f'{{type: "{hostile}"}}')
    assert "is not a type; types: text, boolean" in message
    assert "\n" not in message


RESOURCE = """\
name: shop-etl
sources:
  s:
    kind: file
    path: data
    resources:
      r:
        path: r.csv
        {keys}
        columns:
          a: {type: bigint}
          b: {type: jsonb}
"""


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("primary_key: [x]", "there is no column 'x'"),
        ("primary_key: [a, a]", "'a' stands in primary_key twice"),
        ("primary_key: [b]", "'b' is jsonb, which cannot be in a primary_key"),
        ("write_disposition: merge", "merge needs a primary_key"),
        ("write_disposition: upsert", "'upsert' is not append, replace or merge"),
        ("cursor: {field: b}", "'b' is jsonb, which does not advance"),
        ("cursor: {feld: a}", "missing 'field'"),
        ("table: ''", "'' cannot be a table name: it is empty"),
        ("format: xml", "'xml' is not csv, json_lines, json_array, parquet, arrow or excel"),
        ("delimiter: '\\t'", "'\\\\t' is not one ASCII character"),
        ("encoding: base64", "'base64' is not an encoding"),
        ("quote: ','", "delimiter and quote are the same character"),
        ("thousands_mark: .", "decimal_mark and thousands_mark are the same character"),
        ("decimal_mark: x", "'x' is not '.' or ','"),
        ("header_row: -1", "'-1' is not a line number"),
        ("null_values: [true]", "true is not text"),
        ("description: 3", "3 is not text"),
        ("filter: [{column: x, at_least: 1}]", "there is no column 'x'"),
        ("filter: [{column: a, at_lest: 1}]", "unknown check 'at_lest'"),
        ("filter: [{column: b, at_least: 1}]", "at_least does not fit jsonb"),
        ("filter: [{at_least: 1}]", "a filter is a column and what holds"),
        ("filter: [{column: a, at_least: 1, severity: warn}]", "a filter has no severity"),
        ("drop: [a]", "'a' is read into the column 'a', so it cannot be dropped"),
        ("checks: [{unique: [x]}]", "there is no column 'x'"),
        ("checks: [{uniq: [a]}]", "unknown check 'uniq'"),
        ("checks: [{at_least: 1}]", "unknown check 'at_least'"),
        ("checks: [{sql: SELECT 1}]", "sql needs a message"),
        ("checks: {unique: [a]}", "a mapping is not a list"),
        ("checks: [{freshness: {field: a, within: 2d}}]", "freshness does not fit"),
    ],
)
def test_faults_of_a_resource(keys: str, message: str) -> None:
    messages = [fault.message for fault in faults(RESOURCE.replace("{keys}", keys))]
    assert any(found.startswith(message) for found in messages), messages


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/etc/passwd", "leaves the folder of the source"),
        ("../x.csv", "leaves the folder of the source"),
        ("a/../../x.csv", "leaves the folder of the source"),
        ("C:/x.csv", "leaves the folder of the source"),
        ("a\\b.csv", "is not a path with '/'"),
        ("${X}/a.csv", "cannot refer to the environment"),
        ("data.txt", "does not say the format"),
        ('""', "a path is missing"),
    ],
)
def test_faults_of_a_path(path: str, message: str) -> None:
    text = ONE_COLUMN.replace("{column}", "{type: text}").replace("r.csv", path)
    (fault,) = faults(text)
    assert message in fault.message
    assert fault.line == 8


def test_dialect_keys_are_for_csv() -> None:
    text = RESOURCE.replace("r.csv", "r.json").replace("{keys}", "delimiter: ';'")
    assert [f.message for f in faults(text)] == [
        "'delimiter' says nothing of json_array files; it is for csv"
    ]


def test_without_a_header_there_are_no_names() -> None:
    text = RESOURCE.replace("{keys}", "header_row: 0").replace("bigint", "bigint, from: A")
    assert [(f.line, f.code) for f in faults(text)] == [(11, "dialect")]


def test_a_nullable_key_is_refused() -> None:
    text = RESOURCE.replace("{keys}", "primary_key: a").replace("bigint", "bigint, nullable: true")
    (fault,) = faults(text)
    assert (fault.code, fault.line, fault.column) == ("nullable_key", 11, 39)


def test_i14_columns_that_are_one_name_to_the_eye() -> None:
    columns = "{field: {type: text}, ﬁeld: {type: text}, FIELD: {type: text}}"
    text = RESOURCE.partition("        columns:")[0].replace("{keys}", f"columns: {columns}")
    assert [fault.message for fault in faults(text)] == [
        "columns 'field' and 'ﬁeld' are one name to the eye",
        "columns 'field' and 'FIELD' are one name to the eye",
    ]


def test_a_tag_is_as_long_as_airflow_takes_it() -> None:
    text = ONE_COLUMN.replace("{column}", "{type: text}")
    assert read(f"{text}\ntags: [{'t' * 100}]").project.tags == ("t" * 100,)
    (fault,) = faults(f"{text}\ntags: [{'t' * 101}]")
    assert (
        "has 101 characters; Airflow takes at most 100 in a tag" in f"{fault.message}; {fault.hint}"
    )


@pytest.mark.parametrize(
    "sides",
    [
        "  type: text\n=======\n  type: bigint\n",
        "      schedule: '@daily'\n=======\n",
        "=======\n    - x\n",
    ],
)
def test_a_conflict_of_git_is_said_as_such(sides: str) -> None:
    text = ONE_COLUMN.replace("{column}", "{type: text}")
    (fault,) = faults(f"{text}\n<<<<<<< HEAD\n{sides}>>>>>>> other\n")
    assert fault.message == "a conflict of git's is not resolved"
    assert fault.line == text.count("\n") + 2


@pytest.mark.parametrize("name", ['"payments\\u200b"', '"a\\u202eb"', '"\\0name"'])
def test_i14_invisible_characters_in_names(name: str) -> None:
    text = ONE_COLUMN.replace("c: {column}", f"{name}: {{type: text}}")
    assert any("invisible character" in fault.message for fault in faults(text))


@pytest.mark.parametrize(
    "name", ["\u0440\u0430yments", "ﬁeld", "K\u212a", "../evil", "con", "None", "a b"]
)
def test_i12_i14_source_names_are_plain(name: str) -> None:
    (fault,) = faults(ONE_COLUMN.replace("{column}", "{type: text}").replace("  s:", f"  {name}:"))
    assert "cannot be a source name" in fault.message
    assert (fault.line, fault.column) == (3, 3)


@pytest.mark.parametrize(
    "name", ["../evil", "..", "canary-I12", "a/b", ".", "con", '"a\\0b"', "x" * 300]
)
def test_i12_project_names_are_plain(name: str) -> None:
    found = faults(SHOP.replace("shop-etl", name))
    assert any("cannot be a project name" in f.message or "NUL" in f.message for f in found)


def test_i08_reserved_words_are_good_names() -> None:
    words = ["class", "def", "None", "import", "self", "async", "match", "print", "from", "lambda"]
    columns = ", ".join(f"{word}: {{type: text}}" for word in words)
    text = RESOURCE.partition("        columns:")[0].replace("{keys}", f"columns: {{{columns}}}")
    for word in words:
        spec = read(text.replace("      r:", f"      {word}:"))
        resource = spec.sources[0].resources[word]
        assert (resource.table, list(resource.columns)) == (word, words)


def test_i09_i10_i11_hostile_sql_names_are_kept() -> None:
    names = ["a');SELECT pg_sleep(5);--", "a b", "%s", ":x", "100%", "?", "日本語", "🙂", "[z]"]
    columns = ", ".join(f'"{name}": {{type: text}}' for name in names)
    table = 'users"; DROP TABLE users; --'
    text = RESOURCE.partition("        columns:")[0].replace(
        "{keys}", f"table: '{table}'\n        columns: {{{columns}}}"
    )
    resource = read(text).sources[0].resources["r"]
    assert (resource.table, list(resource.columns)) == (table, names)


def test_one_name_of_the_source_feeds_one_column() -> None:
    text = RESOURCE.replace("{keys}", "").replace("jsonb", "jsonb, from: [B, a]")
    (fault,) = faults(text)
    assert fault.message == "'a' is already read into the column 'a'"


def test_two_resources_cannot_load_one_table() -> None:
    (fault,) = faults(SHOP.replace("customers:", "orders:"))
    assert fault.message == "webshop.orders already loads the table 'orders'"


@pytest.mark.parametrize(
    "cron",
    [
        "* * * * *; touch canary-I15",
        "@daily\\n* * * * * root touch canary-I15",
        "$(id)",
        "`id`",
        "60 * * * *",
        "* * * *",
        "* * * * * *",
        "*/0 * * * *",
        "5-1 * * * *",
        "* * 30 2 *",
        "* * * FOO *",
        "@reboot",
        "1,,2 * * * *",
        "* * * * *\\n",
        "٣ * * * *",
        "",
    ],
)
def test_i15_a_schedule_is_five_fields_or_a_preset(cron: str) -> None:
    (fault,) = faults(SHOP.replace("@daily", cron))
    assert (fault.code, fault.line, fault.column) == ("schedule", 5, 11)


@pytest.mark.parametrize(
    "cron",
    ["@hourly", "*/30 * * * *", "0 6 * * MON-FRI", "0,30 8-18/2 1,15 jan-jun 7", "5/10 * 29 2 *"],
)
def test_schedules(cron: str) -> None:
    assert read(SHOP.replace("@daily", cron)).project.schedule == cron


def test_i19_a_catastrophic_regex_is_tried_on_the_example() -> None:
    # An engine that goes back would be at it for longer than there is time.
    rule = "checks: [{matches: '(a+)+$'}]"
    assert not faults_of_column(f"{{type: text, {rule}, example: {'a' * 5_000}}}")
    (said,) = faults_of_column(f"{{type: text, {rule}, example: {'a' * 5_000}b}}")
    assert 'breaks "matches (a+)+' in said


@pytest.mark.parametrize(
    "place",
    [
        SHOP.replace("${WEBSHOP_PATH:-data/webshop}", "postgresql://u:S3cr3t-canary@h/db"),
        SHOP.replace("data team", '"see postgresql://u:S3cr3t-canary@h/db"'),
        SHOP.replace("${WEBSHOP_PATH:-data/webshop}", "${X:-postgresql://u:S3cr3t-canary@h/db}"),
        SHOP.replace("# The shop.", "# postgresql://u:S3cr3t-canary@h/db"),
        SHOP.replace("# one file a day", "# redis://:S3cr3t-canary@h"),
        SHOP.replace("orders-*.csv", "https://user:S3cr3t-canary@h/"),
        SHOP.replace("  crm:", "  'http://u:S3cr3t-canary@h':"),
    ],
)
def test_i27_a_password_is_refused_and_never_shown(place: str) -> None:
    found = faults(place)
    assert any(fault.code == "secret" and "${NAME}" in (fault.hint or "") for fault in found)
    with pytest.raises(SpecError) as caught:
        read(place)
    for text in (repr(found), str(caught.value), repr(caught.value)):
        assert "S3cr3t" not in text


def test_i27_a_key_for_a_secret_is_masked_where_it_is_reported() -> None:
    (fault,) = faults(SHOP.replace("owner: data team", "db_password: S3cr3t-canary"))
    assert "S3cr3t" not in repr(fault)
    assert fault.source_line == "db_password: ***"


@pytest.mark.parametrize(
    ("text", "env", "default"),
    [("data", None, "data"), ("${A_B}", "A_B", None), ("${A:-x/y}", "A", "x/y")],
)
def test_settings(text: str, env: str | None, default: str | None) -> None:
    spec = ONE_COLUMN.replace("{column}", "{type: text}").replace("path: data", f"path: {text}")
    source = read(spec).sources[0]
    assert isinstance(source, FileSource)
    assert (source.path.env, source.path.default) == (env, default)
    assert str(source.path) == text


@pytest.mark.parametrize(
    "text", ["${a}", "${A}/x", "x${A}", "${}", "${A", "${A-b}", "${A:-}", '""']
)
def test_bad_settings(text: str) -> None:
    (fault,) = faults(
        ONE_COLUMN.replace("{column}", "{type: text}").replace("path: data", f"path: {text}")
    )
    assert fault.line == 5


def test_a_folder_reads_as_the_file_that_it_was_split_from(tmp_path: Path) -> None:
    for path, text in split(SHOP, "spec.yaml").items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    assert read_project(tmp_path, load_kinds()) == read(SHOP)


def test_a_folder_names_the_file_of_each_fault(tmp_path: Path) -> None:
    (tmp_path / "sources").mkdir()
    (tmp_path / "etlgen.yaml").write_text("name: shop-etl\nownr: x\n")
    (tmp_path / "sources/a.yaml").write_text("kind: file\npath: data\nresources: {}\n")
    (tmp_path / "sources/b.yaml").write_text("kind: nothing\n")
    with pytest.raises(SpecError) as caught:
        read_project(tmp_path, load_kinds())
    assert [(f.file, f.line, f.message) for f in caught.value.findings] == [
        ("etlgen.yaml", 2, "unknown key 'ownr'"),
        ("sources/a.yaml", 3, "at least one is needed here"),
        ("sources/b.yaml", 1, "'nothing' is not a kind of source"),
    ]


def test_syntax_errors_come_alone(tmp_path: Path) -> None:
    (tmp_path / "sources").mkdir()
    (tmp_path / "etlgen.yaml").write_text("nonsense: 1\n")
    (tmp_path / "sources/a.yaml").write_text("kind: [\n")
    with pytest.raises(SpecError) as caught:
        read_project(tmp_path, load_kinds())
    assert [(f.file, f.code) for f in caught.value.findings] == [("sources/a.yaml", "yaml")]


def test_a_folder_without_a_project(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"etlgen\.yaml: there is no such file; run etlgen in"):
        read_project(tmp_path, load_kinds())


def test_a_large_spec_is_read_in_bounded_time() -> None:
    columns = ", ".join(f"c{n}: {{type: text}}" for n in range(100))
    tables = "".join(
        f"      r{n}: {{path: r{n}.csv, columns: {{{columns}}}}}\n" for n in range(150)
    )
    head = ONE_COLUMN.partition("      r:")[0]
    start = time.perf_counter()
    assert len(read(head + tables).sources[0].resources) == 150
    assert time.perf_counter() - start < 20
