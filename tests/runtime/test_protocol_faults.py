"""What a load does when connections die at the worst moment, and when several run at once."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg2.errors
import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DBAPIError, ProgrammingError

from runtime import lease, ledger, loading
from runtime.audit import audit
from runtime.connect import Destination, connect, postgresql_url
from runtime.errors import BusyError, OvertakenError, PipelineError, RetryableError, is_retryable
from runtime.loading import plan
from runtime.publish import _bring, _settle_quarantine, publish
from runtime.stage import Stager
from runtime.write import write
from tests.runtime.conftest import WORK_SCHEMA
from tests.runtime.feed import (
    DISPOSITIONS,
    Feed,
    contents,
    ids,
    is_accounted,
    load_as,
    order,
    orders,
    orders_table,
    planned,
    quarantined,
    staging_tables,
)
from tests.runtime.proxy import Lost, Proxy, before

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_waiting")]

OLD = {"a": orders(1, 2, amount="1.00", at="1")}
NEW = {
    "a": [*orders(1, 2, 3, amount="9.00", at="2"), order(4, amount="-1")],
    "b": orders(5, 6, 6, amount="9.00", at="2"),
}
TRUTH = {"append": [1, 2, 3, 5, 6, 6], "replace": [1, 2, 3, 5, 6], "merge": [1, 2, 3, 5, 6]}
ONE_CLEAN_LOAD = {"append": 6, "replace": 5, "merge": 5}


@pytest.fixture
def proxy(database: str) -> Iterator[Proxy]:
    with before(database) as proxy:
        yield proxy


@pytest.mark.slow
@pytest.mark.parametrize("lost", ["the commit", "the answer"])
@pytest.mark.parametrize("disposition", DISPOSITIONS)
def test_any_commit_may_be_lost(
    destination: Destination, proxy: Proxy, disposition: str, lost: Lost
) -> None:
    """The connection dies at each COMMIT of a load in turn: whether that one happened or not,
    the load is retried and ends in the truth. The last one only drops the staging table.
    """
    far = connect(postgresql_url(proxy.url), WORK_SCHEMA, "tests")
    number = 1
    while True:
        table = orders_table(f"orders_{number}", key=disposition != "append")
        feed = Feed(OLD)
        resource = feed.resource(load_as(disposition, table))
        loading.load(destination, resource, "old")
        feed.files = NEW

        proxy.cut(number, lost)
        counts = loading.load(far, resource, "new")
        if proxy.commits < number:
            break
        assert counts.loaded == ONE_CLEAN_LOAD[disposition], number
        assert is_accounted(counts)
        assert ids(destination, table) == TRUTH[disposition], number
        assert {row[1] for row in contents(destination, table)} == {9}
        with destination.transaction() as connection:
            kept = select(func.count()).where(
                ledger.quarantine.c.resource == resource.name,
                ledger.quarantine.c.superseded_by.is_(None),
            )
            assert connection.execute(kept).scalar() == 1
        number += 1
    far.engine.dispose()
    assert number > 10
    assert len(staging_tables(destination)) <= 1


@pytest.mark.parametrize("disposition", DISPOSITIONS)
def test_the_first_publish_makes_the_table_and_may_lose_its_commit(
    destination: Destination, proxy: Proxy, disposition: str
) -> None:
    resource = Feed(NEW).resource(load_as(disposition))
    far = connect(postgresql_url(proxy.url), WORK_SCHEMA, "tests")
    attempt = planned(far, resource)
    for number in (0, 1):
        write(far, attempt, resource, number)
    audit(far, attempt, resource)
    proxy.cut(1, "the commit")
    with pytest.raises(DBAPIError) as lost:
        publish(far, attempt, resource.load)
    assert is_retryable(lost.value)
    assert publish(far, attempt, resource.load).loaded == ONE_CLEAN_LOAD[disposition]
    assert ids(destination, resource.load.table) == TRUTH[disposition]
    far.engine.dispose()


def kill_others(destination: Destination) -> None:
    """End every other session that is at work in this database."""
    with destination.transaction() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )


@pytest.mark.parametrize("moment", ["read", "copy", "publish"])
@pytest.mark.parametrize("disposition", DISPOSITIONS)
def test_a_session_that_is_ended_is_opened_again(
    destination: Destination,
    database: str,
    monkeypatch: pytest.MonkeyPatch,
    disposition: str,
    moment: str,
) -> None:
    feed = Feed(OLD)
    resource = feed.resource(load_as(disposition))
    loading.load(destination, resource, "old")
    feed.files = NEW
    admin = connect(postgresql_url(database), WORK_SCHEMA, "admin")

    def once(function: Callable[..., Any], at: int) -> Callable[..., Any]:
        calls = []

        def interrupted(*arguments: Any, **options: Any) -> Any:
            calls.append(arguments)
            if len(calls) == at:
                kill_others(admin)
            return function(*arguments, **options)

        return interrupted

    if moment == "read":
        feed.on_batch = once(lambda file, batch: None, 2)
    elif moment == "copy":
        monkeypatch.setattr(Stager, "_as_binary", once(Stager._as_binary, 2))
    else:
        monkeypatch.setattr("runtime.publish._bring", once(_bring, 1))
    counts = loading.load(destination, resource, "new")
    assert counts.loaded == ONE_CLEAN_LOAD[disposition]
    assert ids(destination, resource.load.table) == TRUTH[disposition]
    assert quarantined(destination) == [("a", 4)]
    admin.engine.dispose()


def test_what_will_fail_again_is_not_tried_again(destination: Destination) -> None:
    calls = []
    feed = Feed(OLD, on_batch=lambda file, batch: calls.append(batch))
    resource = feed.resource(load_as("merge"))
    loading.load(destination, resource, "first")
    with destination.transaction() as connection:
        connection.execute(text("DROP ROLE IF EXISTS reader"))
        connection.execute(text("CREATE ROLE reader"))
        connection.execute(text("GRANT ALL ON SCHEMA etl_shop, shop TO reader"))
        connection.execute(text("GRANT ALL ON ALL TABLES IN SCHEMA etl_shop TO reader"))
        connection.execute(text("GRANT SELECT ON ALL TABLES IN SCHEMA shop TO reader"))
    weak = as_role(destination, "reader")
    try:
        calls.clear()
        feed.files = {"a": orders(1, 2, at="5")}
        with pytest.raises(ProgrammingError) as refused:
            loading.load(weak, resource, "second")
        assert isinstance(refused.value.orig, psycopg2.errors.InsufficientPrivilege)
        assert calls == [0]
        with destination.transaction() as connection:
            last = connection.execute(
                select(ledger.attempts).where(ledger.attempts.c.run_id == "second")
            ).one()
        assert last.status == "failed"
        assert last.error == "PostgreSQL: permission denied for table orders (42501)"
    finally:
        weak.engine.dispose()
        with destination.transaction() as connection:
            connection.execute(text("DROP OWNED BY reader"))
            connection.execute(text("DROP ROLE reader"))


def as_role(destination: Destination, role: str) -> Destination:
    url = destination.engine.url.update_query_dict({"options": f"-c role={role}"})
    return connect(url, destination.work_schema, "tests")


def test_the_source_s_own_error_ends_the_attempt(destination: Destination) -> None:
    def fail(file: str, batch: int) -> None:
        raise ZeroDivisionError("a bug")

    resource = Feed(OLD, on_batch=fail).resource(load_as("merge"))
    with pytest.raises(ZeroDivisionError):
        loading.load(destination, resource, "run")
    with destination.transaction() as connection:
        row = connection.execute(select(ledger.attempts)).one()
    assert (row.status, row.error) == ("failed", "ZeroDivisionError: a bug")
    assert staging_tables(destination) == []


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_aborts(destination: Destination, stop: type[BaseException]) -> None:
    def interrupt(file: str, batch: int) -> None:
        raise stop

    resource = Feed(OLD, on_batch=interrupt).resource(load_as("merge"))
    with pytest.raises(stop):
        loading.load(destination, resource, "run")
    with destination.transaction() as connection:
        row = connection.execute(select(ledger.attempts)).one()
    assert row.status == "aborted"
    assert row.finished_at is not None
    assert staging_tables(destination) == []


class TestAtOnce:
    """Several runs, or several tasks of one run, at the same time."""

    def many(self, tasks: list[Callable[[], Any]]) -> list[Any]:
        """The result of each, or its error; all start together."""
        start = threading.Barrier(len(tasks))

        def one(task: Callable[[], Any]) -> Any:
            start.wait()
            try:
                return task()
            except PipelineError as error:
                return error

        with ThreadPoolExecutor(len(tasks)) as pool:
            return list(pool.map(one, tasks))

    @pytest.mark.parametrize("runs", [2, 20])
    @pytest.mark.parametrize("disposition", DISPOSITIONS)
    def test_runs_of_one_resource(
        self, destination: Destination, database: str, disposition: str, runs: int
    ) -> None:
        """The first ever, so that they also make the schemas at once."""
        feed = Feed(NEW)
        resource = feed.resource(load_as(disposition))
        reached = [connect(postgresql_url(database), WORK_SCHEMA, str(run)) for run in range(runs)]
        results = self.many(
            [
                lambda run=run: loading.load(reached[run], resource, f"run{run}")
                for run in range(runs)
            ]
        )
        errors = [result for result in results if isinstance(result, Exception)]
        done = [result for result in results if not isinstance(result, Exception)]
        assert {type(error) for error in errors} <= {BusyError}
        assert done
        assert ids(destination, resource.load.table) == TRUTH[disposition]
        assert all(is_accounted(counts) for counts in done)
        assert staging_tables(destination) == []
        for one in reached:
            one.engine.dispose()

    @pytest.mark.parametrize("disposition", DISPOSITIONS)
    def test_runs_that_take_over(
        self, destination: Destination, database: str, disposition: str
    ) -> None:
        resource = Feed(NEW).resource(load_as(disposition))
        reached = [connect(postgresql_url(database), WORK_SCHEMA, str(run)) for run in range(8)]
        results = self.many(
            [
                lambda run=run: loading.load(reached[run], resource, f"run{run}", take_over=True)
                for run in range(8)
            ]
        )
        errors = [result for result in results if isinstance(result, Exception)]
        assert {type(error) for error in errors} <= {OvertakenError}
        assert len(errors) < 8
        assert ids(destination, resource.load.table) == TRUTH[disposition]
        assert staging_tables(destination) == []
        for one in reached:
            one.engine.dispose()

    def test_different_resources(self, destination: Destination, database: str) -> None:
        """A project's first run: nothing is there, and each makes the schemas."""
        feed = Feed(OLD)
        names = [f"orders_{number}" for number in range(8)]
        reached = [connect(postgresql_url(database), WORK_SCHEMA, name) for name in names]
        results = self.many(
            [
                lambda name=name, one=one: loading.load(
                    one, feed.resource(load_as("merge", orders_table(name))), "run"
                )
                for name, one in zip(names, reached, strict=True)
            ]
        )
        assert [result.loaded for result in results] == [2] * 8
        for one in reached:
            one.engine.dispose()

    def test_partitions_of_one_attempt(self, destination: Destination, database: str) -> None:
        """As the mapped tasks of a scheduler, each of which is also started twice."""
        files = {f"f{n:02}": [*orders(n, n + 100), order(n + 200, amount="-1")] for n in range(10)}
        resource = Feed(files).resource(load_as("replace"))
        attempt, numbers = plan(destination, resource, "run")
        reached = [connect(postgresql_url(database), WORK_SCHEMA, str(n)) for n in range(20)]
        results = self.many(
            [
                lambda n=n, one=one: write(one, attempt, resource, n)
                for n, one in zip([*numbers, *numbers], reached, strict=True)
            ]
        )
        assert {type(r) for r in results if isinstance(r, Exception)} <= {OvertakenError}
        audits = self.many([lambda one=one: audit(one, attempt, resource) for one in reached[:4]])
        assert audits == [None] * 4
        counts = self.many(
            [lambda one=one: publish(one, attempt, resource.load) for one in reached[:4]]
        )
        assert {(c.read, c.loaded, c.quarantined) for c in counts} == {(30, 20, 10)}
        assert len(quarantined(destination)) == 10
        for one in reached:
            one.engine.dispose()

    def test_a_plan_in_the_middle_of_a_publish_waits(
        self, destination: Destination, database: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The old attempt is through; the new one, which looked before that, begins anew."""
        feed = Feed(OLD)
        resource = feed.resource(load_as("merge"))
        other = connect(postgresql_url(database), WORK_SCHEMA, "other")
        planning: list[threading.Thread] = []
        refusals: list[RetryableError] = []

        def plan_newer() -> None:
            try:
                planned(other, resource, "newer", take_over=True)
            except RetryableError as error:
                refusals.append(error)

        def plan_meanwhile(*arguments: Any) -> None:
            _settle_quarantine(*arguments)
            thread = threading.Thread(target=plan_newer)
            thread.start()
            planning.append(thread)
            while not waits_for_a_lock(destination):
                pass

        monkeypatch.setattr("runtime.publish._settle_quarantine", plan_meanwhile)
        assert loading.load(destination, resource, "run").loaded == 2
        planning[0].join()
        assert [str(one) for one in refusals] == [
            "feed.orders: another run has loaded it meanwhile"
        ]
        planned(other, resource, "newer", take_over=True)
        with destination.transaction() as connection:
            query = select(ledger.attempts.c.status).order_by(ledger.attempts.c.generation)
            assert connection.execute(query).scalars().all() == ["published", "planned"]
        other.engine.dispose()


def waits_for_a_lock(destination: Destination) -> bool:
    with destination.transaction() as connection:
        query = text(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(connection.execute(query).scalar())


def test_readers_of_a_replaced_table_see_old_or_new(
    destination: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = Feed(OLD)
    resource = feed.resource(load_as("replace"))
    loading.load(destination, resource, "old")
    feed.files = NEW
    seen = []

    def look(*arguments: Any) -> Any:
        outcome = _bring(*arguments)
        seen.append(ids(destination, resource.load.table))
        return outcome

    monkeypatch.setattr("runtime.publish._bring", look)
    with destination.engine.connect() as reader:
        reader = reader.execution_options(isolation_level="REPEATABLE READ")
        query = select(resource.load.table.c.id)
        assert len(reader.execute(query).all()) == 2
        loading.load(destination, resource, "new")
        assert len(reader.execute(query).all()) == 2
        reader.rollback()
        assert len(reader.execute(query).all()) == 5
    assert seen == [[1, 2]]


def test_a_lock_on_the_target_is_waited_for_and_retried(
    destination: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = Feed(OLD)
    resource = feed.resource(load_as("merge"))
    loading.load(destination, resource, "old")
    feed.files = NEW
    monkeypatch.setattr(Destination.transaction.__wrapped__, "__defaults__", ("100ms",))  # type: ignore[attr-defined]
    holder = destination.engine.connect()
    holder.execute(text("LOCK TABLE shop.orders"))

    def let_go(state: Any) -> None:
        holder.close()

    monkeypatch.setattr("runtime.loading._say_that_we_wait", let_go)
    assert loading.load(destination, resource, "new").loaded == 5


def test_a_lease_is_void_with_its_process(destination: Destination) -> None:
    resource = Feed(OLD).resource(load_as("merge"))
    plan(destination, resource, "run", owner=lease.this_process())
    with destination.transaction() as connection:
        dead = f"{lease.socket.gethostname()}:4194305"
        connection.execute(update(ledger.attempts).values(owner=dead))
    assert loading.load(destination, resource, "other").loaded == 2
