"""Encodings, the ledger's version, the size of the quarantine, and a plan that must wait."""

from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, inspect, make_url, text, update

from runtime import ledger, loading, write
from runtime.connect import Destination, connect, postgresql_url
from runtime.errors import BusyError, ContractError, FatalError, is_retryable
from tests.runtime.feed import (
    Feed,
    contents,
    load_as,
    order,
    orders,
    orders_table,
    planned,
    quarantined,
)

NAME = "Jürgen Spärck"


def loaded_name(destination: Destination) -> object:
    """What came of a name with letters beyond ASCII."""
    resource = Feed({"a": [order(1, note=NAME)]}).resource(load_as("merge"))
    loading.load(destination, resource, "run")
    return contents(destination, orders_table(), "note")


def test_the_client_s_encoding_does_not_matter(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "latin1")
    destination = connect(postgresql_url(database), "etl_shop", "tests")
    assert loaded_name(destination) == [(NAME,)]
    destination.engine.dispose()


def test_the_database_s_encoding_does_not_matter(database: str) -> None:
    name = f"test_latin_{uuid4().hex}"
    admin = create_engine(make_url(database), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(
            text(
                f"CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE_PROVIDER libc"
                " LOCALE 'C' TEMPLATE template0"
            )
        )
    destination = connect(postgresql_url(database).set(database=name), "etl_shop", "tests")
    try:
        assert loaded_name(destination) == [(NAME,)]
        beyond = Feed({"b": [order(2, note="日本"), order(3)]}).resource(load_as("merge"))
        counts = loading.load(destination, beyond, "next")
        assert (counts.loaded, counts.quarantined) == (1, 1)
    finally:
        destination.engine.dispose()
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        admin.dispose()


def test_another_version_s_ledger_is_left_alone(destination: Destination) -> None:
    resource = Feed({"a": orders(1)}).resource(load_as("merge"))
    loading.load(destination, resource, "run")
    with destination.transaction() as connection:
        connection.execute(update(ledger.version).values(version=ledger.VERSION + 1))
    with pytest.raises(ContractError, match=r"has version 3 of the ledger, this code needs 2"):
        loading.load(destination, resource, "next")


def test_the_quarantine_is_found_by_what_it_is_asked_for(destination: Destination) -> None:
    loading.load(destination, Feed({"a": orders(1)}).resource(load_as("merge")), "run")
    with destination.transaction() as connection:
        indexes = inspect(connection).get_indexes("quarantine", destination.work_schema)
    assert {tuple(index["column_names"]) for index in indexes} == {
        ("resource", "run_id", "attempt"),
        ("resource",),
    }


def test_a_huge_cell_is_cut_in_the_quarantine(destination: Destination) -> None:
    resource = Feed({"a": [order("x", note="y" * 50_000)]}).resource(load_as("append"))
    loading.load(destination, resource, "run")
    ((payload,),) = quarantined(destination, "payload")
    assert payload["note"] == "y" * write.LONGEST_CELL + "…"
    assert payload["id"] == "x"


def test_another_run_s_load_is_worth_a_second_try_later_but_not_now(
    destination: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    resource = Feed({"a": orders(1)}).resource(load_as("merge"))
    planned(destination, resource, "scheduled")
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda seconds: pytest.fail("it waited"))
    with pytest.raises(BusyError) as busy:
        loading.load(destination, resource, "other")
    assert is_retryable(busy.value)
    assert not isinstance(busy.value, FatalError)


def test_a_plan_that_must_wait_looks_at_nothing(destination: Destination) -> None:
    resource = Feed({"a": orders(1)}).resource(load_as("merge"))
    planned(destination, resource, "scheduled")
    feed = Feed({"a": orders(1)})
    with pytest.raises(BusyError):
        loading.load(destination, feed.resource(load_as("merge")), "other")
    assert feed.windows == []


def test_the_example_of_a_password_is_what_it_says(tmp_path: Path) -> None:
    from runtime.environment import Environment

    (tmp_path / ".env").write_text(r"PASSWORD='p@ss #x\'y\\z '" + "\n")
    assert Environment(tmp_path).get("PASSWORD") == r"p@ss #x'y\z "
