"""The command line's work: what is chosen, what is shown, which exit code."""

import os
import signal
from collections.abc import Iterator
from dataclasses import replace

import pandas as pd
import pytest
import structlog
from sqlalchemy import inspect

from runtime import attempts, commands, ledger, loading, screen
from runtime.connect import Destination, connect, postgresql_url
from runtime.errors import ConfigError, ContractError
from runtime.keys import KeysOf
from runtime.logs import configure_logs
from runtime.problems import Problems
from runtime.resource import Merge, Partition, Window
from runtime.write import write
from tests.runtime.feed import Feed, ids, load_as, order, orders, orders_table, planned, status

HOSTILE = "\x1b[2J\x1b]0;x\x07[red]<script>=cmd|' /C calc'!A0"


@pytest.fixture(autouse=True)
def logs_apart() -> Iterator[None]:
    """Logs on stderr, as the command line has them."""
    before = structlog.get_config()
    configure_logs("json")
    yield
    structlog.configure(**before)


@pytest.fixture
def destination(postgres_url: str) -> Iterator[Destination]:
    reached = connect(postgresql_url(postgres_url), "etl_shop", "tests")
    yield reached
    reached.engine.dispose()


def shown(capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    """The words of each line on stdout."""
    return [line.split() for line in capsys.readouterr().out.splitlines()]


def test_a_run_says_what_became_of_every_row(
    destination: Destination, capsys: pytest.CaptureFixture[str]
) -> None:
    records = [*orders(1, 2, 2), order("x"), order(4, note="skip")]
    resource = Feed({"a": records}).resource(load_as("merge"))
    assert commands.run(destination, [resource], take_over=False) == 0
    header, row, note = shown(capsys)
    assert header[:3] == ["resource", "read", "loaded"]
    assert row[:8] == ["feed.orders", "5", "2", "0", "1", "1", "1", "0"]
    assert note[:5] == ["1", "row", "was", "set", "aside:"]


def test_a_resource_that_fails_does_not_keep_the_others_back(
    destination: Destination, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(feed: Feed, window: object) -> list[object]:
        raise ContractError("the file has gone", "Look for it.")

    bad = Feed({}).resource(load_as("merge", orders_table("bad")), partitions=broken)
    good = Feed({"a": orders(1)}).resource(load_as("merge"))
    assert commands.run(destination, [bad, good], take_over=False) == commands.FAILED
    captured = capsys.readouterr()
    assert "feed.bad: the file has gone\n  Look for it." in captured.err
    assert "feed.orders" in captured.out
    assert ids(destination, orders_table()) == [1]


def test_a_resource_that_is_being_loaded_has_an_exit_code_of_its_own(
    destination: Destination, capsys: pytest.CaptureFixture[str]
) -> None:
    resource = Feed({"a": orders(1)}).resource(load_as("merge"))
    planned(destination, resource, "scheduled")
    assert commands.run(destination, [resource], take_over=False) == commands.BUSY
    assert "is being loaded by run scheduled" in capsys.readouterr().err
    assert commands.run(destination, [resource], take_over=True) == 0


def test_sigterm_gives_up_what_was_staged(destination: Destination) -> None:
    def stop(file: str, batch: int) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    resource = Feed({"a": orders(1, 2, 3)}, on_batch=stop).resource(load_as("merge"))
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as stopped, commands.raising_on_sigterm():
        commands.run(destination, [resource], take_over=False)
    assert stopped.value.code == 143
    assert signal.getsignal(signal.SIGTERM) is before
    attempt = attempts.Attempt("feed.orders", _only_run(destination), 1, 1, "")
    assert status(destination, attempt) == "aborted"
    assert ids(destination, orders_table()) == []


def test_quarantine_shows_data_as_text_only(
    destination: Destination, capsys: pytest.CaptureFixture[str]
) -> None:
    resource = Feed({"a": [order("x", note=HOSTILE)]}).resource(Merge(orders_table()))
    commands.run(destination, [resource], take_over=False)
    capsys.readouterr()
    screen.show_quarantine(destination, [resource], limit=5)
    text = capsys.readouterr().out
    assert text.splitlines()[1].split()[1:3] == ["a", "1"]
    assert "id 'x' is not a whole number" in text
    assert "<script>" in text
    assert "[red]" in text
    assert not {"\x1b", "\x07"} & set(text)


def test_status_and_head_show_what_was_loaded(
    destination: Destination, capsys: pytest.CaptureFixture[str]
) -> None:
    resource = Feed({"a": [order(1, "2.50", None, "3")]}).resource(load_as("merge"))
    screen.show_rows(destination, [resource], limit=5)
    assert "is not there yet" in capsys.readouterr().out
    commands.run(destination, [resource], take_over=False)
    capsys.readouterr()
    screen.show_status(destination, limit=5)
    assert [word for word in shown(capsys)[1] if not word.startswith("2")][:5] == [
        "feed.orders",
        "1",
        "published",
        "1",
        "1",
    ]
    screen.show_rows(destination, [resource], limit=5)
    title, header, row, _ = shown(capsys)
    assert title == ["shop.orders:", "1", "row"]
    assert header == ["id", "amount", "note", "updated_at"]
    assert row == ["1", "2.50", "NULL", "2026-01-03", "00:00:00+00"]


def test_nothing_loaded_yet_is_said(destination: Destination) -> None:
    with pytest.raises(ConfigError, match="nothing was loaded yet"):
        screen.show_status(destination, limit=5)


def test_the_plan_lists_files_and_opens_no_attempt(
    destination: Destination, capsys: pytest.CaptureFixture[str]
) -> None:
    resource = Feed({"a.csv": orders(1), "b.csv": orders(2)}).resource(load_as("append"))
    screen.show_plan(lambda: destination, [resource, Feed({}).resource(load_as("replace"))])
    _, first, second, third = shown(capsys)
    assert first == ["feed.orders", "append", "shop.orders", "a.csv"]
    assert second == ["b.csv"]
    assert third == ["feed.orders", "replace", "shop.orders", "nothing"]
    with destination.engine.connect() as connection:
        assert not inspect(connection).has_table("attempts", destination.work_schema)


class Ranges(Feed):
    """A feed that is asked for values of its cursor, and for nothing where all is published."""

    def partitions(self, feed: Feed, window: Window) -> list[Partition]:
        detail = {"cursor": window.of("updated_at").as_detail()}
        part = Partition(0, window, file=None, detail=detail)
        return [] if "a" in window.published else [part]


def test_the_plan_goes_on_from_what_was_loaded(
    destination: Destination, capsys: pytest.CaptureFixture[str]
) -> None:
    loading.load(destination, Feed({"a": orders(1)}).resource(load_as("merge")), "one")
    resource = Ranges({}).resource(load_as("merge"))
    with destination.transaction() as connection:
        connection.execute(ledger.partitions.update().values(detail={}, file=None))
    screen.show_plan(lambda: destination, [resource])
    assert shown(capsys)[-1][3:] == ["updated_at", "from", "2026-01-01", "00:00:00+00:00"]


def test_the_plan_leaves_out_published_files(
    destination: Destination, capsys: pytest.CaptureFixture[str]
) -> None:
    feed = Ranges({})
    resource = feed.resource(load_as("merge"))
    loading.load(destination, Feed({"a": orders(1)}).resource(load_as("merge")), "one")
    with destination.transaction() as connection:
        connection.execute(ledger.partitions.update().values(detail={"version": "1"}))
    screen.show_plan(lambda: destination, [resource])
    assert shown(capsys)[-1][3:] == ["nothing"]


def test_the_plan_says_that_the_destination_is_not_reached(
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = postgresql_url("postgresql://me:S3cr3t-canary@127.0.0.1:9/none")
    resource = Feed({"a.csv": orders(1)}).resource(load_as("append"))
    for_each = replace(resource, each={"order": KeysOf("orders", "id")})
    screen.show_plan(lambda: connect(url, "etl_shop", "tests"), [resource, for_each])
    said = capsys.readouterr().out
    assert "This is what a first run would read: the destination is not reached." in said
    assert "S3cr3t-canary" not in said
    first, second = [line.split()[3:] for line in said.splitlines()[-2:]]
    assert (first, second) == (["a.csv"], ["each", "{order}"])


def test_the_plan_says_which_table_is_not_there_yet(
    destination: Destination, capsys: pytest.CaptureFixture[str]
) -> None:
    resource = Feed({"a.csv": orders(1)}).resource(load_as("append"))
    screen.show_plan(
        lambda: destination, [replace(resource, each={"order": KeysOf("customers", "id")})]
    )
    assert "shop.customers is not there yet" in capsys.readouterr().out


def test_an_administrator_can_run_the_printed_sql(destination: Destination) -> None:
    statements = ledger.bootstrap_sql(destination.work_schema)
    with destination.transaction() as connection:
        connection.exec_driver_sql(statements.replace("%", "%%"))
    resource = Feed({"a": orders(1)}).resource(load_as("merge"))
    assert commands.run(destination, [resource], take_over=False) == 0


def test_a_run_that_finds_nothing_to_read_says_so(
    destination: Destination, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.run(destination, [Feed({}).resource(load_as("merge"))], take_over=False) == 0
    assert "feed.orders: there was nothing to read." in capsys.readouterr().out


def test_warnings_are_shown_although_the_rows_are_loaded(
    destination: Destination, capsys: pytest.CaptureFixture[str]
) -> None:
    def check(rows: pd.DataFrame, problems: Problems) -> None:
        problems.require("amount", "is at most 5", rows["amount"] <= 5, severity="warn")

    records = [order(1, "6.00"), order(2, "7.00"), order(3)]
    resource = Feed({"a": records}).resource(load_as("merge"), check=check)
    commands.run(destination, [resource], take_over=False)
    out = capsys.readouterr().out
    assert 'feed.orders: amount breaks "is at most 5" in 2 of 3 rows; that is only a warning' in out
    assert ids(destination, orders_table()) == [1, 2, 3]


def test_what_a_dead_attempt_set_aside_is_shown_once(
    destination: Destination, capsys: pytest.CaptureFixture[str]
) -> None:
    resource = Feed({"a": [order("x")]}).resource(load_as("append"))
    dead = planned(destination, resource, "dead")
    write(destination, dead, resource, 0)
    planned(destination, resource, "next", take_over=True)
    screen.show_quarantine(destination, [resource], limit=5)
    assert "not a whole number" not in capsys.readouterr().out


def _only_run(destination: Destination) -> str:
    with destination.transaction() as connection:
        run: str = connection.execute(ledger.attempts.select()).one().run_id
    return run
