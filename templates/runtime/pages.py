"""How an API hands out its records in pages, and when that is all.

Each style ends by its own rule, never because a page is shorter than asked for: servers cap pages,
and one in the middle may be empty.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b
from itertools import count
from typing import Protocol

import httpx
import msgspec

from .errors import ContractError, RetryableError
from .http import Answer, Params
from .json_cells import cell
from .json_paths import find


@dataclass(frozen=True)
class Page:
    """An answer and the records in it."""

    answer: Answer
    records: list[msgspec.Raw]

    @property
    def place(self) -> str:
        """For messages."""
        return self.answer.url.path

    def text(self, path: str) -> str | None:
        """What stands at this path of the body; None if nothing does."""
        value = find(self.answer.body, path)
        return None if value is None else cell(value)


class Fetch(Protocol):
    """Gives the page at a path below the API, or at a link on the page `base`."""

    def __call__(self, path: str, params: Params, base: str = "") -> Page: ...


@dataclass(frozen=True)
class Pages:
    """One page has everything.

    With `total`, the path of the number of all records, each of them has to come.
    """

    total: str | None = field(default=None, kw_only=True)

    def read(self, fetch: Fetch, path: str, params: Params) -> Iterator[Page]:
        """All pages, in order."""
        got, totals = 0, set[int]()
        for page in self.pages(fetch, path, params):
            got += len(page.records)
            if self.total:
                totals.add(_number(page, self.total))
            yield page
        # What was added or deleted meanwhile may be missed.
        if got < min(totals, default=0):
            raise RetryableError(
                f"{path} says that it has {min(totals)} records, and gives {got}"
            )

    def pages(self, fetch: Fetch, path: str, params: Params) -> Iterator[Page]:
        """The pages until the style's own end."""
        yield fetch(path, params)


@dataclass(frozen=True)
class Counted(Pages):
    """Pages that are found by counting.

    With `total`, `in_flight` pages are asked for at a time; without, they are read one by one until
    two in a row are empty.
    """

    param: str
    size: int = 100
    size_param: str | None = None
    in_flight: int = 4

    def at(self, index: int, start: int) -> int:
        """What to ask for to get page `index`, from 0, which begins at record `start`, from 0."""
        raise NotImplementedError

    def pages(self, fetch: Fetch, path: str, params: Params) -> Iterator[Page]:
        sized = {self.size_param: str(self.size)} if self.size_param else {}

        def get(index: int, start: int) -> Page:
            place = {self.param: str(self.at(index, start))}
            return fetch(path, {**params, **sized, **place})

        first = get(0, 0)
        yield first
        if self.total is None:
            yield from self._until_empty(get, first)
        else:
            yield from self._until_total(get, first, self.total)

    def _until_empty(
        self, get: Callable[[int, int], Page], first: Page
    ) -> Iterator[Page]:
        step = len(first.records) or self.size
        seen, start = Seen(first, self.param), 0
        page, is_over = first, not first.records
        for index in count(1):
            # A page may be shorter than others: what it lacks is asked for next.
            start += len(page.records) or step
            page = get(index, start)
            was_over, is_over = is_over, not seen.add(page)
            if was_over and is_over:
                return
            yield page

    def _until_total(
        self, get: Callable[[int, int], Page], first: Page, total_path: str
    ) -> Iterator[Page]:
        step = len(first.records) or self.size
        seen = Seen(first, self.param)
        total, index = _number(first, total_path), 0
        while seen.count < total:
            due = max(1, -(-(total - seen.count) // step))
            known = seen.count
            calls = (
                partial(get, at, at * step) for at in range(index + 1, index + 1 + due)
            )
            for page in _in_order(calls, self.in_flight):
                seen.add(page)
                total = _number(page, total_path)
                yield page
            index += due
            if seen.count == known:
                return


class Seen:
    """The pages that came, to notice one that comes again, and how many records they have.

    A record that moved over from the page before is no further one.
    """

    def __init__(self, first: Page, param: str) -> None:
        self.size = len(first.records)
        self.param = param
        self.count = 0
        self._before = set[bytes]()
        self._digests = set[bytes]()
        self.add(first)

    def add(self, page: Page) -> bool:
        """Whether the page has something new.

        The last page may come again while rows are added in front; a full one means that the server
        does not understand us.
        """
        records = list(map(bytes, page.records))
        digest = blake2b(b"\n".join(records), digest_size=16).digest()
        is_again = bool(records) and digest in self._digests
        if is_again and len(records) >= self.size:
            raise RetryableError(
                f"{page.place} gives a page again: does it know {self.param!r}?"
            )
        new = sum(record not in self._before for record in records)
        self._before = set(records)
        self._digests.add(digest)
        if is_again:
            return False
        self.count += new
        return bool(records)


@dataclass(frozen=True)
class PageNumber(Counted):
    """`?page=3`."""

    param: str = "page"
    first: int = 1

    def at(self, index: int, start: int) -> int:
        return self.first + index


@dataclass(frozen=True)
class Offset(Counted):
    """`?offset=200`."""

    param: str = "offset"

    def at(self, index: int, start: int) -> int:
        return start


@dataclass(frozen=True)
class Cursor(Pages):
    """Each page says what to ask for next: at a path of its body, or in a header.

    There is no next page where that is missing, null or empty.
    """

    param: str
    at: str = ""
    header: str = ""

    def pages(self, fetch: Fetch, path: str, params: Params) -> Iterator[Page]:
        page = fetch(path, params)
        seen: set[str] = set()
        while True:
            yield page
            following = (
                page.answer.headers.get(self.header)
                if self.header
                else page.text(self.at)
            )
            if not following:
                return
            _require_new(page, following, seen)
            page = fetch(path, {**params, self.param: following})


@dataclass(frozen=True)
class Linked(Pages):
    """Each page has the address of the next one: at a path of its body, or in the header Link."""

    at: str = ""

    def pages(self, fetch: Fetch, path: str, params: Params) -> Iterator[Page]:
        page = fetch(path, params)
        seen: set[str] = set()
        while True:
            yield page
            following = page.text(self.at) if self.at else _link(page)
            if not following:
                return
            _require_new(page, following, seen)
            page = fetch(following, {}, str(page.answer.url))


def _link(page: Page) -> str | None:
    """The target of `Link: <…>; rel="next"` (RFC 8288)."""
    links = httpx.Response(200, headers=page.answer.headers).links
    return links.get("next", {}).get("url")


def _require_new(page: Page, following: str, seen: set[str]) -> None:
    if following in seen:
        raise RetryableError(f"{page.place}: the pages go round in a circle")
    seen.add(following)


def _number(page: Page, path: str) -> int:
    text = page.text(path) or ""
    if not text.isdecimal():
        raise ContractError(f"{page.place} has no number at {path}")
    return int(text)


def _in_order(calls: Iterable[Callable[[], Page]], in_flight: int) -> Iterator[Page]:
    """The results in order, with at most so many calls begun whose result is not taken yet."""
    pool = ThreadPoolExecutor(in_flight, thread_name_prefix="pages")
    waiting: deque[Future[Page]] = deque()
    try:
        for call in calls:
            waiting.append(pool.submit(call))
            if len(waiting) >= in_flight:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        # Whoever stops reading does not wait for those begun: they end when the API is closed.
        pool.shutdown(wait=False, cancel_futures=True)
