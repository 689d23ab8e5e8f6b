"""Every expression of the vocabulary, run on pandas' Arrow columns with NULLs in them."""

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etlgen.pycode import Code, code
from etlgen.vocabulary.adjust import SCHEMAS, adjusted, adjustment, read_clip, read_round
from etlgen.vocabulary.checks import RULES, check_expression, holds, read_check
from etlgen.vocabulary.clean import OPERATIONS, SAMPLE_KEY, clean_text, cleaned, read_clean
from etlgen.vocabulary.column import BadValue, Column, Notation
from etlgen.vocabulary.types import TYPES, conversion, fill_default, read_type, sqlalchemy_type
from runtime.problems import Problems

X = code("x")
NOW = datetime(2026, 6, 30, 22, tzinfo=UTC)  # the 1st of July in Kiritimati
ARROW = {
    "text": pa.string(),
    "boolean": pa.bool_(),
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "numeric(12,2)": pa.decimal128(12, 2),
    "numeric(38,20)": pa.decimal128(38, 20),
    "double": pa.float64(),
    "date": pa.date32(),
    "time": pa.time64("us"),
    "timestamp": pa.timestamp("us"),
    "timestamptz": pa.timestamp("us", "UTC"),
}
DIRTY = [
    "12.50-",
    " 7 -",
    "-3-",
    "€ 12",
    "12 EUR ",
    "5EUR/kg",
    "No 12, No 13",
    "kg",
    " a ",
    "a  b\t\nc",
    "A",
    "",
    "n/a",
    "N/A",
    "é\u00a0",
    "ÀB",
    "x",
    "b",
    "-",
    "İ",
]


def run(made: Code, x: "pd.Series[Any]") -> Any:
    namespace: dict[str, Any] = {"x": x, "problems": Problems(now=NOW)}
    namespace["hash_key"] = lambda: SAMPLE_KEY
    lines = (
        re.sub(r"^(runtime\..*):", r"from \1 import ", line)
        for line in made.imports
        if "hash_key" not in line
    )
    exec("\n".join(sorted(lines)), namespace)
    return eval(made.text, namespace)


def series(values: list[Any], arrow: pa.DataType) -> "pd.Series[Any]":
    return pd.Series([*values, None], dtype=pd.ArrowDtype(arrow))


CLEANS = [
    "strip",
    "collapse_spaces",
    "lower",
    "upper",
    {"null_if": ["n/a", "-", ""]},
    {"replace": {"A": "b", "b": "A"}},
    {"replace": {"never": "seen"}},
    {"extract": "No ([0-9]+)"},
    {"extract": r"(?P<first>\S)"},
    {"strip_affixes": ["EUR", "€", "EUR/kg", "kg", "n/a"]},
    "trailing_minus",
    "hash",
    {"mask": "all"},
    {"mask": "email"},
    {"mask": {"keep_last": 4}},
]


@pytest.mark.parametrize("raw", CLEANS, ids=str)
def test_cleaning_in_pandas_is_cleaning_of_one_text(raw: object) -> None:
    step = read_clean(raw)
    texts = [text for text in DIRTY if not (text == "İ" and raw == "lower")]  # i̇ or i
    result = run(cleaned(X, [step]), series(texts, pa.string()))
    assert result.dtype == pd.ArrowDtype(pa.string())
    expected = [clean_text(text, [step]) for text in texts]
    assert [None if value is pd.NA else value for value in result] == [*expected, None]


def test_every_cleaning_operation_is_tried() -> None:
    assert {read_clean(raw).operation for raw in CLEANS} == set(OPERATIONS)


AFFIXES = [("12 €", "12"), ("EUR12EUR", "12"), ("5 EUR/kg", "5"), ("€", ""), ("Kč 5", "Kč 5")]


@pytest.mark.parametrize(("text", "bare"), AFFIXES)
def test_units_and_currencies_go_from_both_ends(text: str, bare: str) -> None:
    assert clean_text(text, [read_clean({"strip_affixes": ["EUR", "€", "EUR/kg"]})]) == bare


@pytest.mark.parametrize(
    ("text", "moved"),
    [("12.50-", "-12.50"), (" 1 - ", "-1"), ("-1", "-1"), ("-1-", "-1-"), ("-", "-")],
)
def test_a_trailing_minus_goes_to_the_front(text: str, moved: str) -> None:
    assert clean_text(text, [read_clean("trailing_minus")]) == moved


MASKED = [
    ("email", "ada@example.com", "****@example.com"),
    ("email", "no address", "****"),
    ("email", '"a@b"@c.de', "****@c.de"),
    ("email", "ada\n@c.de", "****@c.de"),
    ("all", "ada\nb", "****"),
    ({"keep_last": 4}, "4111111111111111", "****1111"),
    ({"keep_last": 4}, "1234567", "****"),
    ({"keep_last": 4}, "1234\n5678", "****5678"),
    ({"keep_last": 4}, "", "****"),
]


@pytest.mark.parametrize(("how", "text", "masked"), MASKED)
def test_a_mask_shows_no_more_than_it_says(how: object, text: str, masked: str) -> None:
    assert clean_text(text, [read_clean({"mask": how})]) == masked


def test_cleaning_is_chained_in_order() -> None:
    steps = [read_clean(raw) for raw in ("strip", "lower", {"null_if": ["n/a"]})]
    made = cleaned(code("rows[{n}]", n="status"), steps)
    assert made.text == (
        'rows["status"].str.strip().str.lower().mask(lambda text: text.isin(["n/a"]))'
    )
    assert clean_text(" N/A ", steps) is None


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("lowr", "is not a cleaning operation"),
        ({"strip": 1}, "strip takes no argument"),
        ("null_if", "null_if needs an argument"),
        ({"null_if": []}, "null_if needs a list"),
        ({"null_if": [True]}, "null_if needs a list"),
        ({"replace": ["a"]}, "replace needs a mapping"),
        ({"replace": {"a": None}}, "replace needs a mapping"),
        ("extract", "extract needs an argument"),
        ({"extract": "No [0-9]+"}, "extract needs one group, such as .*; it has 0"),
        ({"extract": "(a)(b)"}, "it has 2"),
        ({"extract": "(?<=a)(b)"}, "extract is not a regex of the RE2 syntax"),
        ({"extract": 3}, "extract needs a regex"),
        ({"strip_affixes": ["€", " "]}, "strip_affixes needs a list"),
        ({"strip_affixes": "€"}, "strip_affixes needs a list"),
        ({"trailing_minus": True}, "trailing_minus takes no argument"),
        ({"mask": "last"}, "mask is all, email or"),
        ({"mask": {"keep_last": 0}}, "mask is all, email or"),
        ({"mask": {"keep_last": True}}, "mask is all, email or"),
        ({"hash": "key"}, "hash takes no argument"),
        ("round", "round needs an argument"),
        (3, "is not a cleaning operation"),
        ({"strip": 1, "lower": 2}, "is not a cleaning operation"),
    ],
)
def test_bad_cleaning(raw: object, reason: str) -> None:
    with pytest.raises(BadValue, match=reason):
        read_clean(raw)


D = Decimal
NOON = datetime(2026, 1, 15, 12)
CHECKS: list[tuple[str, dict[str, Any], list[Any], str, str]] = [
    ("smallint", {"at_least": 2}, [1, 2, 3], "x >= 2", "is at least 2"),
    ("bigint", {"at_most": 2}, [1, 2, 3], "x <= 2", "is at most 2"),
    ("integer", {"between": [1, 2]}, [0, 1, 2, 3], "x.between(1, 2)", "is between 1 and 2"),
    ("integer", {"one_of": [1, "2"]}, [1, 2, 3], "x.isin([1, 2])", "is one of 1, 2"),
    ("numeric(12,2)", {"at_least": 0}, [D("-0.01"), D("0")], "x >= 0", "is at least 0"),
    ("numeric(12,2)", {"at_most": D("0.50")}, [D("0.5"), D("0.51")], 'x <= Decimal("0.5")', ""),
    (
        "numeric(12,2)",
        {"one_of": [0, "12.5"]},
        [D("0"), D("12.50"), D("1")],
        'x.isin([Decimal("0.00"), Decimal("12.50")])',
        "is one of 0, 12.5",
    ),
    (
        "numeric(38,20)",
        {"between": [0, "9.5"]},
        [D("0"), D("9.6")],
        'x.between(0, Decimal("9.5"))',
        "",
    ),
    ("numeric(38,20)", {"at_least": "123456789012345678"}, [D("1")], "", ""),
    ("double", {"at_least": 0}, [-0.5, 0.0], "x >= 0", "is at least 0"),
    ("double", {"between": [D("0.1"), 2]}, [0.1, 0.09, 2.0], "x.between(0.1, 2)", ""),
    ("date", {"at_least": "2026-01-02"}, [date(2026, 1, 1), date(2026, 1, 2)], "", ""),
    ("date", {"one_of": ["2026-01-02"]}, [date(2026, 1, 1), date(2026, 1, 2)], "", ""),
    ("time", {"between": ["08:00", "17:30:01"]}, [time(8), time(7, 59), time(17, 30, 1)], "", ""),
    ("timestamp", {"at_most": "2026-01-15T12:00:00"}, [NOON, NOON.replace(year=9999)], "", ""),
    (
        "timestamptz",
        {"at_least": "2026-01-15T13:00:00+01:00"},
        [NOON.replace(tzinfo=UTC), NOON.replace(hour=11, tzinfo=UTC)],
        "x >= datetime(2026, 1, 15, 12, 0, tzinfo=UTC)",
        "is at least 2026-01-15T12:00:00Z",
    ),
    (
        "text",
        {"one_of": ["new", 7]},
        ["new", "7", "old"],
        'x.isin(["new", "7"])',
        "is one of new, 7",
    ),
    (
        "text",
        {"matches": r"[A-Z]\d"},
        ["A1", "A12", "xA1", "A1\n"],
        r'x.str.fullmatch(r"[A-Z]\d")',
        "",
    ),
    ("text", {"matches": "^a|b$"}, ["a", "b", "ax", "xb"], 'x.str.fullmatch("a|b")', "matches a|b"),
    ("text", {"matches": r"a\$"}, ["a$", "a"], r'x.str.fullmatch(r"a\$")', ""),
    ("text", {"matches": r"a\\$"}, ["a\\", "a"], "", ""),
    ("text", {"matches": "(?i)ab|c"}, ["AB", "C", "d"], "", ""),
    (
        "text",
        {"length": {"at_least": 2}},
        ["a", "éé"],
        "x.str.len() >= 2",
        "has at least 2 characters",
    ),
    (
        "text",
        {"length": {"at_most": 1}},
        ["é", "ab"],
        "x.str.len() <= 1",
        "has at most 1 characters",
    ),
    (
        "text",
        {"length": {"at_least": 1, "at_most": 2}},
        ["", "a", "abc"],
        "x.str.len().between(1, 2)",
        "",
    ),
    (
        "date",
        {"not_in_future": True},
        [date(2025, 1, 1), date(2999, 1, 1)],
        "",
        "is not in the future",
    ),
    (
        "timestamp",
        {"not_in_future": True},
        [NOON.replace(year=2025), NOON.replace(year=2999)],
        "x <= problems.furthest_clock",
        "",
    ),
    (
        "timestamptz",
        {"not_in_future": True},
        [NOON.replace(year=2025, tzinfo=UTC), NOON.replace(year=2999, tzinfo=UTC)],
        "x <= problems.now",
        "",
    ),
    ("text", {"length": {"at_least": 2, "at_most": 2}}, ["ab", "a"], "x.str.len() == 2", ""),
]


@pytest.mark.parametrize(("type_text", "raw", "values", "text", "message"), CHECKS, ids=str)
def test_checks_in_pandas(
    type_text: str, raw: dict[str, Any], values: list[Any], text: str, message: str
) -> None:
    type = read_type(type_text)
    check = read_check(raw, type)
    made = check_expression(check, X, type)
    x = series(values, ARROW[type_text])
    result = run(made, x)
    told = [bool(value) for value in result[x.notna()]]
    assert told == [holds(check, value) for value in values]
    kept = x[result].tolist()  # as a filter does, which leaves NULL out
    assert kept == [value for value in values if holds(check, value)]
    assert made.text == (text or made.text)
    assert check.message == (message or check.message)


def test_every_rule_is_tried_on_every_type_that_it_fits() -> None:
    tried = {(read_type(t).name, next(iter(raw))) for t, raw, *_ in CHECKS}
    assert {rule for _, rule in tried} == set(RULES)
    assert {t for t, _ in tried} == {
        t.name for t in TYPES.values() if t.is_ordered or t.is_listable
    }


@pytest.mark.parametrize(
    ("type_text", "latest"),
    [
        ("date", date(2026, 7, 1)),
        ("timestamp", datetime(2026, 7, 1, 12)),
        ("timestamptz", NOW),
    ],
)
def test_the_future_begins_where_no_clock_has_come_to(type_text: str, latest: Any) -> None:
    type = read_type(type_text)
    made = check_expression(read_check({"not_in_future": True}, type), X, type)
    later = latest + timedelta(days=1)
    assert run(made, series([latest, later], ARROW[type_text])).tolist() == [True, False, pd.NA]


def test_the_user_s_message_and_severity() -> None:
    raw = {"at_least": 0, "severity": "warn", "message": "is not negative"}
    check = read_check(raw, read_type("integer"))
    assert (check.severity, check.message) == ("warn", "is not negative")


@pytest.mark.parametrize(
    ("type_text", "raw", "reason"),
    [
        ("integer", {"at_least": "x"}, "'x' is not a whole number"),
        ("smallint", {"at_least": 40000}, "is out of range for smallint"),
        ("numeric(4,2)", {"at_most": D("0.001")}, "has more than 2 decimals"),
        ("date", {"at_least": "31.1.2026"}, "is not a date like 2026-01-31"),
        ("text", {"at_least": 1}, "at_least does not fit text"),
        ("integer", {"matches": "a"}, "matches does not fit integer; it fits text"),
        ("uuid", {"one_of": ["a"]}, "one_of does not fit uuid"),
        ("integer", {"between": [2, 1]}, "lower value last"),
        ("integer", {"between": 1}, "needs two values"),
        ("integer", {"one_of": []}, "needs a list"),
        ("integer", {"at_least": True}, "True is not a value of integer"),
        ("text", {"length": {"at_least": -1}}, "whole numbers from 0"),
        ("text", {"length": {"at_lest": 1}}, "length needs at_least, at_most"),
        ("text", {"length": {"at_least": 3, "at_most": 2}}, "at_least above at_most"),
        ("text", {"matches": "(?P<x>"}, "is not a regex of the RE2 syntax"),
        ("text", {"matches": "a)|(b"}, "is not a regex of the RE2 syntax"),
        ("text", {"matches": "[\\u0000-"}, "is not a regex of the RE2 syntax"),
        ("text", {"matches": "(?<=a)b"}, "is not a regex of the RE2 syntax"),
        ("date", {"not_in_future": False}, "either true or not there"),
        ("time", {"not_in_future": True}, "not_in_future does not fit time"),
        ("text", {"at_lest": 1}, "unknown check 'at_lest'"),
        ("text", {"severity": "warn"}, "exactly one rule"),
        ("integer", {"at_least": 1, "at_most": 2}, "exactly one rule"),
        ("integer", {"at_least": 1, "severity": "fatal"}, "severity is error or warn"),
        ("integer", {"at_least": 1, "message": " "}, "message is a text"),
    ],
)
def test_bad_checks(type_text: str, raw: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadValue, match=reason.replace("(", r"\(")):
        read_check(raw, read_type(type_text))


def test_i19_a_catastrophic_regex_costs_nothing() -> None:
    check = read_check({"matches": "(a+)+$"}, read_type("text"))
    assert not holds(check, "a" * 50_000 + "!")


@pytest.mark.parametrize(
    ("type_text", "notation", "expected"),
    [
        ("integer", Notation(), None),
        ("numeric(12,2)", Notation(), None),
        ("text", Notation(decimal_mark=","), None),
        ("bytea", Notation(format="hex"), None),
        (
            "numeric(12,2)",
            Notation(decimal_mark=",", thousands_mark="."),
            'to_decimal(x, problems, precision=12, scale=2, decimal_mark=",", thousands_mark=".")',
        ),
        ("integer", Notation(decimal_mark=","), None),
        (
            "smallint",
            Notation(thousands_mark=" "),
            'to_integer(x, problems, bits=16, thousands_mark=" ")',
        ),
        ("double", Notation(decimal_mark=","), 'to_double(x, problems, decimal_mark=",")'),
        ("boolean", Notation(format="J/N"), 'to_boolean(x, problems, true="J", false="N")'),
        ("date", Notation(format="%d.%m.%Y"), 'to_date(x, problems, format="%d.%m.%Y")'),
        ("time", Notation(format="%H.%M"), 'to_time(x, problems, format="%H.%M")'),
        ("timestamp", Notation(format="%Y%m%d"), 'to_timestamp(x, problems, format="%Y%m%d")'),
        ("timestamptz", Notation(), None),
        (
            "timestamptz",
            Notation(timezone="Europe/Berlin"),
            'to_timestamp(x, problems, timezone="Europe/Berlin")',
        ),
        (
            "timestamptz",
            Notation(format="%Y%m%d %z"),
            'to_timestamp(x, problems, format="%Y%m%d %z", timezone="UTC")',
        ),
        (
            "date",
            Notation(format="%d/%m/%Y", also=("%Y-%m-%d",)),
            'to_date(x, problems, format=("%d/%m/%Y", "%Y-%m-%d"))',
        ),
        (
            "boolean",
            Notation(format="J/N", also=("ja/nein",)),
            'to_boolean(x, problems, true=("J", "ja"), false=("N", "nein"))',
        ),
        (
            "numeric(12,2)",
            Notation(round_to=1),
            "to_decimal(x, problems, precision=12, scale=2, round_to=1)",
        ),
        ("bytea", Notation(format="base64"), 'to_bytes(x, problems, format="base64")'),
    ],
)
def test_conversions(type_text: str, notation: Notation, expected: str | None) -> None:
    made = conversion(Column("x", read_type(type_text), notation=notation), X)
    assert (made.text if made else None) == expected
    if made and expected:
        assert made.imports == {f"runtime.convert:{expected.partition('(')[0]}"}


@pytest.mark.parametrize(
    ("type_text", "default", "arrow"),
    [
        ("text", "DE", pa.string()),
        ("integer", 0, pa.string()),
        ("numeric(12,2)", D("1.50"), pa.string()),
        ("date", date(2026, 1, 31), pa.string()),
        ("boolean", False, pa.string()),
        ("jsonb", '{"a": 1}', pa.string()),
    ],
)
def test_a_default_fills_nulls_before_conform_casts_the_text(
    type_text: str, default: Any, arrow: pa.DataType
) -> None:
    column = Column("x", read_type(type_text), default=default)
    made = fill_default(column, X)
    assert made is not None
    filled = run(made, series(["1"], arrow)).tolist()
    assert filled[0] == "1"
    assert TYPES[column.type.name].read(filled[1], column.type, Notation()) == default


@pytest.mark.parametrize(
    ("type_text", "default", "notation", "arrow"),
    [
        ("numeric(12,2)", D("1.50"), Notation(decimal_mark=","), pa.decimal128(12, 2)),
        ("date", date(2026, 1, 31), Notation(format="%d.%m.%Y"), pa.date32()),
        ("time", time(8, 30), Notation(format="%H.%M"), pa.time64("us")),
        ("boolean", True, Notation(format="J/N"), pa.bool_()),
        ("bytea", b"\x00\xff", Notation(format="base64"), pa.binary()),
        (
            "timestamptz",
            datetime(2026, 1, 1, tzinfo=UTC),
            Notation(timezone="UTC"),
            pa.timestamp("us", "UTC"),
        ),
    ],
)
def test_a_default_fills_nulls_of_a_converted_column(
    type_text: str, default: Any, notation: Notation, arrow: pa.DataType
) -> None:
    made = fill_default(Column("x", read_type(type_text), notation=notation, default=default), X)
    assert made is not None
    result = run(made, series([], arrow))
    assert result.dtype == pd.ArrowDtype(arrow)
    assert result[0] == default


@pytest.mark.parametrize(
    ("type_text", "default"),
    [("integer", 0), ("date", date(2026, 1, 31)), ("numeric(12,2)", D("1.50"))],
)
def test_a_default_of_a_column_that_comes_typed_is_of_its_type(
    type_text: str, default: Any
) -> None:
    typed = Column("x", read_type(type_text), notation=Notation(is_typed=True), default=default)
    made = fill_default(typed, X)
    assert made is not None
    result = run(made, series([], ARROW[type_text]))
    assert result.dtype == pd.ArrowDtype(ARROW[type_text])
    assert result[0] == default


ADJUSTED: list[tuple[str, object, list[Any], str]] = [
    (
        "numeric(12,2)",
        {"clip": {"at_least": 0, "at_most": "99.50"}},
        [D("-1"), D("100.00"), D("5")],
        'x.clip(0, Decimal("99.5"))',
    ),
    ("smallint", {"clip": {"at_least": 0}}, [-1, 0, 7], "x.clip(lower=0)"),
    ("bigint", {"clip": {"at_most": 7}}, [2**53 + 1, 7, -3], "x.clip(upper=7)"),
    ("double", {"clip": {"at_least": 0, "at_most": 1}}, [-0.5, 0.25, 3.0], "x.clip(0, 1)"),
    ("double", {"round": 1}, [0.26, -0.26, 3.0], "x.round(1)"),
]


@pytest.mark.parametrize(("type_text", "raw", "values", "text"), ADJUSTED, ids=str)
def test_adjustments_in_pandas_are_those_of_one_value(
    type_text: str, raw: object, values: list[Any], text: str
) -> None:
    type, steps = read_type(type_text), [read_clean(raw)]
    made_of = Column(
        "x", type, clip=read_clip(steps, type), notation=Notation(round_to=read_round(steps, type))
    )
    made = adjustment(made_of, X)
    assert made is not None
    result = run(made, series(values, ARROW[type_text]))
    assert made.text == text
    assert result.dtype == pd.ArrowDtype(ARROW[type_text])
    assert result.tolist() == [*(adjusted(made_of, value) for value in values), pd.NA]


def test_a_number_that_comes_typed_is_rounded_before_it_is_conformed() -> None:
    typed = Column("x", read_type("numeric(12,2)"), notation=Notation(is_typed=True, round_to=2))
    made = conversion(typed, X)
    assert made is not None
    result = run(made, series([D("1.00500"), D("1.01500")], pa.decimal128(12, 5)))
    assert result.tolist() == [D("1.00"), D("1.02"), pd.NA]


@pytest.mark.parametrize(
    ("type_text", "raw", "reason"),
    [
        ("integer", {"round": 2}, "round does not fit integer"),
        ("numeric(12,2)", {"round": 3}, r"round to 3 decimals, but numeric\(12,2\) has 2"),
        ("numeric(12,2)", {"round": "2"}, "round needs the number of decimals"),
        ("double", {"round": True}, "round needs the number of decimals"),
        ("text", {"clip": {"at_least": 0}}, "clip does not fit text"),
        ("integer", {"clip": 3}, "clip needs at_least, at_most"),
        ("integer", {"clip": {}}, "clip needs at_least, at_most"),
        ("integer", {"clip": {"at_lest": 3}}, "clip needs at_least, at_most"),
        ("integer", {"clip": {"at_least": "x"}}, "clip: 'x' is not a whole number"),
        ("integer", {"clip": {"at_least": True}}, "clip: True is not a value of integer"),
        ("integer", {"clip": {"at_least": 2, "at_most": 1}}, "at_least above at_most"),
    ],
)
def test_bad_adjustments(type_text: str, raw: object, reason: str) -> None:
    step = read_clean(raw)
    read: Any = {"round": read_round, "clip": read_clip}[step.operation]
    with pytest.raises(BadValue, match=reason):
        read([step], read_type(type_text))


def test_every_adjustment_is_tried() -> None:
    assert {read_clean(raw).operation for _, raw, *_ in ADJUSTED} == set(SCHEMAS)


def test_no_default_is_no_expression() -> None:
    assert fill_default(Column("x", read_type("text")), X) is None


@pytest.mark.parametrize("name", [*TYPES])
def test_sqlalchemy_types(name: str) -> None:
    made = sqlalchemy_type(read_type("numeric(12,2)" if name == "numeric" else name))
    namespace: dict[str, Any] = {}
    exec("\n".join(made.imports), namespace)
    assert eval(made.text, namespace) is not None
    expected = {
        "numeric": "Numeric(12, 2)",
        "timestamptz": "TIMESTAMP(timezone=True)",
        "jsonb": "JSONB",
    }
    assert made.text == expected.get(name, made.text)


@given(st.text(st.characters(codec="utf-8"), min_size=1), st.text(st.characters(codec="utf-8")))
def test_hostile_words_stay_words(word: str, cell: str) -> None:
    step = read_clean({"null_if": [word]})
    result = run(cleaned(X, [step]), series([cell, word], pa.string()))
    assert result.isna().tolist() == [cell == word, True, True]
