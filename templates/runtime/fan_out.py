"""The same endpoint for many keys: `/orders/{order}/lines` of each order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from urllib.parse import quote

import structlog

from .errors import ContractError
from .http import NotFoundError
from .pages import Page

Key = Mapping[str, str]
Read = Callable[[Key], Iterator[Page]]
Begun = tuple[Key, Iterator[Page], Future[Page]]  # the rest of the pages, the first
log = structlog.get_logger()


def filled(path: str, key: Key) -> str:
    """The path with the key in it, each value as one segment."""
    for name, value in key.items():
        if value in ("", ".", ".."):
            raise ContractError(f"{value!r} cannot be the {{{name}}} of {path}")
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
    return path


def fan_out(
    keys: Sequence[Key], read: Read, in_flight: int, *, skip_missing: bool
) -> Iterator[tuple[Key, Page]]:
    """All pages of each key, in order; the first ones of the next keys are asked for meanwhile.

    So few pages are held, however many a key has. With `skip_missing`, keys that the API does not
    find are left out, and said; where it finds none of several, the path is wrong.
    """
    missing: list[NotFoundError] = []
    with closing(_begun(keys, read, in_flight)) as begun:
        for key, pages, first in begun:
            try:
                page = first.result()
            except NotFoundError as error:
                if not skip_missing:
                    raise
                missing.append(error)
                continue
            yield key, page
            for page in pages:
                yield key, page
    if 1 < len(missing) == len(keys):
        raise missing[0]
    if missing:
        log.warning("some are not there", example=str(missing[0]), count=len(missing))


def _begun(keys: Sequence[Key], read: Read, in_flight: int) -> Generator[Begun]:
    pool = ThreadPoolExecutor(in_flight, thread_name_prefix="keys")
    waiting: deque[Begun] = deque()
    try:
        for key in keys:
            pages = read(key)
            waiting.append((key, pages, pool.submit(next, pages)))
            if len(waiting) > in_flight:
                yield waiting.popleft()
        yield from waiting
    finally:
        # What is under way ends by itself, when its client is closed.
        pool.shutdown(wait=False, cancel_futures=True)
