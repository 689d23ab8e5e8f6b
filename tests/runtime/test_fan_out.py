"""One endpoint for many keys, and the order of resources that need each other's tables."""

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import BigInteger, Column, MetaData, Table, Text

from runtime import commands, loading
from runtime.conform import conform
from runtime.connect import Destination
from runtime.endpoints import KEYS_A_PART, Endpoint
from runtime.environment import Environment
from runtime.errors import ConfigError, ContractError
from runtime.fake_api import FakeApi, serve
from runtime.http import NotFoundError
from runtime.keys import Given, Keys, KeysOf, Listed
from runtime.order import in_order
from runtime.pages import Offset
from runtime.problems import Problems
from runtime.resource import Append, Merge, Resource, Window, lineage
from runtime.table_checks import References, TableCheck
from tests.runtime.feed import Feed, load_as, orders, orders_table
from tests.runtime.test_endpoints import read

LINES = Endpoint(
    "/orders/{order}/lines",
    ["no", "{order}"],
    records="$.data[*]",
    pages=Offset(),
    in_flight=3,
    skip_missing=True,
)
TABLE = Table(
    "lines",
    MetaData(schema="shop"),
    Column("order_id", BigInteger, primary_key=True, autoincrement=False),
    Column("no", Text, primary_key=True),
    *lineage(),
)


@dataclass
class Shop(FakeApi):
    """Lines for each order; an order that it does not have is a 404."""

    lines: Mapping[str, Sequence[str]] = field(default_factory=dict)
    busy: int = 0
    most_busy: int = 0
    lock: Any = field(default_factory=threading.Lock)

    def next_fault(self) -> str:
        self.busy += 1  # the handler's own lock is held
        self.most_busy = max(self.most_busy, self.busy)
        return super().next_fault()

    def page(self, path: str, params: Mapping[str, str]) -> tuple[bytes, dict[str, str]]:
        order = path.split("/")[2]
        start = int(params.get("offset", 0))
        found = self.lines.get(order, [])[start : start + self.page_size]
        with self.lock:
            self.busy -= 1
        return self._body([json.dumps({"no": line}) for line in found], {}), {}

    def _records(self, path: str, params: Mapping[str, str]) -> list[str]:
        raise NotImplementedError


def shop(lines: Mapping[str, Sequence[str]], faults: Sequence[str] = ()) -> Shop:
    return Shop(LINES, [], [*faults], lines=lines)


def lines_of(batches: list[pd.DataFrame]) -> list[tuple[str, str]]:
    return [
        pair
        for batch in batches
        for pair in zip(batch["{order}"].to_list(), batch["no"].to_list(), strict=True)
    ]


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "runtime.http.wait_random_exponential", lambda *_, **__: lambda state: 0.001
    )


# One fewer than a request is tried: whichever gets them all comes through.
MIXED = ["500", "reset", "half", "truncated", "html"]


@pytest.mark.parametrize("faults", [[], MIXED])
def test_every_record_of_every_key_comes_once_and_in_order(faults: Sequence[str]) -> None:
    held = {str(n): [f"{n}-{line}" for line in range(n % 6)] for n in range(30)}
    window = Window(keys={"order": [*held]})
    with serve(shop(held, faults)) as fake, fake.client() as api:
        found = lines_of(read(api, LINES, window))
    assert found == [(order, line) for order, lines in held.items() for line in lines]


def test_many_keys_are_read_in_parts() -> None:
    keys = [str(n) for n in range(2 * KEYS_A_PART + 1)]
    parts = LINES.partitions(None, Window(keys={"order": keys}))  # type: ignore[arg-type]
    sizes = [len(part.detail["keys"]) for part in parts]
    assert sizes == [KEYS_A_PART, KEYS_A_PART, 1]
    assert LINES.partitions(None, Window(keys={"order": []})) == []  # type: ignore[arg-type]


def test_no_more_are_asked_for_at_a_time_than_may_be() -> None:
    held = {str(n): ["a"] for n in range(20)}
    with serve(shop(held)) as fake, fake.client() as api:
        read(api, LINES, Window(keys={"order": [*held]}))
    # One more, as the rest of the pages is read beside the first ones of the next keys.
    assert 1 <= fake.most_busy <= LINES.in_flight + 1


def test_a_value_stays_one_segment_of_the_path() -> None:
    with serve(shop({})) as fake, fake.client() as api:
        read(api, LINES, Window(keys={"order": ["a", "../b?c"]}))
        for value in ("", ".", ".."):
            with pytest.raises(ContractError, match=r"cannot be the \{order\} of"):
                read(api, LINES, Window(keys={"order": [value]}))
    assert {request.path for request in fake.seen} == {
        "/orders/a/lines",
        "/orders/..%2Fb%3Fc/lines",
    }


def client_without(fake: Shop, monkeypatch: pytest.MonkeyPatch, *gone: str) -> Any:
    """The API, where some orders are answered with 404 at once."""
    api = fake.client()
    get = api.get

    def with_gaps(path: str, *rest: Any, **named: Any) -> Any:
        if path.split("/")[2] in gone:
            raise NotFoundError(f"GET {path} answers 404", "Check the path.")
        return get(path, *rest, **named)

    monkeypatch.setattr(api, "get", with_gaps)
    return api


def test_one_that_is_gone_has_no_records(monkeypatch: pytest.MonkeyPatch) -> None:
    window = Window(keys={"order": ["1", "2", "3"]})
    with serve(shop({"1": ["a"], "3": ["b"]})) as fake:
        api = client_without(fake, monkeypatch, "2")
        assert lines_of(read(api, LINES, window)) == [("1", "a"), ("3", "b")]


def test_if_none_is_there_the_path_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(shop({})) as fake:
        api = client_without(fake, monkeypatch, "1", "2")
        with pytest.raises(NotFoundError):
            read(api, LINES, Window(keys={"order": ["1", "2"]}))


def test_where_each_has_to_be_there_a_gap_ends_the_load(monkeypatch: pytest.MonkeyPatch) -> None:
    strict = replace(LINES, skip_missing=False)
    with serve(shop({"1": ["a"]})) as fake:
        api = client_without(fake, monkeypatch, "2")
        with pytest.raises(NotFoundError):
            read(api, strict, Window(keys={"order": ["1", "2"]}))


def test_the_server_says_404_and_it_is_asked_once() -> None:
    with serve(shop({"1": ["a"]}, ["404"])) as fake, fake.client() as api:
        found = lines_of(read(api, LINES, Window(keys={"order": ["1"]})))
    assert found == []
    assert [request.answer for request in fake.seen] == ["404"]


def lines_resource(api: Any, keys: Keys) -> Resource:
    def transform(raw: pd.DataFrame, problems: Problems) -> pd.DataFrame:
        return conform(raw.rename(columns={"{order}": "order_id"}), TABLE, problems)

    return Resource(
        "shop.lines",
        Merge(TABLE),
        lambda: api,
        LINES.partitions,
        LINES.read,
        transform,
        lambda rows, problems: None,
        each={"order": keys},
    )


def loaded_lines(destination: Destination) -> list[tuple[int, str]]:
    with destination.transaction() as connection:
        rows = connection.execute(TABLE.select().order_by(*TABLE.primary_key))
        return [(row.order_id, row.no) for row in rows]


def test_it_is_read_for_each_row_of_another_table(destination: Destination) -> None:
    with serve(shop({"1": ["a", "b"], "2": ["c"], "10": ["d"]})) as fake, fake.client() as api:
        resource = lines_resource(api, KeysOf("orders", "id"))
        with pytest.raises(ConfigError, match=r"shop\.orders is not there yet"):
            loading.load(destination, resource, "none")
        feed = Feed({"a": orders(1, 10)})
        loading.load(destination, feed.resource(load_as("merge")), "one")
        loading.load(destination, resource, "two")
        assert loaded_lines(destination) == [(1, "a"), (1, "b"), (10, "d")]
        feed.files = {"a": orders(2)}
        loading.load(destination, feed.resource(load_as("merge")), "three")
        loading.load(destination, resource, "four")
    assert loaded_lines(destination) == [(1, "a"), (1, "b"), (2, "c"), (10, "d")]


def test_a_parent_that_is_only_kept_is_not_asked_for(destination: Destination) -> None:
    with destination.transaction() as connection:
        connection.exec_driver_sql("CREATE SCHEMA IF NOT EXISTS shop")
        connection.exec_driver_sql("CREATE TABLE shop.marked (id bigint, _deleted_at timestamptz)")
        connection.exec_driver_sql(
            "INSERT INTO shop.marked VALUES (1, NULL), (2, now()), (3, NULL)"
        )
        assert KeysOf("marked", "id").read(connection, "shop") == ["1", "3"]
        assert Given(["a", "b", "a"]).read(connection, "shop") == ["a", "b"]


def test_values_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    listed = Listed(Environment(tmp_path), "SHOPS")
    with pytest.raises(ConfigError, match="SHOPS is not set"):
        listed.read(None, None)  # type: ignore[arg-type]
    monkeypatch.setenv("SHOPS", "17, 18,17,,x")
    assert listed.read(None, None) == ["17", "18", "x"]  # type: ignore[arg-type]


def named(name: str, checks: Sequence[TableCheck] = (), **each: Keys) -> Resource:
    table = orders_table(name, key=False, files=False)
    return Feed({"a": orders(1)}).resource(Append(table), checks=checks, each=each)


def test_what_others_need_is_loaded_first() -> None:
    lines = named("lines", [References("id", "orders", "id")], order=KeysOf("orders", "id"))
    placed = named(
        "orders", [References("id", "customers", "id"), References("id", "orders", "id")]
    )
    others = [named("articles"), named("customers"), named("shops", shop=Given(["a"]))]
    names = [one.load.table.name for one in in_order([lines, placed, *others])]
    assert names == ["customers", "orders", "lines", "articles", "shops"]


def test_a_circle_is_refused() -> None:
    a, b = named("a", [References("id", "b", "id")]), named("b", [References("id", "a", "id")])
    with pytest.raises(ConfigError, match=r"feed\.a → feed\.b → feed\.a"):
        in_order([a, b])


def test_what_needs_a_table_that_was_not_loaded_is_not_loaded(
    destination: Destination, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(feed: Feed, window: Window) -> list[Any]:
        raise ContractError("the file has gone")

    first = replace(named("orders"), partitions=broken)
    needs = named("lines", [References("id", "orders", "id")])
    more = named("parts", part=KeysOf("lines", "id"))
    other = named("other")
    chosen = in_order([more, needs, first, other])
    assert commands.run(destination, chosen, take_over=False) == commands.FAILED
    said = capsys.readouterr()
    assert said.err.splitlines() == [
        "feed.orders: the file has gone",
        "feed.lines: not loaded, as it needs orders, which was not loaded",
        "feed.parts: not loaded, as it needs lines, which was not loaded",
    ]
    shown = [line.split()[0] for line in said.out.splitlines()]
    assert shown[-2:] == ["resource", "feed.other"]
