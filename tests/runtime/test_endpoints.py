"""An endpoint read over real HTTP: every record once, whatever the server does on the way."""

import json
import random
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from time import monotonic, sleep
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa
import pytest

from runtime.endpoints import Endpoint, Query
from runtime.errors import ConfigError, ContractError, FatalError, PipelineError, RetryableError
from runtime.fake_api import FAULTS, FakeApi, serve
from runtime.http import TRIES, Api
from runtime.http_again import retry_after
from runtime.http_auth import ApiKey, Auth, Basic, Bearer
from runtime.pages import Cursor, Linked, Offset, PageNumber, Pages
from runtime.resource import Partition, Window

CANARY = "S3cr3t-canary"
STYLES: dict[str, Pages] = {
    "one": Pages(),
    "numbers": PageNumber(),
    "numbers and total": PageNumber(total="$.meta.total", in_flight=3),
    "numbers from 0": PageNumber(first=0, size_param="per_page"),
    "offset": Offset(),
    "offset and total": Offset(total="$.meta.total", in_flight=3),
    "cursor": Cursor("after", at="$.meta.next"),
    "cursor in a header": Cursor("after", header="X-Next"),
    "link header": Linked(),
    "link in the body": Linked("$.meta.next"),
}


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the part of a wait that only spreads the load."""
    monkeypatch.setattr(
        "runtime.http.wait_random_exponential", lambda *_, **__: lambda state: 0.001
    )


def endpoint(pages: Pages, **options: Any) -> Endpoint:
    return Endpoint("/things", ["id"], **{"records": "$.data[*]", "pages": pages, **options})


def records(count: int) -> list[str]:
    return [json.dumps({"id": number}) for number in range(count)]


def read(api: Api, one: Endpoint, window: Window | None = None) -> list[pd.DataFrame]:
    parts = one.partitions(api, window or Window())
    assert [part.number for part in parts] == list(range(len(parts)))
    # As in the ledger: another process may extract it.
    sent = [Partition(part.number, detail=json.loads(json.dumps(part.detail))) for part in parts]
    return [batch for part in sent for batch in one.read(api, part)]


def ids(batches: list[pd.DataFrame]) -> list[int]:
    return [int(value) for batch in batches for value in batch["id"]]


@pytest.mark.parametrize("style", STYLES)
def test_each_record_comes_once_in_order(style: str) -> None:
    one = endpoint(STYLES[style])
    for count in (0, 1, 2, 7, 8):
        with serve(FakeApi(one, records(count))) as fake, fake.client() as api:
            batches = read(api, one)
            assert ids(batches) == list(range(count))
            numbers = [number for batch in batches for number in batch.index]
            assert numbers == list(range(1, count + 1))


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_faults_lose_and_double_nothing(style: str, seed: int) -> None:
    chance = random.Random(seed)
    one = endpoint(STYLES[style])

    class Moody(FakeApi):
        def next_fault(self) -> str:
            return chance.choice(FAULTS) if chance.random() < 0.4 else ""

    fake = Moody(one, records(31), retry_after=0)
    with serve(fake), fake.client() as api, pytest.MonkeyPatch.context() as patch:
        patch.setattr("runtime.http.TRIES", 60)
        assert ids(read(api, one)) == list(range(31))
    served = [request for request in fake.seen if request.answer == "200"]
    asked = {json.dumps(dict(request.params)) for request in served}
    assert len(served) == len(asked)


def test_a_retry_comes_not_before_retry_after() -> None:
    one = endpoint(Pages())
    with (
        serve(FakeApi(one, records(2), faults=["429"], retry_after=1)) as fake,
        fake.client() as api,
    ):
        assert ids(read(api, one)) == [0, 1]
    first, second = fake.seen
    assert second.at - first.at >= 1


def test_a_retry_after_that_is_a_date_is_never_cut_short() -> None:
    at = datetime.now(UTC) + timedelta(seconds=20)
    assert 19 < retry_after({"Retry-After": format_datetime(at, usegmt=True)}) < 22  # type: ignore[arg-type]
    assert retry_after({"Retry-After": "soon"}) == 0  # type: ignore[arg-type]


def test_a_retry_after_beyond_the_patience_ends_it_at_once() -> None:
    one = endpoint(Pages())
    fake = FakeApi(one, records(2), faults=["429"], retry_after=3600)
    with (
        serve(fake),
        fake.client(total_seconds=5) as api,
        pytest.raises(FatalError, match="answers 429, not to be asked again for 3600"),
    ):
        read(api, one)
    assert len(fake.seen) == 1


@pytest.mark.parametrize("status", ["400", "401", "403", "404"])
def test_a_refusal_is_not_tried_again(status: str) -> None:
    one = endpoint(Pages())
    fake = FakeApi(one, records(2), faults=[status] * 9)
    with (
        serve(fake),
        fake.client() as api,
        pytest.raises(ContractError, match=f"/things answers {status}"),
    ):
        read(api, one)
    assert len(fake.seen) == 1


@pytest.mark.parametrize("fault", ["500", "html", "half", "bad gzip", "truncated", "reset"])
def test_lasting_trouble_ends_after_a_few_tries_as_retryable(fault: str) -> None:
    one = endpoint(Pages())
    fake = FakeApi(one, records(2), faults=[fault] * 99)
    with serve(fake), fake.client() as api, pytest.raises(RetryableError):
        read(api, one)
    assert len(fake.seen) == TRIES


def test_numbers_keep_every_digit_and_objects_are_opened_where_declared() -> None:
    one = Endpoint(
        "/things",
        ["id", "place.city.name", ("new", "old"), "tags", "gone"],
        documents=["tags"],
    )
    text = (
        '{"id": 1.10000000000000000001, "place": {"city": {"name": "Ulm", "x": 1}, "zip": "089"},'
        ' "old": null, "tags": "a", "more": {"k": [1.50]}}'
    )
    with serve(FakeApi(one, [text])) as fake, fake.client() as api:
        (batch,) = read(api, one)
    assert set(batch.dtypes) == {pd.ArrowDtype(pa.string())}
    assert batch.astype(object).where(batch.notna(), None).to_dict("records") == [
        {
            "id": "1.10000000000000000001",
            "place.city.name": "Ulm",
            "place.city.x": "1",
            "place.zip": "089",
            "old": None,
            "tags": '"a"',
            "more": '{"k": [1.50]}',
            "gone": None,
        }
    ]


def test_what_is_not_an_object_is_set_aside() -> None:
    one = endpoint(Pages())
    with serve(FakeApi(one, ['{"id": 0}', "17", '{"id": 2}'])) as fake, fake.client() as api:
        (part,) = one.partitions(api, Window())
        (batch,) = one.read(api, part)
    assert list(batch.index) == [1, 3]
    assert [(reject.position, reject.payload) for reject in part.rejects] == [(2, "17")]


def test_what_is_set_aside_among_many_costs_the_others_nothing() -> None:
    one = endpoint(Pages())
    broken = {17: "17", 400: '"x"', 999: "[]"}
    texts = [broken.get(number, json.dumps({"id": number})) for number in range(1, 1001)]
    with serve(FakeApi(one, texts)) as fake, fake.client() as api:
        (part,) = one.partitions(api, Window())
        (batch,) = one.read(api, part)
    assert [reject.position for reject in part.rejects] == list(broken)
    assert ids([batch]) == list(batch.index) == sorted(set(range(1, 1001)) - set(broken))


def test_a_body_without_the_records_is_refused() -> None:
    one = endpoint(Pages(), records="$.items[*]")
    with (
        serve(FakeApi(endpoint(Pages()), records(1))) as fake,
        fake.client() as api,
        pytest.raises(ContractError, match=r"nothing stands at \$\.items"),
    ):
        read(api, one)


class Other(FakeApi):
    """Pages of its own making."""

    def __init__(self, one: Endpoint, make: Callable[[dict[str, str]], object]) -> None:
        super().__init__(one, [])
        self.make = make

    def page(self, path: str, params: Any) -> tuple[bytes, dict[str, str]]:
        return json.dumps(self.make(dict(params))).encode(), {}


def test_an_empty_page_in_the_middle_is_not_the_end() -> None:
    contents = {"1": [{"id": 1}], "3": [{"id": 3}]}
    one = endpoint(PageNumber())
    with (
        serve(Other(one, lambda asked: {"data": contents.get(asked["page"], [])})) as fake,
        fake.client() as api,
    ):
        assert ids(read(api, one)) == [1, 3]


def test_fewer_records_than_the_total_is_an_error() -> None:
    one = endpoint(PageNumber(total="$.total"))
    capped = {str(page): [{"id": page}] for page in range(1, 4)}
    fake = Other(one, lambda asked: {"data": capped.get(asked["page"], []), "total": 5})
    with (
        serve(fake),
        fake.client() as api,
        pytest.raises(RetryableError, match="says that it has 5 records, and gives 3"),
    ):
        read(api, one)


def test_a_total_that_grows_is_followed() -> None:
    one = endpoint(PageNumber(total="$.total"))

    def page(asked: dict[str, str]) -> object:
        number = int(asked["page"])
        return {"data": [{"id": number}], "total": 2 if number == 1 else 4}

    with serve(Other(one, page)) as fake, fake.client() as api:
        assert ids(read(api, one)) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("pages", "answer"),
    [
        (PageNumber(), {"data": [{"id": 1}]}),
        (Offset(), {"data": [{"id": 1}]}),
        (Cursor("after", at="$.next"), {"data": [{"id": 1}], "next": "a"}),
        (Linked("$.next"), {"data": [{"id": 1}], "next": "/things?a=1"}),
    ],
)
def test_pages_without_end_are_noticed(pages: Pages, answer: object) -> None:
    one = endpoint(pages)
    fake = Other(one, lambda _: answer)
    with (
        serve(fake),
        fake.client() as api,
        pytest.raises(RetryableError, match=r"circle|gives a page again"),
    ):
        read(api, one)
    assert len(fake.seen) <= 3


@pytest.mark.parametrize(
    ("pages", "leads"),
    [
        (Linked("$.next"), lambda url: ({"next": f"{url}/x"}, {})),
        (Linked("$.next"), lambda url: ({"next": f"{url.removeprefix('http:')}/x"}, {})),
        (Linked(), lambda url: ({}, {"Link": f'<{url}/x>; rel="next"'})),
        (Pages(), lambda url: ({}, {"Location": f"{url}/x"})),
    ],
    ids=["next url", "next url without a scheme", "link header", "redirect"],
)
def test_no_other_host_is_asked(pages: Pages, leads: Any) -> None:
    elsewhere = FakeApi(endpoint(Pages()), [])

    class Leading(FakeApi):
        def page(self, path: str, params: Any) -> tuple[bytes, dict[str, str]]:
            members, headers = leads(elsewhere.url)
            return json.dumps({"data": [], **members}).encode(), headers

    faults = ["302"] if pages == Pages() else []
    with (
        serve(elsewhere),
        serve(Leading(endpoint(pages), [], faults)) as fake,
        fake.client(auth=Bearer(CANARY)) as api,
        pytest.raises(ContractError, match=r"another host: 127\.0\.0\.1"),
    ):
        read(api, endpoint(pages))
    assert elsewhere.seen == []


def test_a_redirect_that_leads_nowhere_is_an_error() -> None:
    fake = FakeApi(endpoint(Pages()), [], ["302"])
    with (
        serve(fake),
        fake.client() as api,
        pytest.raises(ContractError, match="answers 302"),
    ):
        read(api, endpoint(Pages()))


@pytest.mark.parametrize(
    ("auth", "seen"),
    [
        (Bearer(CANARY), f"Bearer {CANARY}"),
        (Basic("ada", CANARY), "Basic YWRhOlMzY3IzdC1jYW5hcnk="),
        (ApiKey("X-Key", CANARY), CANARY),
        (ApiKey("key", CANARY, "query"), CANARY),
    ],
)
def test_requests_are_signed_and_no_message_shows_the_secret(auth: Auth, seen: str) -> None:
    one = endpoint(Pages())
    fake = FakeApi(one, records(1), faults=["403"])
    with serve(fake), fake.client(auth=auth) as api:
        with pytest.raises(PipelineError) as refusal:
            read(api, one)
        assert CANARY not in f"{refusal.value}{refusal.getrepr()}{api!r}"
        read(api, one)
    for request in fake.seen:
        assert seen in {*request.headers.values(), *request.params.values()}


def test_an_unreachable_host_shows_no_secret() -> None:
    with (
        Api("http://127.0.0.1:1", auth=ApiKey("key", CANARY, "query")) as api,
        pytest.raises(RetryableError) as refusal,
    ):
        read(api, endpoint(Pages()))
    assert ": ConnectError, Connection refused" in str(refusal.value)
    assert CANARY not in str(refusal.getrepr(style="short", showlocals=False))


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://[fe80::1]/",
        "http://[::ffff:169.254.169.254]/",
        "file:///etc/passwd",
        "http://h/\r\nX-Evil: 1",
        f"https://user:{CANARY}@h/",
        "gopher://x",
        "https:///x",
    ],
)
def test_hostile_addresses_are_refused(url: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        Api(url)
    assert CANARY not in str(refusal.value)


def test_a_secret_of_two_lines_is_refused_unseen() -> None:
    with pytest.raises(ConfigError) as refusal:
        Bearer(f"{CANARY}\r\nX-Evil: 1")
    assert CANARY not in str(refusal.value)


@pytest.mark.parametrize("format", ["iso", "%Y-%m-%d %H:%M:%S"])
def test_a_moment_is_asked_for_in_utc_whatever_zone_the_session_has(format: str) -> None:
    berlin = datetime(2026, 1, 31, 12, tzinfo=ZoneInfo("Europe/Berlin"))
    query = Query("from", format)
    assert query.spell(berlin) == query.spell(datetime(2026, 1, 31, 11, tzinfo=UTC))


@pytest.mark.parametrize(
    ("format", "spelled"),
    [
        ("iso", "2026-01-31T12:00:00Z"),
        ("epoch", "1769860800"),
        ("epoch_ms", "1769860800000"),
        ("%d.%m.%Y", "31.01.2026"),
    ],
)
def test_the_cursor_goes_into_the_query(format: str, spelled: str) -> None:
    one = endpoint(Pages(), cursor="at", since=Query("from", format), until=Query("to", format))
    window = Window(since=datetime(2026, 1, 31, 12, tzinfo=UTC))
    with serve(FakeApi(one, records(1))) as fake, fake.client() as api:
        read(api, one, window)
    assert dict(fake.seen[0].params) == {"from": spelled}


def test_a_window_is_cut_into_slices_without_a_gap() -> None:
    one = endpoint(
        Pages(),
        cursor="at",
        since=Query("from"),
        until=Query("to"),
        slices=timedelta(days=1),
    )
    window = Window(since=date(2026, 1, 1), until=date(2026, 1, 4))
    with serve(FakeApi(one, records(1))) as fake, fake.client() as api:
        read(api, one, window)
    assert [dict(request.params) for request in fake.seen] == [
        {"from": "2026-01-01", "to": "2026-01-02"},
        {"from": "2026-01-02", "to": "2026-01-03"},
        {"from": "2026-01-03", "to": "2026-01-04"},
    ]


def test_the_rate_limit_holds_for_all_pages_together() -> None:
    one = endpoint(PageNumber(total="$.meta.total", in_flight=4))
    with serve(FakeApi(one, records(10))) as fake, fake.client(rate_limit=50) as api:
        start = monotonic()
        read(api, one)
        assert monotonic() - start >= 4 / 50
    assert len(fake.seen) == 5


@pytest.mark.parametrize(
    "pages",
    [
        Pages(total="$.total"),
        Cursor("after", at="$.next", total="$.total"),
        Cursor("after", header="X-Next", total="$.total"),
        Linked(total="$.total"),
        Linked("$.next", total="$.total"),
        Offset(total="$.total"),
    ],
)
def test_a_cap_is_noticed_where_the_total_is_known(pages: Pages) -> None:
    one = endpoint(pages)
    first = {"data": [{"id": 1}, {"id": 2}], "total": 5}
    with (
        serve(Other(one, lambda asked: {**first, **({"data": []} if asked else {})})) as fake,
        fake.client() as api,
        pytest.raises(RetryableError, match=r"says that it has 5 records, and gives [02]"),
    ):
        read(api, one)


@pytest.mark.parametrize("total", [None, "$.total"])
def test_pages_that_overlap_lose_nothing(total: str | None) -> None:
    def page(asked: dict[str, str]) -> object:
        start = (int(asked["page"]) - 1) * 4
        return {"data": [{"id": id} for id in range(start, min(start + 5, 23))], "total": 23}

    one = endpoint(PageNumber(total=total))
    with serve(Other(one, page)) as fake, fake.client() as api:
        assert set(ids(read(api, one))) == set(range(23))


def test_a_page_that_is_shorter_than_others_loses_nothing() -> None:
    def page(asked: dict[str, str]) -> object:
        start = int(asked["offset"])
        size = 2 if start == 10 else 5
        return {"data": [{"id": id} for id in range(start, min(start + size, 23))]}

    one = endpoint(Offset())
    with serve(Other(one, page)) as fake, fake.client() as api:
        assert ids(read(api, one)) == list(range(23))


def test_pages_that_come_again_after_others_are_noticed() -> None:
    one = endpoint(PageNumber())
    with (
        serve(Other(one, lambda asked: {"data": [{"id": int(asked["page"]) % 3}]})) as fake,
        fake.client() as api,
        pytest.raises(RetryableError, match="gives a page again"),
    ):
        read(api, one)
    assert len(fake.seen) == 4


def test_no_request_comes_before_retry_after_also_for_another_page() -> None:
    one = endpoint(PageNumber(total="$.meta.total", in_flight=4))
    fake = FakeApi(one, records(20), faults=["", "429"], retry_after=1)
    with serve(fake), fake.client() as api:
        assert sorted(ids(read(api, one))) == list(range(20))
    refused = next(request for request in fake.seen if request.answer == "429")
    # Those that were under way already do not count.
    later = [request.at - refused.at for request in fake.seen if request.at > refused.at + 0.2]
    assert min(later) >= 1


def test_requests_in_flight_end_when_nobody_reads_any_more() -> None:
    one = endpoint(PageNumber(total="$.meta.total", in_flight=4))
    fake = FakeApi(one, records(20), faults=["", "403", *["429"] * 99], retry_after=200)
    with serve(fake):
        start = monotonic()
        with fake.client() as api, pytest.raises(ContractError, match="answers 403"):
            read(api, one)
        while any(thread.name.startswith("pages") for thread in threading.enumerate()):
            assert monotonic() - start < 60
            sleep(0.01)
