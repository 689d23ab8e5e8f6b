"""Requests to one API: signed, paced, tried again where that may help, bounded in time.

A message names method, host and path, never the query, a header or a body, which may hold secrets.
"""

from __future__ import annotations

import ipaddress
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Self, TypeVar
from urllib.parse import urlsplit

import httpx
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    sleep_using_event,
    stop_after_attempt,
    stop_before_delay,
    stop_when_event_set,
    wait_random_exponential,
)

from .errors import ConfigError, ContractError, FatalError, RetryableError
from .http_again import AgainError, retry_after
from .http_auth import Auth

TRIES = 8
TOTAL_SECONDS = 300.0
"""For one request with all its tries; a longer Retry-After ends the run."""
LARGEST_BODY = 256 << 20
MOST_REDIRECTS = 5
RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
HINTS = {
    401: "Check the credentials in the environment.",
    403: "Check what the credentials may read.",
    404: "Check the address in connection.py and the path of the endpoint.",
}
# httpx logs whole URLs, httpcore headers too.
for name in ("httpx", "httpcore"):
    logging.getLogger(name).setLevel(logging.WARNING)

T = TypeVar("T")
Params = Mapping[str, str]


class NotFoundError(ContractError):
    """The API has nothing at this path."""


@dataclass(frozen=True)
class Answer:
    """A body that came whole, and where it came from."""

    url: httpx.URL
    headers: httpx.Headers
    body: bytes


@dataclass
class Api:
    """One API. `rate_limit` is in requests a second, `timeout` in seconds without a byte.

    Connections are opened by the first request, also after `close`.
    """

    url: str
    auth: Auth = field(default_factory=Auth)
    rate_limit: float = 10.0
    timeout: float = 30.0
    total_seconds: float = TOTAL_SECONDS
    user_agent: str = "etl"
    allow_link_local: bool = False

    def __post_init__(self) -> None:
        require_safe(self.url, allow_link_local=self.allow_link_local)
        self._origin = _origin(httpx.URL(self.url))
        self._pace = Pace(self.rate_limit)
        self._lock = threading.Lock()
        self._opened: Session | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back the connections; requests of other threads are not tried again."""
        with self._lock:
            session, self._opened = self._opened, None
        if session is not None:
            session.close()

    def get(
        self, path: str, params: Params, read: Callable[[Answer], T], *, base: str = ""
    ) -> T:
        """What `read` makes of the answer; it raises `RetryableError` for a broken one.

        `path` starts below the API's address, or is a link found on the page `base`.
        """
        url = self._absolute(path, base)
        if params:
            url = url.copy_merge_params(dict(params))
        session = self._session()
        tries = Retrying(
            retry=retry_if_exception_type(RetryableError),
            stop=stop_after_attempt(TRIES)
            | stop_before_delay(self.total_seconds)
            | stop_when_event_set(session.closed),
            wait=_wait,
            sleep=sleep_using_event(session.closed),
            reraise=True,
        )
        try:
            with session.used():
                return tries(lambda: read(self._answer(url, session)))
        except AgainError as error:
            if not error.seconds:
                raise
            # A load tries a retryable step again in seconds, which is before it may.
            raise FatalError(
                f"{error}, not to be asked again for {error.seconds:.0f} seconds",
                "Run it again after that, or lower the rate limit.",
            ) from None

    def _absolute(self, path: str, base: str) -> httpx.URL:
        if not base:
            return httpx.URL(self.url.rstrip("/") + path)
        try:
            url = httpx.URL(base).join(path)
        except httpx.InvalidURL:
            raise ContractError(f"{_shown(httpx.URL(base))} links to no URL") from None
        self._require_own(url, base)
        return url

    def _require_own(self, url: httpx.URL, base: str | httpx.URL) -> None:
        """Another host would get to see the credentials."""
        if _origin(url) != self._origin:
            raise ContractError(
                f"{_shown(httpx.URL(base))} points to another host: {url.netloc.decode()}",
                "If that is right, it is the address that belongs into connection.py.",
            )

    def _session(self) -> Session:
        with self._lock:
            if self._opened is None:
                timeout = httpx.Timeout(self.timeout, connect=min(self.timeout, 10))
                headers = {
                    "User-Agent": self.user_agent,
                    "Accept": "application/json",
                }
                self._opened = Session(httpx.Client(timeout=timeout, headers=headers))
            return self._opened

    def _answer(self, url: httpx.URL, session: Session) -> Answer:
        until = time.monotonic() + self.total_seconds
        renewed = False
        for _ in range(MOST_REDIRECTS + 2):
            self._pace.wait(session.closed)
            if session.closed.is_set():
                raise AgainError(f"{_shown(url)} is not asked any more")
            request = session.client.build_request("GET", url)
            self.auth.sign(request)
            try:
                response = session.client.send(request, stream=True)
                try:
                    body = _body(response, until)
                finally:
                    response.close()
            # An error of the client may quote a header: nothing of it goes on.
            except (httpx.TransportError, httpx.DecodingError) as error:
                raise AgainError(f"{_shown(url)}: {_reason(error)}") from None
            if response.has_redirect_location:
                target = url.join(response.headers["Location"])
                self._require_own(target, url)
                url = target
            elif (
                response.status_code == 401 and not renewed and self.auth.renew(request)
            ):
                renewed = True
            else:
                self._require_success(url, response)
                return Answer(url, response.headers, body)
        raise ContractError(f"{_shown(url)} redirects without end")

    def _require_success(self, url: httpx.URL, response: httpx.Response) -> None:
        status = response.status_code
        message = f"{_shown(url)} answers {status}"
        if status in RETRIED:
            seconds = retry_after(response.headers)
            # It is meant for all of us; one that is too long ends the run.
            if seconds < self.total_seconds:
                self._pace.hold(seconds)
            raise AgainError(message, seconds)
        if status in (404, 410):
            raise NotFoundError(message, HINTS[404])
        if status != 200:
            raise ContractError(message, HINTS.get(status, ""))


class Session:
    """Connections that are given back when they are closed and the last request has ended."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self.closed = threading.Event()
        self._users = 1
        self._lock = threading.Lock()

    @contextmanager
    def used(self) -> Iterator[None]:
        """For a request and all its tries."""
        with self._lock:
            self._users += 1
        try:
            yield
        finally:
            self._leave()

    def close(self) -> None:
        """No request is begun any more, and none is waited for."""
        self.closed.set()
        self._leave()

    def _leave(self) -> None:
        with self._lock:
            self._users -= 1
            is_last = not self._users
        if is_last:
            self.client.close()


class Pace:
    """At most so many requests a second, from all threads together."""

    def __init__(self, per_second: float) -> None:
        self.gap = 1 / per_second
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self, closed: threading.Event) -> None:
        """Return when it is this caller's turn, or at once when there is nobody any more."""
        with self._lock:
            turn = max(self._next, time.monotonic())
            self._next = turn + self.gap
        closed.wait(max(0.0, turn - time.monotonic()))

    def hold(self, seconds: float) -> None:
        """No turn before so many seconds from now."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)


def require_safe(url: str, *, allow_link_local: bool = False) -> None:
    """Raise `ConfigError` for an address that no API has."""
    parts = urlsplit(url)
    if not url.isprintable() or " " in url or parts.scheme not in ("http", "https"):
        raise ConfigError("the address of the API has to be an http or https URL")
    if not parts.hostname:
        raise ConfigError("the address of the API has no host")
    if "@" in parts.netloc:
        raise ConfigError(
            "the address of the API holds a user or a password",
            "Give them to auth=Basic(…) in connection.py.",
        )
    if _is_link_local(parts.hostname) and not allow_link_local:
        raise ConfigError(
            f"{parts.hostname} is a link-local address",
            "If that is meant, write allow_link_local=True in connection.py.",
        )


def _is_link_local(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_link_local


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    port = url.port or {"http": 80, "https": 443}.get(url.scheme)
    return url.scheme, url.host, port


def _body(response: httpx.Response, until: float) -> bytes:
    """All of the body, however slowly it drips, but neither for ever nor without end."""
    chunks, size = [], 0
    for chunk in response.iter_bytes():
        chunks.append(chunk)
        size += len(chunk)
        if size > LARGEST_BODY:
            limit = f"over {LARGEST_BODY >> 20} MB"
            raise ContractError(f"{_shown(response.request.url)} answers {limit}")
        if time.monotonic() > until:
            raise AgainError(f"{_shown(response.request.url)}: the answer takes long")
    return b"".join(chunks)


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.seconds if isinstance(error, AgainError) else 0.0
    return asked + float(wait_random_exponential(0.2, max=20)(state))


def _reason(error: Exception) -> str:
    """The kind of error, and what the system says of it."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return f"{type(error).__name__}, {cause.strerror}"
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__


def _shown(url: httpx.URL) -> str:
    return f"GET {url.scheme}://{url.netloc.decode()}{url.path}"
