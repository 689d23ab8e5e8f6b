"""For the tests of this project: an API on this machine that has made-up records, and its moods.

It speaks HTTP for real, and answers the requests for an endpoint in that endpoint's style of pages.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from .endpoints import Endpoint
from .http import Api
from .pages import Counted, Cursor, Linked, PageNumber

FAULTS = (
    "429",
    "500",
    "503",
    "html",
    "truncated",
    "half",
    "bad gzip",
    "reset",
    "stall",
)
HTML = b"<html>sorry</html>"


@dataclass(frozen=True)
class Request:
    """One request as the server saw it, and what it answered: a status, or the fault's name."""

    at: float
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    answer: str


@dataclass
class FakeApi:
    """Records as JSON, `page_size` on a page at most, and the faults that come first, in order.

    A fault is a status, another name in `FAULTS`, 'repeat' for the page that was given last, or ''
    for none. `retry_after` is what a 429 says, in seconds.
    """

    endpoint: Endpoint
    records: Sequence[str]
    faults: list[str] = field(default_factory=list)
    page_size: int = 2
    retry_after: int = 1
    seen: list[Request] = field(default_factory=list)
    url: str = ""
    clients: list[Api] = field(default_factory=list)
    asked_first: tuple[str, str | None] | None = None

    def client(self, **options: Any) -> Api:
        """The API as a resource reads it."""
        api = Api(self.url, **{"rate_limit": 10_000, "timeout": 0.5, **options})
        self.clients.append(api)
        return api

    def serves(self, path: str) -> bool:
        """Whether it is one of the endpoint's."""
        parts = re.split(r"\{\w+\}", self.endpoint.path)
        return bool(re.fullmatch("[^/]+".join(map(re.escape, parts)), path))

    def next_fault(self) -> str:
        """What goes wrong with the next request, '' for nothing."""
        return self.faults.pop(0) if self.faults else ""

    def page(
        self, path: str, params: Mapping[str, str]
    ) -> tuple[bytes, dict[str, str]]:
        """Body and headers of the page that the request asks for."""
        pages = self.endpoint.pages
        records = self._records(path, params)
        members = {pages.total: str(len(records))} if pages.total else {}
        if not isinstance(pages, Counted | Cursor | Linked):
            return self._body(records, members), {}
        if isinstance(pages, PageNumber):
            start = (int(params[pages.param]) - pages.first) * self.page_size
        else:
            param = "from" if isinstance(pages, Linked) else pages.param
            start = int(params.get(param, 0))
        end = start + self.page_size
        found, more = records[start:end], end < len(records)
        headers = {}
        if isinstance(pages, Cursor):
            following = str(end) if more else ""
            if pages.header:
                headers = {pages.header: following}
            else:
                members[pages.at] = json.dumps(following)
        elif isinstance(pages, Linked):
            link = f"{path}?{urlencode({**params, 'from': end})}" if more else ""
            if pages.at:
                members[pages.at] = json.dumps(link)
            elif link:
                headers = {"Link": f'<{link}>; rel="next"'}
        return self._body(found, members), headers

    def _records(self, path: str, params: Mapping[str, str]) -> list[str]:
        """All of them in the first partition that is asked for, none in the others."""
        since = self.endpoint.since
        partition = (path, params.get(since.param) if since else None)
        self.asked_first = self.asked_first or partition
        return list(self.records) if partition == self.asked_first else []

    def _body(self, records: list[str], members: Mapping[str, str]) -> bytes:
        path = self.endpoint.records
        array = f"[{', '.join(records)}]" if path.endswith("[*]") else records[0]
        values = {path.removesuffix("[*]"): array, **members}
        return _document(values).encode()


@contextmanager
def serve(fake: FakeApi, *others: FakeApi) -> Iterator[FakeApi]:
    """The API listens until the block ends, for all these endpoints."""
    handler = _handler([fake, *others])
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield fake
    finally:
        for client in fake.clients:
            client.close()
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(fakes: Sequence[FakeApi]) -> type[BaseHTTPRequestHandler]:
    lock = threading.Lock()
    last: tuple[bytes, dict[str, str]] = b"", {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # in one packet, which no acknowledgement holds back

        def do_GET(self) -> None:
            nonlocal last
            parts = urlsplit(self.path)
            params = dict(parse_qsl(parts.query))
            fake = next(one for one in fakes if one.serves(parts.path))
            with lock:
                fault = fake.next_fault()
                fake.seen.append(
                    Request(
                        monotonic(),
                        parts.path,
                        params,
                        dict(self.headers.items()),
                        fault or "200",
                    )
                )
                page = last if fault == "repeat" else fake.page(parts.path, params)
                last = last if fault else page
            body, headers = page
            if fault == "429":
                self._send(429, b"", {"Retry-After": str(fake.retry_after)})
            elif fault.isdecimal():
                self._send(int(fault), b"", headers)
            elif fault == "html":
                self._send(200, HTML, {"Content-Type": "text/html"})
            elif fault == "half":
                self._send(200, body[: len(body) // 2], headers)
            elif fault == "bad gzip":
                self._send(200, body, {**headers, "Content-Encoding": "gzip"})
            elif fault == "truncated":
                self._send(
                    200, body[:-1], {**headers, "Content-Length": str(len(body))}
                )
                self.close_connection = True
            elif fault == "reset":
                self.close_connection = True
            elif fault == "stall":
                with suppress(OSError):
                    self.rfile.read(1)  # until the client has had enough
                self.close_connection = True
            else:
                self._send(200, body, headers)

        def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: a test's output is its own."""

    return Handler


def _document(values: Mapping[str, str]) -> str:
    """A JSON document with these values at their paths."""
    if "$" in values:
        return values["$"]
    tree: dict[str, Any] = {}
    for path, text in values.items():
        *parents, last = path.split(".")[1:]
        branch = tree
        for name in parents:
            branch = branch.setdefault(name, {})
        branch[last] = text
    return _object(tree)


def _object(tree: Mapping[str, Any]) -> str:
    members = (
        f"{json.dumps(key)}: {value if isinstance(value, str) else _object(value)}"
        for key, value in tree.items()
    )
    return "{" + ", ".join(members) + "}"
