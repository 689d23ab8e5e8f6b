"""Personal data: no value of a private column is told anywhere but in the table itself."""

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import text

from runtime import loading, screen
from runtime.clean import hash_text
from runtime.connect import Destination
from runtime.errors import ConfigError, ContractError
from runtime.problems import Problems
from runtime.resource import Append, Partition, Replace
from runtime.table_checks import Unique
from tests.runtime.feed import Feed, contents, order, orders_table
from tests.runtime.test_clean import texts

CANARY = "S3cr3t-canary"
PRIVATE = frozenset({"note", "amount"})


def everything_in(destination: Destination) -> str:
    """All that the ledger and quarantine hold."""
    with destination.transaction() as connection:
        tables = ("quarantine", "attempts", "partitions", "resources")
        schema = destination.work_schema
        found = [
            connection.execute(text(f"SELECT t::text FROM {schema}.{name} t")).scalars().all()
            for name in tables
        ]
    return repr(found)


class Unreadable(Feed):
    """A feed with a record that could not be read."""

    def extract(self, feed: Feed, partition: Partition) -> Iterator[pd.DataFrame]:
        partition.reject(9, "has too many fields", f"9;{CANARY};;;")
        yield from super().extract(feed, partition)


@pytest.mark.slow
def test_a_private_value_of_a_bad_row_is_not_in_quarantine_nor_shown(
    destination: Destination, capsys: pytest.CaptureFixture[str]
) -> None:
    table = orders_table(key=False)
    records = [
        order(1, note=CANARY),  # good
        order(2, amount=CANARY),  # a reason with the value
        order("x", note=CANARY),  # the payload of a row that another column spoils
        order(3, note=f"{CANARY}\x00"),  # a NUL character
        order(4, amount="-1", note=None),
    ]

    def check(rows: pd.DataFrame, problems: Problems) -> None:
        problems.require("amount", "is at least 0", rows["amount"] >= 0)
        problems.require("note", "is short", rows["note"].str.len() < 3, severity="warn")

    resource = Unreadable({"a": records}).resource(Replace(table), check=check, private=PRIVATE)
    results = screen.Results()
    results.add(resource, loading.load(destination, resource, "run"), 0.1)
    results.show(destination, "run")
    screen.show_status(destination, 5)
    screen.show_quarantine(destination, [resource], 50)
    screen.show_rows(destination, [resource], 50)

    shown = capsys.readouterr()
    assert CANARY not in shown.out + shown.err + everything_in(destination)
    assert "(hidden)" in shown.out
    assert "has too many fields" in shown.out
    assert '"note": null' in shown.out  # that there is none is no secret
    assert contents(destination, table, "id", "note") == [(1, CANARY)]


@pytest.mark.slow
def test_a_check_of_the_whole_load_gives_no_private_example(destination: Destination) -> None:
    load = Append(orders_table(key=False))
    twice = [order(1, note=CANARY), order(2, note=CANARY)]
    parts: dict[str, Any] = {"checks": [Unique("note")], "private": PRIVATE}
    with pytest.raises(ContractError) as broken:
        loading.load(destination, Feed({"a": twice}).resource(load, **parts), "run")
    assert "note is not unique: 1 value in 2 rows" in str(broken.value)
    assert CANARY not in str(broken.value) + everything_in(destination)


@pytest.mark.parametrize("private", ["lines", "price", "lines[2].price"])
def test_an_element_of_an_array_is_private_as_its_array_or_its_column_is(private: str) -> None:
    problems = Problems(private=frozenset({private}))
    problems.add("lines[2].price", "is not a number", texts(CANARY))
    problems.add("others[2].prices", "is not a number", texts("shown"))
    assert [reason.value for reason in problems.reasons[1]] == ["(hidden)", "shown"]


class TestHash:
    key = "0123456789abcdef"

    def test_is_hmac_sha256_in_hex_and_null_stays_null(self) -> None:
        hashed = hash_text(texts("Ada", None, "Ada", "Bob"), self.key)
        # printf Ada | openssl dgst -sha256 -hmac 0123456789abcdef
        ada = "9bc245ae8032d0b6c5fca2e91bbe82682c2e07656f8ebc09906bf20ee6825e25"
        assert hashed.isna().tolist() == [False, True, False, False]
        assert hashed.dropna().tolist()[:2] == [ada, ada]
        assert hashed.index.tolist() == [1, 2, 3, 4]
        assert hashed.iloc[3] != ada

    def test_another_key_gives_another_hash(self) -> None:
        one, other = (hash_text(texts("Ada"), key)[1] for key in (self.key, self.key[::-1]))
        assert one != other

    def test_a_key_that_could_be_guessed_is_refused(self) -> None:
        with pytest.raises(ConfigError) as short:
            hash_text(texts("Ada"), CANARY)
        assert CANARY not in str(short.value)
