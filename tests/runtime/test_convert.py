"""Text to exact types: each reason as it is written, each digit kept, in every time zone."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from datetime import time as clock
from decimal import Context, Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime import convert
from runtime.columns import as_arrow
from runtime.convert import (
    to_boolean,
    to_bytes,
    to_date,
    to_decimal,
    to_double,
    to_integer,
    to_json,
    to_time,
    to_timestamp,
    to_uuid,
)
from runtime.errors import ContractError
from runtime.problems import Problems

NBSP, QUOTE, TWO_IN_ARABIC = "\u00a0", "\u2019", "\u0662"
NOT_WHOLE, NOT_A_NUMBER = "is not a whole number", "is not a number"
NOT_A_DATE = "is not a date like 2026-01-31"
NOT_A_TIME = "is not a time like 23:59:59"
NOT_A_TIMESTAMP = "is not a timestamp like 2026-01-31T23:59:59"
SKIPPED = "is skipped or repeated by the clocks of Europe/Berlin"
OUTSIDE = "is outside the years 1 to 9999"
ID = "2c9f5b10-4c3b-4dbe-be2b-7b7e3c8ff17f"
MONEY = {"precision": 12, "scale": 2}
WIDE = Context(prec=200)


def column(texts: Sequence[str | None]) -> pd.Series:
    return pd.Series(texts, name="cell", dtype=pd.ArrowDtype(pa.string()))


def read(function: Callable[..., pd.Series], text: str | None, **options: Any) -> Any:
    """The value of one text, or the reason why it has none."""
    problems = Problems()
    (value,) = as_arrow(function(column([text]), problems, **options)).to_pylist()
    if not problems.reasons:
        return value
    ((reason,),) = problems.reasons.values()
    assert value is None
    assert text is not None
    assert reason.column == "cell"
    assert reason.value == (text if len(text) <= 200 else text[:200] + "…")
    return reason.rule


def money(text: str, **options: Any) -> Any:
    return read(to_decimal, text, **MONEY, **options)


ALL: list[tuple[Callable[..., pd.Series], dict[str, Any]]] = [
    (to_boolean, {}),
    (to_integer, {}),
    (to_decimal, MONEY),
    (to_double, {}),
    (to_date, {}),
    (to_date, {"format": "%d.%m.%Y"}),
    (to_time, {}),
    (to_time, {"format": "%H%M"}),
    (to_timestamp, {}),
    (to_timestamp, {"timezone": "Europe/Berlin"}),
    (to_timestamp, {"format": "%d.%m.%Y %H:%M %z", "timezone": "UTC"}),
    (to_bytes, {}),
    (to_bytes, {"format": "base64"}),
    (to_uuid, {}),
    (to_json, {}),
]
every = pytest.mark.parametrize(("function", "options"), ALL)


class TestEveryFunction:
    @every
    @pytest.mark.parametrize("text", [None, "", "   ", f"\t{NBSP}\u3000\n"])
    def test_nothing_is_null(
        self, function: Callable[..., pd.Series], options: dict[str, Any], text: str | None
    ) -> None:
        assert read(function, text, **options) is None

    @every
    def test_an_empty_column_has_the_type_of_a_full_one(
        self, function: Callable[..., pd.Series], options: dict[str, Any]
    ) -> None:
        empty = function(column([]), Problems(), **options)
        assert empty.dtype == function(column([None]), Problems(), **options).dtype
        assert len(empty) == 0

    @every
    def test_a_column_without_a_type_is_all_null(
        self, function: Callable[..., pd.Series], options: dict[str, Any]
    ) -> None:
        nothing = pd.Series([None, None], name="cell", dtype=object)
        assert function(nothing, Problems(), **options).isna().all()

    @every
    @pytest.mark.parametrize("text", ["\x00", "\ufeff", "nonsense!", "🙈", "'; DROP TABLE x"])
    def test_what_it_is_not_is_a_problem_of_the_row_alone(
        self, function: Callable[..., pd.Series], options: dict[str, Any], text: str
    ) -> None:
        problems = Problems()
        values = pd.Series([None, text, None], index=[7, 8, 9], name="cell", dtype="str")
        typed = function(values, problems, **options)
        assert typed.isna().all()
        assert typed.index.tolist() == [7, 8, 9]
        assert list(problems.reasons) == [8]

    @every
    def test_it_refuses_what_is_typed_already(
        self, function: Callable[..., pd.Series], options: dict[str, Any]
    ) -> None:
        with pytest.raises(ContractError, match=r"'cell' is already double; to_… functions read"):
            function(pd.Series([1.5], name="cell"), Problems(), **options)

    def test_the_other_rows_and_their_order_are_untouched(self) -> None:
        problems = Problems()
        values = pd.Series(["3", "x", None, "1", "9" * 30], index=[5, 3, 9, 1, 2], name="cell")
        typed = to_integer(values, problems)
        assert typed.index.tolist() == [5, 3, 9, 1, 2]
        assert as_arrow(typed).to_pylist() == [3, None, None, 1, None]
        rules = {row: reason.rule for row, (reason,) in problems.reasons.items()}
        assert rules == {3: NOT_WHOLE, 2: "is out of range for bigint"}

    @pytest.mark.parametrize(
        "values",
        [
            pd.Series(["1", None], dtype="str"),
            pd.Series(["1", None], dtype="string"),
            pd.Series(["1", None], dtype=object),
            pd.Series(["1", None], dtype="category"),
            pd.Series(["1", None], dtype=pd.ArrowDtype(pa.large_string())),
        ],
        ids=lambda values: str(values.dtype),
    )
    def test_text_is_text_however_pandas_holds_it(self, values: pd.Series) -> None:
        assert as_arrow(to_integer(values, Problems())).to_pylist() == [1, None]

    def test_a_column_of_mixed_types_is_refused_by_name(self) -> None:
        with pytest.raises(ContractError, match="column 'cell' is mixed"):
            to_integer(pd.Series([1, "1"], name="cell", dtype=object), Problems())


class TestBoolean:
    @pytest.mark.parametrize("text", ["true", "TRUE", " t ", "Yes", "y", "oN", "1"])
    def test_true(self, text: str) -> None:
        assert read(to_boolean, text) is True

    @pytest.mark.parametrize("text", ["false", "F", "no", "N", "off", "0"])
    def test_false(self, text: str) -> None:
        assert read(to_boolean, text) is False

    @pytest.mark.parametrize("text", ["2", "maybe", "tru", "İ", "true false"])
    def test_neither(self, text: str) -> None:
        assert read(to_boolean, text) == "is not a boolean"

    def test_words_of_ones_own_replace_the_usual_ones(self) -> None:
        assert read(to_boolean, "j", true="J", false="N") is True
        assert read(to_boolean, "N", true="J", false="N") is False
        assert read(to_boolean, "true", true="J", false="N") == "is not a boolean"
        assert read(to_boolean, "ÄHNLICH", true=("ähnlich", "ja"), false="ß") is True


class TestInteger:
    @pytest.mark.parametrize(
        ("text", "value"),
        [("1", 1), ("+5", 5), ("-0", 0), ("00012", 12), (f" 7{NBSP}", 7), ("0" * 60 + "8", 8)],
    )
    def test_whole_numbers(self, text: str, value: int) -> None:
        assert read(to_integer, text) == value

    @pytest.mark.parametrize(
        "text",
        ["1.0", "1e3", "0x1F", "1_0", "+", "--1", "+-1", TWO_IN_ARABIC, "1 2", "1,0", "NaN", "inf"],
    )
    def test_anything_else(self, text: str) -> None:
        assert read(to_integer, text) == NOT_WHOLE

    @pytest.mark.parametrize(("bits", "name"), [(16, "smallint"), (32, "integer"), (64, "bigint")])
    def test_limits(self, bits: int, name: str) -> None:
        limit = 2 ** (bits - 1)
        assert read(to_integer, str(limit - 1), bits=bits) == limit - 1
        assert read(to_integer, str(-limit), bits=bits) == -limit
        for text in (str(limit), str(-limit - 1), "9" * 500, "9" * 5000):
            assert read(to_integer, text, bits=bits) == f"is out of range for {name}"

    @pytest.mark.parametrize(
        "mark", [".", ",", "'", " ", NBSP, "|", "\\", "*", "^", "$", "(", QUOTE]
    )
    def test_thousands_marks(self, mark: str) -> None:
        def whole(text: str) -> Any:
            return read(to_integer, text.replace("_", mark), thousands_mark=mark)

        assert (whole("1_234_567"), whole("-12_345"), whole("1234")) == (1234567, -12345, 1234)
        for text in ("1_23", "1_2345", "1234_567", "1__234", "12_34_567"):
            assert whole(text) == NOT_WHOLE

    @given(st.integers(-(2**63), 2**63 - 1))
    def test_each_integer_comes_back(self, value: int) -> None:
        assert read(to_integer, str(value)) == value


class TestDecimal:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("1", "1.00"),
            ("1.", "1.00"),
            (".5", "0.50"),
            ("+1.5", "1.50"),
            ("-0.00", "0.00"),
            ("1e2", "100.00"),
            ("1E-2", "0.01"),
            ("1.00e1", "10.00"),
            ("1.100", "1.10"),
            ("00000000000001.50", "1.50"),
            ("100000000000000000000000000000000e-30", "100.00"),
            ("0e99999", "0.00"),
            ("0e-999999999", "0.00"),
            ("0." + "0" * 500, "0.00"),
            ("1." + "0" * 500, "1.00"),
            ("9999999999.99", "9999999999.99"),
        ],
    )
    def test_exact_values(self, text: str, value: str) -> None:
        assert money(text) == Decimal(value)

    @pytest.mark.parametrize(
        "text",
        [
            "x",
            ".",
            "1.2.3",
            "1,5",
            "NaN",
            "-inf",
            "0x1",
            "1_0",
            TWO_IN_ARABIC,
            "1.5e",
            "1e5.5",
            "1e" + "9" * 20,
        ],
    )
    def test_no_numbers(self, text: str) -> None:
        assert money(text) == NOT_A_NUMBER

    @pytest.mark.parametrize("text", ["1.101", "1e-3", "0." + "0" * 500 + "1", "1e-999999999"])
    def test_too_many_decimals_are_refused_not_rounded(self, text: str) -> None:
        assert money(text) == "has more than 2 decimals"

    @pytest.mark.parametrize("text", ["10000000000", "1e10", "1e400", "1e999999999", "1" * 500])
    def test_too_many_digits_before_the_decimal_point(self, text: str) -> None:
        assert money(text) == "has more than 10 digits before the decimal point"

    @pytest.mark.parametrize(
        ("precision", "scale"), [(38, 0), (38, 38), (39, 0), (50, 10), (76, 0), (76, 76)]
    )
    def test_as_wide_as_the_type(self, precision: int, scale: int) -> None:
        digits = Decimal("9" * precision).scaleb(-scale, WIDE)
        options = {"precision": precision, "scale": scale}
        assert read(to_decimal, f"{digits:f}", **options) == digits
        assert read(to_decimal, f"-{digits:f}", **options) == digits.copy_negate()
        before = precision - scale
        too_wide = f"has more than {before} digits before the decimal point"
        assert read(to_decimal, "1" + "0" * before, **options) == too_wide

    @pytest.mark.parametrize(
        ("marks", "text", "value"),
        [
            (",.", "1.234.567,89", "1234567.89"),
            (",.", ",5", "0.50"),
            (",.", "1234,5", "1234.50"),
            (".'", "1'234.50", "1234.50"),
            (f",{NBSP}", f"1{NBSP}234,50", "1234.50"),
            (".,", "-1,234e2", "-123400.00"),
            ("^*", "1*234^5", "1234.50"),
            ("$(", "1(234$5", "1234.50"),
        ],
    )
    def test_marks(self, marks: str, text: str, value: str) -> None:
        decimal_mark, thousands_mark = marks
        found = money(text, decimal_mark=decimal_mark, thousands_mark=thousands_mark)
        assert found == Decimal(value)

    @pytest.mark.parametrize("text", ["1.23", "1.2345,0", "12.34,5", "1,234.5", ".123", "1..234"])
    def test_marks_out_of_place(self, text: str) -> None:
        assert money(text, decimal_mark=",", thousands_mark=".") == NOT_A_NUMBER

    @given(
        st.decimals(
            allow_nan=False, allow_infinity=False, places=10, max_value=10**27, min_value=-(10**27)
        )
    )
    def test_each_decimal_comes_back(self, value: Decimal) -> None:
        assert read(to_decimal, str(value), precision=38, scale=10) == value

    @given(st.from_regex(r"[+-]?[0-9]{0,50}(\.[0-9]{0,50})?([eE][+-]?[0-9]{1,3})?", fullmatch=True))
    def test_a_value_is_the_same_number_or_refused(self, text: str) -> None:
        found = money(text) if text else None
        if isinstance(found, Decimal):
            assert found == Decimal(text)
        elif found is not None and found != NOT_A_NUMBER:
            value = Decimal(text)
            assert abs(value) >= 10**10 or value != value.quantize(Decimal("0.01"), context=WIDE)


class TestDouble:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("1", 1.0),
            ("+1.5", 1.5),
            (".5", 0.5),
            ("5e-324", 5e-324),
            ("1e-400", 0.0),
            ("1.7976931348623157e308", 1.7976931348623157e308),
            ("0.1", 0.1),
        ],
    )
    def test_numbers(self, text: str, value: float) -> None:
        assert read(to_double, text) == value

    @pytest.mark.parametrize(
        "text", ["nan", "inf", "-Infinity", "1e400", "9" * 500, "0x1p3", "1d5"]
    )
    def test_nothing_but_finite_numbers(self, text: str) -> None:
        assert read(to_double, text) == NOT_A_NUMBER

    def test_marks(self) -> None:
        assert read(to_double, "1.234,5", decimal_mark=",", thousands_mark=".") == 1234.5

    @given(st.floats(allow_nan=False, allow_infinity=False))
    def test_each_float_comes_back(self, value: float) -> None:
        assert read(to_double, repr(value)) == value


class TestDate:
    @pytest.mark.parametrize(
        "day", [date.min, date.max, date(2024, 2, 29), date(2000, 2, 29), date(1969, 12, 31)]
    )
    def test_days(self, day: date) -> None:
        assert read(to_date, day.isoformat()) == day

    @pytest.mark.parametrize(
        "text",
        [
            "2023-02-29",
            "1900-02-29",
            "2026-04-31",
            "2026-13-01",
            "2026-00-10",
            "0000-01-01",
            "10000-01-01",
            "2026-1-1",
            "20260101",
            "2026/01/01",
            "2026-01-01T00:00:00",
            TWO_IN_ARABIC + "026-01-01",
        ],
    )
    def test_no_days(self, text: str) -> None:
        assert read(to_date, text) == NOT_A_DATE

    def test_formats(self) -> None:
        assert read(to_date, "31.12.9999", format="%d.%m.%Y") == date.max
        assert read(to_date, "01.01.0001", format="%d.%m.%Y") == date.min
        assert read(to_date, "01 Jan 26", format="%d %b %y") == date(2026, 1, 1)
        assert read(to_date, "366/2024", format="%j/%Y") == date(2024, 12, 31)
        wrong = "is not a date in the format %d.%m.%Y"
        assert read(to_date, "29.02.2023", format="%d.%m.%Y") == wrong
        assert read(to_date, "2026-01-01", format="%d.%m.%Y") == wrong

    @given(st.dates())
    def test_each_date_comes_back(self, day: date) -> None:
        assert read(to_date, day.isoformat()) == day


class TestTime:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("00:00", clock(0)),
            ("23:59:59", clock(23, 59, 59)),
            ("10:00:00.5", clock(10, 0, 0, 500_000)),
            ("10:00:00.123456789", clock(10, 0, 0, 123_456)),
        ],
    )
    def test_times(self, text: str, value: clock) -> None:
        assert read(to_time, text) == value

    @pytest.mark.parametrize(
        "text", ["24:00", "23:59:60", "1:00", "10:60", "10:00Z", "T10:00", "10:00:00,5"]
    )
    def test_no_times(self, text: str) -> None:
        assert read(to_time, text) == NOT_A_TIME

    def test_formats(self) -> None:
        assert read(to_time, "2359", format="%H%M") == clock(23, 59)
        assert read(to_time, "12:05 AM", format="%I:%M %p") == clock(0, 5)
        assert read(to_time, "10:30 PM", format="%I:%M %p") == clock(22, 30)
        assert read(to_time, "2460", format="%H%M") == "is not a time in the format %H%M"

    @given(st.times())
    def test_each_time_comes_back(self, value: clock) -> None:
        assert read(to_time, value.isoformat()) == value


class TestTimestamp:
    @pytest.mark.parametrize(
        "text", ["2026-01-31T10:00", "2026-01-31 10:00:00", "2026-01-31T10:00:00.000000999"]
    )
    def test_spellings(self, text: str) -> None:
        assert read(to_timestamp, text) == datetime(2026, 1, 31, 10)

    def test_a_day_is_its_midnight(self) -> None:
        assert read(to_timestamp, "2026-01-31") == datetime(2026, 1, 31)

    @pytest.mark.parametrize("digits", [7, 8, 9, 12])
    def test_fractions_end_at_microseconds(self, digits: int) -> None:
        fraction = "123456789012"[:digits]
        expected = datetime(2026, 1, 31, 10, 0, 0, 123_456)
        assert read(to_timestamp, f"2026-01-31T10:00:00.{fraction}") == expected
        instant = read(to_timestamp, f"2026-01-31T10:00:00.{fraction}+00:00", timezone="UTC")
        assert instant == expected.replace(tzinfo=UTC)

    @pytest.mark.parametrize(
        "text",
        [
            "x",
            "2026-02-29T00:00",
            "2026-01-31T24:00",
            "2026-06-30T23:59:60",
            "2026-01-31T10:00:00,5",
            "2026-01-31T10:00:00.",
            "20260131T100000",
            "1767225600",
            "2026-01-31T10:00 Europe/Berlin",
            "2026-01-31T10:00+24:00",
            "2026-01-31Z",
            "2026-01-31T1:00",
        ],
    )
    @pytest.mark.parametrize("timezone", [None, "Europe/Berlin"])
    def test_no_timestamps(self, text: str, timezone: str | None) -> None:
        assert read(to_timestamp, text, timezone=timezone) == NOT_A_TIMESTAMP

    @pytest.mark.parametrize("offset", ["Z", "+05:30", "-08", "+0000"])
    def test_an_offset_has_no_place_where_no_instant_is_meant(self, offset: str) -> None:
        assert read(to_timestamp, f"2026-01-31T10:00:00{offset}") == NOT_A_TIMESTAMP

    @pytest.mark.parametrize(
        ("text", "instant"),
        [
            ("2026-01-31T10:00", "2026-01-31T09:00:00+00:00"),
            ("2026-07-31T10:00", "2026-07-31T08:00:00+00:00"),
            ("2099-07-31T10:00", "2099-07-31T08:00:00+00:00"),
            ("2026-01-31", "2026-01-30T23:00:00+00:00"),
            ("2026-01-31T10:00Z", "2026-01-31T10:00:00+00:00"),
            ("2026-01-31 10:00:00+05:30", "2026-01-31T04:30:00+00:00"),
            ("2026-01-31T10:00:00-0800", "2026-01-31T18:00:00+00:00"),
            ("2026-01-31T10:00:00+05", "2026-01-31T05:00:00+00:00"),
            ("2026-10-25T02:30:00+02:00", "2026-10-25T00:30:00+00:00"),
            ("2026-10-25T02:30:00+01:00", "2026-10-25T01:30:00+00:00"),
        ],
    )
    def test_instants(self, text: str, instant: str) -> None:
        assert read(to_timestamp, text, timezone="Europe/Berlin") == datetime.fromisoformat(instant)

    @pytest.mark.parametrize("text", ["2026-03-29T02:30", "2026-10-25T02:30"])
    def test_the_gap_and_the_fold_of_summer_time_name_no_instant(self, text: str) -> None:
        assert read(to_timestamp, text, timezone="Europe/Berlin") == SKIPPED
        assert read(to_timestamp, text, timezone="UTC") == datetime.fromisoformat(f"{text}Z")
        assert read(to_timestamp, text) == datetime.fromisoformat(text)
        german = datetime.fromisoformat(text).strftime("%d.%m.%Y %H:%M")
        options = {"format": "%d.%m.%Y %H:%M", "timezone": "Europe/Berlin"}
        assert read(to_timestamp, german, **options) == SKIPPED

    @pytest.mark.parametrize(
        ("text", "timezone"),
        [
            ("0000-12-31T00:00", None),
            ("0001-01-01T00:00", "Europe/Berlin"),
            ("0001-01-01T00:00:00+05:00", "UTC"),
            ("9999-12-31T23:59:59", "America/New_York"),
            ("9999-12-31T23:59:59-05:00", "UTC"),
        ],
    )
    def test_outside_the_years_that_python_has(self, text: str, timezone: str | None) -> None:
        assert read(to_timestamp, text, timezone=timezone) == OUTSIDE

    def test_first_and_last(self) -> None:
        for moment in (datetime.min, datetime.max):
            assert read(to_timestamp, moment.isoformat()) == moment
            instant = read(to_timestamp, moment.isoformat(), timezone="UTC")
            assert instant == moment.replace(tzinfo=UTC)

    def test_formats(self) -> None:
        def formatted(text: str, format: str, timezone: str | None = None) -> Any:
            return read(to_timestamp, text, format=format, timezone=timezone)

        assert formatted("31.01.2026 10:00", "%d.%m.%Y %H:%M") == datetime(2026, 1, 31, 10)
        assert formatted("Jan 31 2026 10:05 PM", "%b %d %Y %I:%M %p") == datetime(
            2026, 1, 31, 22, 5
        )
        moment = datetime(2026, 1, 31, 9, tzinfo=UTC)
        assert formatted("31.01.2026 10", "%d.%m.%Y %H", "Europe/Berlin") == moment
        for offset in ("+0100", "+01:00"):
            zoned = formatted(f"31.01.2026 10 {offset}", "%d.%m.%Y %H %z", "Asia/Kolkata")
            assert zoned == moment
        wrong = "is not a timestamp in the format %d.%m.%Y %H %z"
        assert formatted("31.01.2026 10", "%d.%m.%Y %H %z", "UTC") == wrong
        assert formatted("31.12.9999 23 -0500", "%d.%m.%Y %H %z", "UTC") == OUTSIDE

    def test_offsets_may_differ_from_row_to_row(self) -> None:
        problems = Problems()
        texts = ["2026-01-31 10 +0530", "2026-01-31 10 -0800", None, "x"]
        instants = to_timestamp(column(texts), problems, format="%Y-%m-%d %H %z", timezone="UTC")
        hours = [at and at.hour for at in as_arrow(instants).to_pylist()]
        assert hours == [4, 18, None, None]
        assert list(problems.reasons) == [3]

    @given(st.datetimes())
    def test_each_timestamp_comes_back(self, moment: datetime) -> None:
        assert read(to_timestamp, moment.isoformat()) == moment

    @given(
        st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)),
        st.integers(-23 * 60, 23 * 60).map(lambda minutes: timedelta(minutes=minutes)),
    )
    def test_each_instant_comes_back(self, moment: datetime, offset: timedelta) -> None:
        instant = moment.replace(tzinfo=timezone(offset))
        assert read(to_timestamp, instant.isoformat(), timezone="Europe/Berlin") == instant


class TestBytes:
    @pytest.mark.parametrize(
        ("format", "text", "value"),
        [
            ("hex", "\\x00ff", b"\x00\xff"),
            ("hex", "00FF", b"\x00\xff"),
            ("hex", "\\x", b""),
            ("base64", "AP8=", b"\x00\xff"),
        ],
    )
    def test_bytes(self, format: str, text: str, value: bytes) -> None:
        assert read(to_bytes, text, format=format) == value

    @pytest.mark.parametrize(
        ("format", "text"),
        [
            ("hex", "0"),
            ("hex", "zz"),
            ("hex", 2 * TWO_IN_ARABIC),
            ("base64", "A"),
            ("base64", "AP8"),
            ("base64", "é"),
        ],
    )
    def test_no_bytes(self, format: str, text: str) -> None:
        assert read(to_bytes, text, format=format) == f"is not {format}"


class TestUuid:
    @pytest.mark.parametrize(
        "text", [ID, ID.upper(), ID.replace("-", ""), f"{{{ID}}}", f"urn:uuid:{ID}", f" {ID} "]
    )
    def test_uuids(self, text: str) -> None:
        assert read(to_uuid, text) == uuid.UUID(ID).bytes

    @pytest.mark.parametrize(
        "text", ["x", ID[:-1], ID + "0", TWO_IN_ARABIC + ID[1:], "0x" + ID[2:], "+" + ID[1:]]
    )
    def test_no_uuids(self, text: str) -> None:
        assert read(to_uuid, text) == "is not a UUID"


class TestJson:
    @pytest.mark.parametrize(
        "text",
        ['{"a":1.10}', "[]", "null", "1" * 500, '{"a":1,"a":2}', r'"\\u0000"', r'"😀"'],
    )
    def test_documents_are_kept_as_they_are(self, text: str) -> None:
        assert read(to_json, text) == text

    @pytest.mark.parametrize(
        "text",
        [
            "{",
            "1 2",
            "NaN",
            "01",
            "'a'",
            '"a\tb"',
            r'"\u0000"',
            r'{"\u0000":1}',
            r'"\\\u0000"',
            r'"\ud800"',
            "[" * 100000,
            "[" * 3000 + "]" * 3000,
        ],
    )
    def test_no_documents(self, text: str) -> None:
        assert read(to_json, text) == "is not JSON"


class TestCost:
    """Counted in calls, as time depends on the machine."""

    @pytest.fixture
    def casts(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
        sizes: list[int] = []
        cast = pc.cast

        def counting(values: Any, *args: Any, **kwargs: Any) -> Any:
            sizes.append(len(values))
            return cast(values, *args, **kwargs)

        monkeypatch.setattr(convert.pc, "cast", counting)
        return sizes

    def test_one_bad_cell_is_found_by_halving(self, casts: list[int]) -> None:
        problems = Problems()
        to_date(
            column(["2026-01-31"] * 30_000 + ["2026-02-30"] + ["2026-01-31"] * 19_999), problems
        )
        assert list(problems.reasons) == [30_000]
        assert len(casts) < 40
        assert sum(casts) < 4 * 50_000

    @pytest.mark.parametrize(
        ("function", "options", "bad"),
        [
            (to_integer, {}, "9" * 20),
            (to_decimal, MONEY, "1.234"),
            (to_double, {}, "1e999"),
            (to_date, {}, "31.01.2026"),
            (to_time, {}, "24:00"),
            (to_timestamp, {"timezone": "Europe/Berlin"}, "2026-03-29T02:30"),
            (to_timestamp, {"timezone": "Europe/Berlin"}, "31.01.2026 10:00"),
        ],
    )
    def test_a_column_that_is_bad_all_over_is_not_halved(
        self,
        casts: list[int],
        function: Callable[..., pd.Series],
        options: dict[str, Any],
        bad: str,
    ) -> None:
        problems = Problems()
        function(column([bad] * 5_000), problems, **options)
        assert len(problems.reasons) == 5_000
        assert len(casts) < 10


ZONED = """
import json, sys
import pandas as pd
from runtime.convert import *
from runtime.problems import Problems
texts = ["2026-03-29T02:30:00", "2026-10-25T02:30:00", "2026-01-31T10:00:00", "1969-12-31", "x"]
found = []
for zone in (None, "Europe/Berlin", "Asia/Kolkata"):
    for format in ("ISO8601", "%Y-%m-%dT%H:%M:%S"):
        problems = Problems()
        moments = to_timestamp(pd.Series(texts), problems, format=format, timezone=zone)
        found.append([str(moment) for moment in moments])
        found.append([str(reason) for reason in problems.reasons.values()])
found.append([str(at) for at in to_time(pd.Series(["10:00"]), Problems())])
days = to_date(pd.Series(["31.01.2026"]), Problems(), format="%d.%m.%Y")
found.append([str(day) for day in days])
json.dump(found, sys.stdout)
"""


@pytest.mark.slow
def test_the_machines_time_zone_makes_no_difference() -> None:
    def found(zone: str) -> Any:
        path = os.pathsep.join(entry for entry in sys.path if entry)
        environment = {**os.environ, "TZ": zone, "PYTHONPATH": path}
        command = [sys.executable, "-c", ZONED]
        return json.loads(
            subprocess.run(command, env=environment, capture_output=True, check=True).stdout
        )

    assert found("UTC") == found("Asia/Kolkata") == found("America/New_York")


def _column(*values: str | None) -> "pd.Series[Any]":
    return pd.Series([*values], dtype=pd.ArrowDtype(pa.string()), name="c")


def test_a_decimal_is_rounded_where_that_is_asked_for() -> None:
    problems = Problems()
    cells = _column("1.005", "1.015", "-1.005", "1", "1e-999", "99.994", "99.995", None)
    found = to_decimal(cells, problems, precision=4, scale=2, round_to=2)
    assert found.dropna().tolist() == [
        Decimal(text) for text in ("1.00", "1.02", "-1.00", "1.00", "0.00", "99.99")
    ]
    reasons = {row: reason.rule for row, (reason,) in problems.reasons.items()}
    assert reasons == {6: "has more than 2 digits before the decimal point"}


def test_a_decimal_is_rounded_to_fewer_digits_than_it_may_have() -> None:
    found = to_decimal(_column("1.25", "1.35"), Problems(), precision=4, scale=2, round_to=1)
    assert found.tolist() == [Decimal("1.20"), Decimal("1.40")]


def test_of_several_formats_the_first_that_fits_counts() -> None:
    problems = Problems()
    formats = ("%d/%m/%Y", "%m/%d/%Y", "%Y-%m-%d")
    cells = _column("03/04/2026", "03/14/2026", "2026-03-04", "someday", None)
    found = to_date(cells, problems, format=formats)
    assert found.dropna().tolist() == [date(2026, 4, 3), date(2026, 3, 14), date(2026, 3, 4)]
    reasons = {row: reason.rule for row, (reason,) in problems.reasons.items()}
    assert reasons == {3: "is not a date in the format %d/%m/%Y or %m/%d/%Y or %Y-%m-%d"}
