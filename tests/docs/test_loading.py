"""The page on loading says of the ledger what is there."""

import re

import pytest
from sqlalchemy import CheckConstraint, create_engine, text

from runtime import commands, ledger
from runtime.lease import LEASE_SECONDS
from runtime.loading import TRIES
from runtime.resource import EXTRA, LINEAGE, Load
from runtime.write import KEPT_REJECTS
from tests.docs.markdown import DOCS, blocks, names, prose, rows

PAGE = DOCS / "how-loading-works.md"


@pytest.mark.slow
def test_the_queries_work(demo_url: str) -> None:
    engine = create_engine(demo_url)
    with engine.connect() as connection:
        for block in blocks(PAGE):
            if block.language == "sql":
                assert connection.execute(text(block.text)).all(), f"line {block.line}: no rows"
    engine.dispose()


def test_every_table_of_the_ledger_is_listed_with_columns_that_it_has() -> None:
    listed = rows(PAGE, "## The ledger")
    assert sorted(names(listed)) == sorted(table.name for table in ledger.metadata.tables.values())
    for name, row in zip(names(listed), listed, strict=True):
        columns = set(re.findall(r"`(\w+)`", row[2]))
        assert columns <= set(getattr(ledger, name).c.keys())


def test_every_state_is_listed() -> None:
    rules = [
        str(one.sqltext) for one in ledger.attempts.constraints if isinstance(one, CheckConstraint)
    ]
    [rule] = [rule for rule in rules if "status IN" in rule]
    assert names(rows(PAGE, "### States of an attempt")) == re.findall(r"'(\w+)'", rule)


def test_every_count_is_listed() -> None:
    counts = [name for name in ledger.ACCOUNTED if name != "read"]
    assert names(rows(PAGE, "## What it promises")) == counts
    assert f"read = {' + '.join(counts)}" in prose(PAGE)


def test_every_way_of_loading_is_listed() -> None:
    dispositions = {kind.name for kind in Load.__args__}
    assert set(names(rows(PAGE, "## Which rows win"))) == dispositions


def test_every_column_of_lineage_is_listed() -> None:
    assert set(names(rows(PAGE, "## Where a row came from"))) == {*LINEAGE, EXTRA}


def test_the_numbers_are_those_of_the_code() -> None:
    page = prose(PAGE)
    assert f"at most {KEPT_REJECTS:,}" in page
    assert "it ends after five minutes" in page
    assert LEASE_SECONDS == 5 * 60
    assert re.search(r"is tried up to five\s+times", page)
    assert TRIES == 5
    exits = [int(row[0]) for row in rows(PAGE, "## Exit codes of `shop-etl run`")]
    assert exits == [0, commands.FAILED, commands.BUSY, 130, 143]
