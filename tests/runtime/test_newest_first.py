"""An API that lists the newest first, read down to the cursor while rows come in."""

import json
import threading
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from time import monotonic, sleep
from typing import Any

import msgspec
import pytest
from sqlalchemy import TIMESTAMP, BigInteger, Column, MetaData, Table, select

from runtime.conform import conform
from runtime.connect import Destination
from runtime.endpoints import Endpoint
from runtime.errors import ContractError
from runtime.fake_api import FakeApi, serve
from runtime.loading import load, new_run_id
from runtime.newest_first import NewestFirst
from runtime.pages import Cursor, Linked, Offset, PageNumber, Pages
from runtime.publish import Counts
from runtime.resource import Merge, Resource, Value, lineage

START = datetime(2026, 1, 1, tzinfo=UTC)
EVENTS = Table(
    "events",
    MetaData(),
    Column("id", BigInteger, primary_key=True),
    Column("at", TIMESTAMP(timezone=True)),
    *lineage(),
)
STYLES: dict[str, Pages] = {
    "numbers": PageNumber(),
    "numbers and total": PageNumber(total="$.total", in_flight=1),
    "offset": Offset(),
    "offset and total": Offset(total="$.total", in_flight=1),
    "cursor": Cursor("after", at="$.next"),
    "link": Linked(),
}


class Busy(FakeApi):
    """Gets so many `new_ones` before each page that it gives; two events share each moment."""

    new_ones = 0

    def add(self, count: int) -> None:
        for number in range(len(self.records), len(self.records) + count):
            at = START + timedelta(seconds=number // 2)
            self.records = [json.dumps({"id": number, "at": at.isoformat()}), *self.records]

    def page(self, path: str, params: Any) -> tuple[bytes, dict[str, str]]:
        self.add(self.new_ones)
        return super().page(path, params)


def run(destination: Destination, fake: FakeApi) -> Counts:
    one = fake.endpoint
    resource = Resource(
        name="api.events",
        load=Merge(EVENTS, cursor="at"),
        connect=fake.client,
        partitions=one.partitions,
        extract=one.read,
        transform=lambda raw, problems: conform(raw, EVENTS, problems),
        check=lambda rows, problems: None,
    )
    return load(destination, resource, new_run_id())


def loaded(destination: Destination) -> set[int]:
    with destination.engine.connect() as connection:
        return set(connection.execute(select(EVENTS.c.id)).scalars())


@pytest.mark.parametrize("style", STYLES)
def test_no_row_that_comes_in_meanwhile_is_lost(style: str, destination: Destination) -> None:
    one = Endpoint(
        "/events",
        ["id", "at"],
        records="$.data[*]",
        pages=STYLES[style],
        cursor="at",
        newest_first=NewestFirst("$.at"),
    )
    fake = Busy(one, [], page_size=4)
    with serve(fake):
        fake.add(30)
        for fake.new_ones in (1, 3, 1):
            known = len(fake.records)
            run(destination, fake)
            assert set(range(known)) <= loaded(destination)
        fake.new_ones = 0
        run(destination, fake)
        assert loaded(destination) == set(range(len(fake.records)))

        fake.seen.clear()
        assert run(destination, fake).loaded == 0
        assert len(fake.seen) <= 5, "it stops at the cursor"


@pytest.mark.parametrize("faults", [[], ["", "403"]], ids=["loaded", "failed"])
def test_a_load_leaves_no_connection_open(faults: list[str], destination: Destination) -> None:
    one = Endpoint("/events", ["id", "at"], records="$.data[*]", pages=STYLES["numbers and total"])
    fake = Busy(one, [], faults=faults)
    with serve(fake):
        fake.add(9)
        with suppress(ContractError):
            run(destination, fake)
        assert fake.seen
        deadline = monotonic() + 30
        while any("process_request" in thread.name for thread in threading.enumerate()):
            assert monotonic() < deadline
            sleep(0.01)


@pytest.mark.parametrize(
    ("value", "low", "order", "is_past"),
    [
        ('"2026-01-01T00:00:00Z"', START, NewestFirst("$.at"), False),
        ('"2025-12-31T23:59:59Z"', START, NewestFirst("$.at"), True),
        ('"2026-01-01T00:30:00"', START, NewestFirst("$.at", timezone="Europe/Berlin"), True),
        ('"31.12.2025"', date(2026, 1, 1), NewestFirst("$.at", "%d.%m.%Y"), True),
        ('"2026-01-01"', date(2026, 1, 1), NewestFirst("$.at"), False),
        ('"2025-12-31 10:00"', datetime(2026, 1, 1), NewestFirst("$.at"), True),
        ("9", 10, NewestFirst("$.at"), True),
        ("10", 10, NewestFirst("$.at"), False),
        ("null", 10, NewestFirst("$.at"), False),
        ('"soon"', START, NewestFirst("$.at"), False),
        ('{"x": 1}', 10, NewestFirst("$.at.x"), True),
        ("9", None, NewestFirst("$.at"), False),
    ],
)
def test_a_page_is_past_when_its_last_record_is_older(
    value: str, low: Value | None, order: NewestFirst, is_past: bool
) -> None:
    records = [msgspec.Raw(f'{{"at": {text}}}'.encode()) for text in ("null", value)]
    assert order.is_past(records, low) is is_past
