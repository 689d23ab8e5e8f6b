"""The load protocol as a table of states: what each step does to an attempt in each of them."""

import sys
from collections.abc import Callable
from dataclasses import replace as changed
from functools import partial
from types import FrameType
from typing import Any

import psycopg2.errors
import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from runtime import attempts, lease, ledger, loading
from runtime.attempts import Attempt, Written
from runtime.audit import audit
from runtime.connect import Destination
from runtime.errors import BusyError, ContractError, OvertakenError
from runtime.loading import clean_up, plan
from runtime.publish import Counts, publish
from runtime.resource import Append, Replace, Resource, Window
from runtime.write import write
from tests.runtime.feed import (
    DISPOSITIONS,
    Feed,
    contents,
    cursor,
    day,
    ids,
    ledger_row,
    load_as,
    order,
    orders,
    orders_table,
    planned,
    quarantined,
    staging_tables,
    status,
)

BEFORE, AFTER = orders(1, 2, amount="1.00", at="1"), orders(1, 2, 3, amount="9.00", at="2")


def write_all(destination: Destination, attempt: Attempt, resource: Resource) -> None:
    for number in range(len(resource.connect().files)):
        write(destination, attempt, resource, number)


def finish(destination: Destination, attempt: Attempt, resource: Resource) -> Counts:
    write_all(destination, attempt, resource)
    audit(destination, attempt, resource)
    return publish(destination, attempt, resource.load)


class Case:
    """A resource that was loaded once, and whose next attempt is in a given state."""

    def __init__(self, destination: Destination, disposition: str) -> None:
        self.destination = destination
        self.feed = Feed({"a": BEFORE})
        self.resource = self.feed.resource(load_as(disposition))
        loading.load(destination, self.resource, "first")
        self.old = self.target()
        self.feed.files = {"a": AFTER}
        self.attempt = planned(destination, self.resource)

    def target(self) -> list[tuple[Any, ...]]:
        return contents(self.destination, self.resource.load.table)

    def load(self, run: str) -> None:
        loading.load(self.destination, self.resource, run)

    def bring_to(self, state: str) -> None:
        if state == "planned":
            return
        if state in ("failed", "aborted"):
            with self.destination.transaction() as connection:
                attempts.give_up(connection, self.attempt, state, "said so")
            return
        if state == "overtaken":
            self.step("write")
            planned(self.destination, self.resource, "newer", take_over=True)
            return
        self.step("write")
        for step in {"written": (), "audited": ("audit",), "published": ("audit", "publish")}[
            state
        ]:
            self.step(step)

    def step(self, name: str) -> object:
        if name == "write":
            return write(self.destination, self.attempt, self.resource, 0)
        if name == "audit":
            return audit(self.destination, self.attempt, self.resource)
        return publish(self.destination, self.attempt, self.resource.load)


def _stopped_at(number: int, action: Callable[[], object]) -> bool:
    """Run it, with SystemExit before the n-th line of `loading`; False if it has fewer lines."""
    lines = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal lines
        if frame.f_code.co_filename != loading.__file__:
            return None
        if event == "line":
            lines += 1
            if lines > number:
                sys.settrace(None)
                raise SystemExit
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        action()
    except SystemExit:
        return True
    finally:
        sys.settrace(before)
    return False


# The state an attempt is in, the step, and the state after it or the error.
STEPS: list[tuple[str, str, str | tuple[type[Exception], str]]] = [
    ("planned", "write", "planned"),
    ("planned", "audit", (ContractError, r"partitions \[0\] of this run are not written")),
    ("planned", "publish", (ContractError, "is planned, not audited or published")),
    ("written", "write", "planned"),
    ("written", "audit", "audited"),
    ("written", "publish", (ContractError, "is planned, not audited or published")),
    ("audited", "write", (ContractError, "is audited, not planned")),
    ("audited", "audit", "audited"),
    ("audited", "publish", "published"),
    ("published", "write", (ContractError, "is published, not planned")),
    ("published", "audit", "published"),
    ("published", "publish", "published"),
    ("failed", "write", (ContractError, "is failed, not planned")),
    ("failed", "audit", (ContractError, "is failed, not planned")),
    ("failed", "publish", (ContractError, "is failed, not audited")),
    ("aborted", "write", (ContractError, "is aborted, not planned")),
    ("aborted", "audit", (ContractError, "is aborted, not planned")),
    ("aborted", "publish", (ContractError, "is aborted, not audited")),
    ("overtaken", "write", (OvertakenError, "was overtaken by a newer one")),
    ("overtaken", "audit", (OvertakenError, "was overtaken by a newer one")),
    ("overtaken", "publish", (OvertakenError, "was overtaken by a newer one")),
]


@pytest.mark.parametrize(
    ("state", "step", "then"), STEPS, ids=[f"{state}-{step}" for state, step, _ in STEPS]
)
def test_step(
    destination: Destination, state: str, step: str, then: str | tuple[type[Exception], str]
) -> None:
    case = Case(destination, "merge")
    case.bring_to(state)
    before = case.target()

    if isinstance(then, tuple):
        with pytest.raises(then[0], match=then[1]):
            case.step(step)
        assert status(destination, case.attempt) == ("planned" if state == "written" else state)
    else:
        case.step(step)
        assert status(destination, case.attempt) == then
    if (state, step) == ("audited", "publish"):
        assert [row[1] for row in case.target()] == [9, 9, 9]
    else:
        assert case.target() == before
        assert (case.target() == case.old) == (state != "published")


def test_an_unknown_attempt_or_partition_is_an_error(destination: Destination) -> None:
    case = Case(destination, "merge")
    with pytest.raises(ContractError, match="no partition 7"):
        write(destination, case.attempt, case.resource, 7)
    with pytest.raises(ContractError, match="the ledger has no run nobody"):
        audit(destination, changed(case.attempt, run_id="nobody"), case.resource)


class TestTries:
    """Writing a partition may be tried again and again: only the newest finished try counts."""

    def test_the_second_try_wins(self, destination: Destination) -> None:
        case = Case(destination, "replace")
        case.feed.files = {"a": [*orders(1, 2, 3), order(4, amount="-1")]}
        case.step("write")
        case.feed.files = {"a": [*orders(5), order(6, amount="-1"), order(7, amount="-1")]}
        case.step("write")
        case.step("audit")
        assert case.step("publish") == Counts(read=3, loaded=1, quarantined=2)
        assert ids(destination, case.resource.load.table) == [5]

    def test_a_try_that_broke_off_leaves_no_rows(self, destination: Destination) -> None:
        case = Case(destination, "append")

        def break_off(file: str, batch: int) -> None:
            if batch == 1:
                raise ConnectionError("reset by peer")

        case.feed.on_batch = break_off
        with pytest.raises(ConnectionError):
            case.step("write")
        with pytest.raises(ContractError, match="not written"):
            case.step("audit")
        case.feed.on_batch = lambda file, batch: None
        case.step("write")
        case.step("audit")
        assert case.step("publish") == Counts(read=3, loaded=3)

    def test_a_zombie_try_is_refused(self, destination: Destination) -> None:
        """An older try that ends after a newer one began."""
        case = Case(destination, "append")

        def begin_a_newer_one(file: str, batch: int) -> None:
            case.feed.on_batch = lambda file, batch: None
            case.step("write")
            case.feed.files = {"a": orders(8, 9)}

        case.feed.on_batch = begin_a_newer_one
        with pytest.raises(OvertakenError, match="a newer try is writing partition 0"):
            case.step("write")
        case.step("audit")
        assert case.step("publish") == Counts(read=3, loaded=3)
        assert ids(destination, case.resource.load.table) == [1, 2, 3]

    def test_a_zombie_try_is_refused_before_the_newer_one_ends(
        self, destination: Destination
    ) -> None:
        case = Case(destination, "append")
        with destination.transaction() as connection:
            older, _ = attempts.begin_try(connection, case.attempt, 0)
        with destination.transaction() as connection:
            newer, _ = attempts.begin_try(connection, case.attempt, 0)
        with pytest.raises(OvertakenError), destination.transaction() as connection:
            attempts.finish_try(connection, case.attempt, 0, older, Written(0, 0, 0, 0, {}))
        for _ in range(2):
            with destination.transaction() as connection:
                attempts.finish_try(connection, case.attempt, 0, newer, Written(0, 0, 0, 0, {}))

    def test_a_try_that_ends_after_the_audit_counts_no_more(self, destination: Destination) -> None:
        case = Case(destination, "append")
        case.step("write")

        def audit_meanwhile(file: str, batch: int) -> None:
            case.feed.on_batch = lambda file, batch: None
            case.step("audit")

        case.feed.on_batch = audit_meanwhile
        case.feed.files = {"a": [order(8), order(9, amount="-1")]}
        with pytest.raises(ContractError, match="is audited, not planned"):
            case.step("write")
        assert case.step("publish") == Counts(read=3, loaded=3)
        assert quarantined(destination) == []


class TestZombies:
    """An older attempt that wakes up after a newer one began changes nothing any more."""

    @pytest.mark.parametrize("newer_is", ["planned", "published"])
    @pytest.mark.parametrize("step", ["write", "audit", "publish"])
    @pytest.mark.parametrize("disposition", DISPOSITIONS)
    def test_an_older_attempt_is_refused(
        self, destination: Destination, disposition: str, step: str, newer_is: str
    ) -> None:
        case = Case(destination, disposition)
        case.bring_to({"write": "planned", "audit": "written", "publish": "audited"}[step])
        case.feed.files = {"a": orders(1, 2, 3, 4, at="3")}
        newer = planned(destination, case.resource, "newer", take_over=True)
        if newer_is == "published":
            finish(destination, newer, case.resource)
        expected = case.target()
        with pytest.raises(OvertakenError):
            case.step(step)
        assert case.target() == expected
        if newer_is == "planned":
            assert case.target() == case.old
            assert finish(destination, newer, case.resource).read == 4
        assert ids(destination, case.resource.load.table) == [1, 2, 3, 4]

    @pytest.mark.parametrize("wakes_up", ["between batches", "at the last batch"])
    def test_one_that_sleeps_while_writing(self, destination: Destination, wakes_up: str) -> None:
        case = Case(destination, "merge")
        newer: list[Attempt] = []

        def sleep(file: str, batch: int) -> None:
            if batch == (0 if wakes_up == "between batches" else 1):
                case.feed.on_batch = lambda file, batch: None
                newer.append(planned(destination, case.resource, "newer", take_over=True))

        case.feed.on_batch = sleep
        with pytest.raises(OvertakenError):
            case.step("write")
        assert finish(destination, newer[0], case.resource).read == 3

    def test_the_sweep_of_an_older_plan_spares_newer_staging(
        self, destination: Destination
    ) -> None:
        case = Case(destination, "merge")
        newer = planned(destination, case.resource, "newer", take_over=True)
        loading._sweep(destination, case.attempt)
        assert newer.staging in staging_tables(destination)
        assert finish(destination, newer, case.resource).read == 3

    def test_it_does_not_close_the_newer_one(self, destination: Destination) -> None:
        case = Case(destination, "merge")
        newer = planned(destination, case.resource, "newer", take_over=True)
        loading._record_failure(destination, case.attempt, RuntimeError("woke up"))
        clean_up(destination, case.attempt, case.resource)
        assert status(destination, case.attempt) == "overtaken"
        assert status(destination, newer) == "planned"
        assert finish(destination, newer, case.resource).read == 3


@pytest.mark.slow
class TestStopped:
    """A signal ends a load between any two lines of it."""

    def test_no_attempt_is_left_open(self, destination: Destination) -> None:
        case = Case(destination, "merge")
        case.bring_to("aborted")
        new, stops = [(1, 9), (2, 9), (3, 9)], 0
        while _stopped_at(stops, partial(case.load, f"run {stops}")):
            with destination.transaction() as connection:
                live = select(ledger.attempts).where(ledger.attempts.c.status.in_(attempts.LIVE))
                assert connection.execute(live).all() == []
            assert [row[:2] for row in case.target()] in ([(1, 1), (2, 1)], new)
            stops += 1
        assert stops > 30
        assert [row[:2] for row in case.target()] == new
        assert staging_tables(destination) == []


class TestPublishCleared:
    """A publish that is cleared alone, as a scheduler's operator may do, says what it did."""

    @pytest.mark.parametrize("disposition", DISPOSITIONS)
    def test_it_changes_nothing(self, destination: Destination, disposition: str) -> None:
        case = Case(destination, disposition)
        case.bring_to("audited")
        counts = case.step("publish")
        clean_up(destination, case.attempt, case.resource)
        after = contents(destination, case.resource.load.table, "id", "_run_id", "_loaded_at")
        assert case.step("publish") == counts
        again = contents(destination, case.resource.load.table, "id", "_run_id", "_loaded_at")
        assert again == after

    @pytest.mark.parametrize("disposition", DISPOSITIONS)
    def test_also_after_a_newer_run(self, destination: Destination, disposition: str) -> None:
        case = Case(destination, disposition)
        case.bring_to("audited")
        counts = case.step("publish")
        case.feed.files = {"a": orders(1, 2, 3, 4, at="4")}
        loading.load(destination, case.resource, "newer")
        newest, known = case.target(), cursor(destination)
        assert case.step("publish") == counts
        assert case.target() == newest
        assert cursor(destination) == known


@pytest.mark.slow
class TestPlanCleared:
    """The same run planned again: a new attempt of it, which takes the place of the one before."""

    @pytest.mark.parametrize(
        "died_as", ["planned", "written", "audited", "published", "failed", "aborted", "overtaken"]
    )
    @pytest.mark.parametrize("disposition", DISPOSITIONS)
    def test_it_loads_what_one_clean_run_loads(
        self, destination: Destination, disposition: str, died_as: str
    ) -> None:
        case = Case(destination, disposition)
        case.bring_to(died_as)
        again = planned(destination, case.resource, take_over=died_as == "overtaken")
        assert again.number == 2
        assert again.generation > case.attempt.generation
        closed = died_as if died_as in ("published", "failed", "aborted") else "overtaken"
        assert status(destination, case.attempt) == closed
        counts = finish(destination, again, case.resource)
        assert counts.loaded == (0 if (disposition, died_as) == ("merge", "published") else 3)
        assert [row[:2] for row in case.target()] == [(1, 9), (2, 9), (3, 9)]
        clean_up(destination, again, case.resource)
        assert staging_tables(destination) == []

    def test_append_reloads_its_window(self, destination: Destination) -> None:
        table = orders_table(key=False, files=False)
        feed = Feed({"a": [*orders(1, at="1"), *orders(2, at="2"), *orders(3, at="3")]})
        resource = feed.resource(Append(table, cursor="updated_at"))
        loading.load(destination, resource, "all", Window(day(1), day(4)))
        feed.files = {"a": orders(7, 8, at="2")}
        for run in ("second", "second", "third"):
            counts = loading.load(destination, resource, run, Window(day(2), day(3)))
            assert counts == Counts(read=2, loaded=2)
            assert ids(destination, table) == [1, 3, 7, 8]

    def test_append_reloads_its_run(self, destination: Destination) -> None:
        table = orders_table(key=False, files=False)
        feed = Feed({"a": orders(1, 2)})
        resource = feed.resource(Append(table))
        loading.load(destination, resource, "one")
        loading.load(destination, resource, "two")
        feed.files = {"a": orders(3)}
        loading.load(destination, resource, "two")
        assert ids(destination, table) == [1, 2, 3]


class TestLease:
    """A lease keeps two runs from doing the same work."""

    def busy(self, destination: Destination, resource: Resource, **options: Any) -> bool:
        try:
            plan(destination, resource, "other", **options)
        except BusyError:
            return True
        return False

    def owned(self, destination: Destination, resource: Resource, owner: str | None) -> Attempt:
        return plan(destination, resource, "run", owner=owner)[0]

    @pytest.mark.parametrize(
        ("owner", "is_busy"),
        [
            (None, True),
            (lease.this_process(), True),
            ("elsewhere:1", True),
            ("no process of anybody's", True),
            (f"{lease.socket.gethostname()}:4194305", False),  # beyond the greatest process id
        ],
        ids=["scheduled", "this process", "another host", "unknown", "a dead process"],
    )
    def test_while_it_runs(
        self, destination: Destination, owner: str | None, is_busy: bool
    ) -> None:
        resource = Feed({"a": BEFORE}).resource(load_as("merge"))
        self.owned(destination, resource, owner)
        assert self.busy(destination, resource) == is_busy

    def test_the_error_says_who_and_what_to_do(self, destination: Destination) -> None:
        resource = Feed({"a": BEFORE}).resource(load_as("merge"))
        self.owned(destination, resource, "elsewhere:1")
        with pytest.raises(BusyError, match=r"(?s)by run run \(elsewhere:1\), started 20.*--take-"):
            planned(destination, resource, "other")

    def test_it_ends(self, destination: Destination) -> None:
        resource = Feed({"a": BEFORE}).resource(load_as("merge"))
        attempt = self.owned(destination, resource, None)
        self.expire(destination, attempt)
        assert not self.busy(destination, resource)
        assert status(destination, attempt) == "overtaken"

    def test_it_can_be_taken_over(self, destination: Destination) -> None:
        resource = Feed({"a": BEFORE}).resource(load_as("merge"))
        attempt = self.owned(destination, resource, None)
        assert not self.busy(destination, resource, take_over=True)
        assert status(destination, attempt) == "overtaken"

    @pytest.mark.parametrize("state", ["published", "failed", "aborted"])
    def test_an_attempt_that_ended_holds_none(self, destination: Destination, state: str) -> None:
        case = Case(destination, "merge")
        case.bring_to(state)
        assert not self.busy(destination, case.resource)

    @pytest.mark.parametrize("state", ["planned", "written", "audited"])
    def test_a_run_that_died_is_succeeded(self, destination: Destination, state: str) -> None:
        case = Case(destination, "merge")
        case.bring_to(state)
        assert self.busy(destination, case.resource)
        with destination.transaction() as connection:
            dead = f"{lease.socket.gethostname()}:4194305"
            connection.execute(update(ledger.attempts).values(owner=dead))
        assert loading.load(destination, case.resource, "other") == Counts(read=3, loaded=3)
        assert status(destination, case.attempt) == "overtaken"

    def test_another_resource_is_not_concerned(self, destination: Destination) -> None:
        feed = Feed({"a": BEFORE})
        planned(destination, feed.resource(load_as("merge")))
        other = feed.resource(load_as("merge", orders_table("others")))
        assert loading.load(destination, other, "other").loaded == 2

    def test_each_try_renews_it(self, destination: Destination) -> None:
        """Many short partitions are one long run."""
        case = Case(destination, "merge")
        self.expire(destination, case.attempt)
        case.step("write")
        assert self.busy(destination, case.resource)

    def test_a_long_try_renews_it(
        self, destination: Destination, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        case = Case(destination, "merge")
        monkeypatch.setattr("runtime.write.LEASE_SECONDS", 0)

        def expired(file: str, batch: int) -> None:
            self.expire(destination, case.attempt)

        case.feed.on_batch = expired
        case.feed.files = {"a": orders(*range(20))}
        case.step("write")
        case.feed.on_batch = lambda file, batch: None
        assert self.busy(destination, case.resource)

    @staticmethod
    def expire(destination: Destination, attempt: Attempt) -> None:
        with destination.transaction() as connection:
            connection.execute(
                update(ledger.attempts)
                .where(attempt.rows(ledger.attempts))
                .values(lease_until=text("now()"))
            )


class TestEmptyPlan:
    """No partitions: audit and publish run all the same."""

    @pytest.mark.parametrize("disposition", DISPOSITIONS)
    def test_the_table_keeps_its_rows(self, destination: Destination, disposition: str) -> None:
        case = Case(destination, disposition)
        known = cursor(destination)
        case.feed.files = {}
        assert loading.load(destination, case.resource, "run") == Counts()
        assert case.target() == case.old
        assert cursor(destination) == known

    @pytest.mark.parametrize("disposition", DISPOSITIONS)
    def test_a_first_one_makes_an_empty_table(
        self, destination: Destination, disposition: str
    ) -> None:
        resource = Feed({}).resource(load_as(disposition))
        assert loading.load(destination, resource, "run") == Counts()
        with destination.transaction() as connection:
            assert connection.execute(text("SELECT count(*) FROM shop.orders")).scalar() == 0

    def test_replace_may_be_told_to_empty_the_table(self, destination: Destination) -> None:
        feed = Feed({"a": BEFORE})
        resource = feed.resource(Replace(orders_table(), allow_empty=True))
        loading.load(destination, resource, "first")
        feed.files = {}
        assert loading.load(destination, resource, "second") == Counts()
        assert ids(destination, resource.load.table) == []


class TestTheLedgerBites:
    """What the code promises is also held by the ledger's own constraints."""

    @pytest.mark.parametrize(
        "values",
        [
            {"status": "published", "read": 5},
            {"status": "published", "read": 1, "loaded": 1, "stale": 1},
            {"status": "published", "read": 1, "loaded": 2, "duplicates": -1},
            {"status": "half done"},
        ],
        ids=str,
    )
    def test_attempts(self, destination: Destination, values: dict[str, Any]) -> None:
        case = Case(destination, "merge")
        with (
            pytest.raises(IntegrityError) as refused,
            destination.transaction() as connection,
        ):
            connection.execute(
                update(ledger.attempts).where(case.attempt.rows(ledger.attempts)).values(**values)
            )
        assert isinstance(refused.value.orig, psycopg2.errors.CheckViolation)

    def test_partitions(self, destination: Destination) -> None:
        case = Case(destination, "merge")
        with destination.transaction() as connection:
            try_, _ = attempts.begin_try(connection, case.attempt, 0)
        with (
            pytest.raises(IntegrityError, match="every_row_read_is_accounted_for"),
            destination.transaction() as connection,
        ):
            attempts.finish_try(connection, case.attempt, 0, try_, Written(3, 1, 1, 0, {}))

    def test_two_attempts_never_share_a_generation(self, destination: Destination) -> None:
        case = Case(destination, "merge")
        with (
            pytest.raises(IntegrityError, match="resource_generation"),
            destination.transaction() as connection,
        ):
            connection.execute(update(ledger.attempts).values(generation=1))
        assert ledger_row(destination, case.attempt).generation == 2

    @pytest.mark.parametrize("tampering", ["DELETE FROM {} WHERE id = 1", "UPDATE {} SET _try = 9"])
    @pytest.mark.parametrize("state", ["written", "audited"])
    def test_staged_rows_that_went_missing(
        self, destination: Destination, state: str, tampering: str
    ) -> None:
        case = Case(destination, "merge")
        case.bring_to(state)
        with destination.transaction() as connection:
            table = f"{destination.work_schema}.{case.attempt.staging}"
            connection.execute(text(tampering.format(table)))
        with pytest.raises(ContractError, match="Something changed the staging table"):
            case.step("audit" if state == "written" else "publish")
        assert case.target() == case.old
