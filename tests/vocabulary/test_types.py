"""Types: what they read and spell, with the reasons of the runtime."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etlgen.vocabulary.column import BadValue, Notation
from etlgen.vocabulary.formats import check_format
from etlgen.vocabulary.types import TYPES, read, read_type, spell, suggest_type

GERMAN = Notation(decimal_mark=",", thousands_mark=".")
BERLIN = Notation(timezone="Europe/Berlin")


@pytest.mark.parametrize("text", [*(name for name in TYPES if name != "numeric"), "numeric(12,2)"])
def test_a_type_reads_as_itself(text: str) -> None:
    assert str(read_type(text)) == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("os\n__import__('pathlib').Path('canary_I07').touch()\nimport sys", "is not a type"),
        ("string", "is not a type"),
        ("", "is not a type"),
        ("Text", "is not a type"),
        ("integer(4)", "has arguments, but integer takes none"),
        ("numeric", "needs a precision and a scale"),
        ("numeric(39,2)", "needs a precision of 1 to 38"),
        ("numeric(2,3)", "needs a precision of 1 to 38"),
        ("numeric(0)", "needs a precision of 1 to 38"),
        ("numeric(1,2,3)", "is not a type"),
    ],
)
def test_i07_types_come_from_a_closed_list(text: str, reason: str) -> None:
    with pytest.raises(BadValue, match=reason):
        read_type(text)


def test_types_of_other_systems_are_known_by_name() -> None:
    assert suggest_type("VARCHAR(20)") == "text"
    assert suggest_type("decimal(10,2)") == "numeric(12,2)"
    assert suggest_type("nothing") is None


@pytest.mark.parametrize(
    ("type_text", "text", "notation", "value"),
    [
        ("text", " a ", Notation(), " a "),
        ("integer", " +7 ", Notation(), 7),
        ("integer", "", Notation(), None),
        ("integer", "1.234", GERMAN, 1234),
        ("numeric(12,2)", "1.234,5", GERMAN, Decimal("1234.50")),
        ("numeric(12,2)", "1e3", Notation(), Decimal("1000.00")),
        ("numeric(38,0)", "9" * 38, Notation(), Decimal("9" * 38)),
        ("double", "-1,5", GERMAN, -1.5),
        ("boolean", "YES", Notation(), True),
        ("boolean", "n", Notation(format="J/N"), False),
        ("date", "31.01.2026", Notation(format="%d.%m.%Y"), date(2026, 1, 31)),
        ("time", "23:59", Notation(), time(23, 59)),
        ("timestamptz", "2026-07-01 12:00:00", BERLIN, datetime(2026, 7, 1, 10, tzinfo=UTC)),
        (
            "timestamptz",
            "2026-07-01T12:00:00+05:30",
            BERLIN,
            datetime(2026, 7, 1, 6, 30, tzinfo=UTC),
        ),
        ("bytea", "\\x00ff", Notation(), b"\x00\xff"),
        ("bytea", "AP8=", Notation(format="base64"), b"\x00\xff"),
        ("jsonb", '{"a": 1}', Notation(), '{"a": 1}'),
    ],
)
def test_reading(type_text: str, text: str, notation: Notation, value: Any) -> None:
    assert read(text, read_type(type_text), notation) == value


@pytest.mark.parametrize(
    ("type_text", "text", "notation", "reason"),
    [
        ("integer", "1.5", Notation(), "is not a whole number"),
        ("smallint", "32768", Notation(), "is out of range for smallint"),
        ("integer", "-2147483649", Notation(), "is out of range for integer"),
        ("bigint", "9" * 50, Notation(), "is out of range for bigint"),
        ("integer", "12.34", GERMAN, "is not a whole number"),
        ("integer", "٣", Notation(), "is not a whole number"),
        ("numeric(12,2)", "abc", Notation(), "is not a number"),
        ("numeric(12,2)", "1.005", Notation(), "has more than 2 decimals"),
        ("numeric(12,2)", "1e-999", Notation(), "has more than 2 decimals"),
        (
            "numeric(12,2)",
            "12345678901",
            Notation(),
            "has more than 10 digits before the decimal point",
        ),
        (
            "numeric(12,2)",
            "1e999999",
            Notation(),
            "has more than 10 digits before the decimal point",
        ),
        ("double", "1e400", Notation(), "is not a number"),
        ("double", "NaN", Notation(), "is not a number"),
        ("boolean", "maybe", Notation(), "is not a boolean"),
        ("boolean", "true", Notation(format="J/N"), "is not a boolean"),
        ("date", "31.01.2026", Notation(), "is not a date like 2026-01-31"),
        ("date", "2026-02-30", Notation(), "is not a date like 2026-01-31"),
        ("date", "x", Notation(format="%d.%m.%Y"), "is not a date in the format %d.%m.%Y"),
        ("time", "24:00", Notation(), "is not a time like 23:59:59"),
        ("time", "x", Notation(format="%H"), "is not a time in the format %H"),
        ("timestamp", "x", Notation(), "is not a timestamp like 2026-01-31T23:59:59"),
        ("timestamp", "x", Notation(format="%Y%m%d"), "is not a timestamp in the format %Y%m%d"),
        (
            "timestamptz",
            "2026-03-29 02:30",
            BERLIN,
            "is skipped or repeated by the clocks of Europe/Berlin",
        ),
        ("uuid", "x", Notation(), "is not a UUID"),
        ("jsonb", "{", Notation(), "is not JSON"),
        ("jsonb", "NaN", Notation(), "is not JSON"),
        ("bytea", "zz", Notation(), "is not hex"),
        ("bytea", "?", Notation(format="base64"), "is not base64"),
    ],
)
def test_the_reason_of_a_bad_value(
    type_text: str, text: str, notation: Notation, reason: str
) -> None:
    with pytest.raises(BadValue) as caught:
        read(text, read_type(type_text), notation)
    assert str(caught.value) == reason


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=2, min_value=-(10**9), max_value=10**9
    )
)
def test_numbers_come_back_from_any_marks(value: Decimal) -> None:
    type = read_type("numeric(12,2)")
    for notation in (Notation(), GERMAN, Notation(decimal_mark=",", thousands_mark=" ")):
        assert read(spell(value, type, notation), type, notation) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_doubles_come_back(value: float) -> None:
    for notation in (Notation(), GERMAN):
        assert (
            read(spell(value, read_type("double"), notation), read_type("double"), notation)
            == value
        )


@pytest.mark.parametrize("name", [*TYPES])
def test_samples_come_back_and_bad_texts_do_not(name: str) -> None:
    type = read_type("numeric(12,2)" if name == "numeric" else name)
    samples = list(TYPES[name].samples(type))
    assert len(set(samples)) >= (2 if name == "boolean" else 9)
    for value in samples:
        if name != "text":
            assert read(spell(value, type), type) == value
        assert value in list(TYPES[name].near(value, type))
    for text in TYPES[name].bad:
        with pytest.raises(BadValue):
            read(text, type)


@pytest.mark.parametrize(
    ("pattern", "type_name", "reason"),
    [
        ("yyyy-mm-dd", "date", "is not a strptime pattern such as '%d.%m.%Y'"),
        ("%d.%m.%Q", "date", "(%Q is none)"),
        ("%d.%m.%Y%", "date", "is not a strptime pattern"),
        ("%-d.%m.%Y", "date", "(%- is none)"),
        ("%d.%m", "date", "needs a year, a month and a day"),
        ("%H:%M", "timestamp", "needs a year, a month and a day"),
        ("%d.%m.%Y", "time", "has a part of a date in it"),
        ("%M:%S", "time", "needs an hour"),
        ("%I:%M", "time", "needs an hour"),
        ("%d.%m.%Y %I:%M", "timestamp", "2 or 14 o'clock"),
        ("%d.%m.%Y %H:%M %z", "timestamp", "only timestamptz has a zone"),
        ("%d.%m.%Y %d", "date", "cannot be read back|can be read back"),
        ("%%", "date", "is not a strptime pattern"),
    ],
)
def test_bad_formats(pattern: str, type_name: str, reason: str) -> None:
    with pytest.raises(BadValue, match=reason.replace("(%", r"\(%").replace("none)", r"none\)")):
        check_format(pattern, type_name)


@pytest.mark.parametrize(
    ("pattern", "type_name"),
    [
        ("%d.%m.%Y", "date"),
        ("%y%j", "date"),
        ("%b %d, %Y", "date"),
        ("%I:%M %p", "time"),
        ("%d/%m/%Y", "timestamp"),
        ("%Y-%m-%dT%H:%M:%S.%f%z", "timestamptz"),
    ],
)
def test_good_formats(pattern: str, type_name: str) -> None:
    check_format(pattern, type_name)
