"""How an API hands out its records in pages, and when that is all.

Each style ends by its own rule, never because a page is shorter than asked for: servers cap pages,
and one in the middle may be empty.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
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


class Pages:
    """One page has everything."""

    def read(self, fetch: Fetch, path: str, params: Params) -> Iterator[Page]:
        """All pages, in order."""
        yield fetch(path, params)


@dataclass(frozen=True)
class Counted(Pages):
    """Pages that are found by counting.

    With `total`, the path of the number of all records, `in_flight` pages are asked for at a time
    and each record has to come; without, the pages are read until two in a row are empty.
    """

    param: str
    size: int = 100
    size_param: str | None = None
    total: str | None = None
    in_flight: int = 4

    def at(self, index: int, step: int) -> int:
        """What to ask for to get page `index`, from 0, where each has `step` records."""
        raise NotImplementedError

    def read(self, fetch: Fetch, path: str, params: Params) -> Iterator[Page]:
        sized = {self.size_param: str(self.size)} if self.size_param else {}

        def get(index: int, step: int) -> Page:
            place = {self.param: str(self.at(index, step))}
            return fetch(path, {**params, **sized, **place})

        first = get(0, self.size)
        yield first
        if self.total is None:
            yield from self._until_empty(get, first)
        else:
            yield from self._until_total(get, first, self.total)

    def _until_empty(
        self, get: Callable[[int, int], Page], first: Page
    ) -> Iterator[Page]:
        step = len(first.records) or self.size
        before, index = first, 0
        empty = not first.records
        while True:
            index += 1
            page = get(index, step)
            if not page.records and empty:
                return
            if page.records and page.answer.body == before.answer.body:
                raise ContractError(
                    f"{page.place} gives the same page again: it ignores {self.param!r}"
                )
            yield page
            before, empty = page, not page.records

    def _until_total(
        self, get: Callable[[int, int], Page], first: Page, total_path: str
    ) -> Iterator[Page]:
        step = len(first.records) or self.size
        total, got, index = _number(first, total_path), len(first.records), 0
        while got < total:
            due = max(1, -(-(total - got) // step))
            before = got
            for page in _in_order(
                [_later(get, index + 1 + more, step) for more in range(due)],
                self.in_flight,
            ):
                got += len(page.records)
                total = _number(page, total_path)
                yield page
            index += due
            if got == before:
                break
        if got < total:
            raise RetryableError(
                f"{first.place} says that it has {total} records, and gives {got}"
            )


@dataclass(frozen=True)
class PageNumber(Counted):
    """`?page=3`."""

    param: str = "page"
    first: int = 1

    def at(self, index: int, step: int) -> int:
        return self.first + index


@dataclass(frozen=True)
class Offset(Counted):
    """`?offset=200`."""

    param: str = "offset"

    def at(self, index: int, step: int) -> int:
        return index * step


@dataclass(frozen=True)
class Cursor(Pages):
    """Each page says what to ask for next: at a path of its body, or in a header.

    There is no next page where that is missing, null or empty.
    """

    param: str
    at: str = ""
    header: str = ""

    def read(self, fetch: Fetch, path: str, params: Params) -> Iterator[Page]:
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

    def read(self, fetch: Fetch, path: str, params: Params) -> Iterator[Page]:
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
        raise ContractError(f"{page.place}: the pages go round in a circle")
    seen.add(following)


def _number(page: Page, path: str) -> int:
    text = page.text(path) or ""
    if not text.isdecimal():
        raise ContractError(f"{page.place} has no number at {path}")
    return int(text)


def _later(
    get: Callable[[int, int], Page], index: int, step: int
) -> Callable[[], Page]:
    return lambda: get(index, step)


def _in_order(calls: list[Callable[[], Page]], in_flight: int) -> Iterator[Page]:
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
        pool.shutdown(cancel_futures=True)
