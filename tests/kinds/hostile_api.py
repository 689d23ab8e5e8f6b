"""An API that has every fault at once, and counts what it did: made apart from the client's code.

Each style of pages has a path of its own, with the same records behind it. Pages overlap by a row,
hold fewer than asked for, and one in the middle is empty. A token is good for some requests only.
"""

import gzip
import json
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import ceil
from urllib.parse import parse_qs, urlsplit

# Of a hundred requests.
FAULTS = {
    "429": 5,
    "500": 10,
    "503": 5,
    "reset": 10,
    "truncation": 10,
    "bad JSON": 5,
    "bad gzip": 5,
    "HTML": 3,
    "stall": 1,
}
STYLES = {
    "one": "{style: one, total: $.total}",
    "page_number": "{style: page_number, size: 10, size_param: per_page}",
    "page_number_total": "{style: page_number, size: 10, size_param: per_page, total: $.total}",
    "offset": "{style: offset, size: 10, size_param: limit}",
    "offset_total": "{style: offset, size: 10, size_param: limit, total: $.total}",
    "cursor": "{style: cursor, param: after, next: $.next}",
    "cursor_header": "{style: cursor_header, param: after, header: X-Next}",
    "link_header": "{style: link_header}",
    "next_url": "{style: next_url, next: $.next, total: $.total}",
}
CAP = 7
TOKEN_USES = 15
Headers = dict[str, str]


class HostileApi:
    """Records are numbers from 1 to `size`; `broken` are paths that answer 500 from page 3 on."""

    def __init__(self, seed: int, size: int = 60, *, faults: bool = True) -> None:
        self.chance = random.Random(seed)
        self.size = size
        self.faults = faults
        self.broken: set[str] = set()
        self.refused = ""
        self.served: Counter[str] = Counter()
        self.asked: list[str] = []
        self.too_early: list[str] = []
        self.lock = threading.Lock()
        self.url = ""
        self._deck: list[str] = []
        self._not_before: dict[str, float] = {}
        self._tokens = 0
        self._uses = 0

    def token(self, form: dict[str, list[str]]) -> tuple[int, dict[str, object]]:
        """A refresh token is good for one use."""
        if form.get("refresh_token") != [f"refresh-{self._tokens}"]:
            return 400, {"error": "invalid_grant"}
        self._tokens, self._uses = self._tokens + 1, 0
        number = self._tokens
        return 200, {"access_token": f"token-{number}", "refresh_token": f"refresh-{number}"}

    def takes(self, authorization: str) -> bool:
        self._uses += 1
        return authorization == f"Bearer token-{self._tokens}" and self._uses <= TOKEN_USES

    def next_fault(self) -> str:
        """From a deck that is shuffled anew when it is used up, so each comes as often as said."""
        if not self.faults:
            return "none"
        if not self._deck:
            rest = ["none"] * (100 - sum(FAULTS.values()))
            self._deck = [fault for fault, count in FAULTS.items() for _ in range(count)] + rest
            self.chance.shuffle(self._deck)
        return self._deck.pop()

    def retry_after(self, target: str) -> str:
        """In one of the two forms, and remembered."""
        if self.chance.random() < 0.5:
            self._not_before[target] = time.time() + 1
            return "1"
        moment = ceil(time.time() + 1)
        self._not_before[target] = moment
        return formatdate(moment, usegmt=True)

    def note(self, target: str) -> None:
        self.asked.append(target)
        if time.time() < self._not_before.get(target, 0):
            self.too_early.append(target)

    def page(self, style: str, query: dict[str, str]) -> tuple[int, object, Headers]:
        """Number, body and headers of the page that is asked for."""
        if style == "one":
            return 1, {"data": records(range(1, self.size + 1)), "total": self.size}, {}
        pages = self.pages()
        if style.startswith("offset"):
            start = int(query["offset"])
            # Positions, of which one in each page holds the record of the page before.
            positions = [number for page in pages for number in [*page, *[0] * (CAP - len(page))]]
            found = [number for number in positions[start : start + CAP] if number]
            return start // CAP + 1, {"data": records(found), "total": self.size}, {}
        number = int(query.get("page") or query.get("after", "p1").removeprefix("p"))
        found = pages[number - 1] if number <= len(pages) else []
        more = number < len(pages)
        body: dict[str, object] = {"data": records(found), "total": self.size}
        if style == "cursor":
            body["next"] = f"p{number + 1}" if more else None
        if style == "next_url":
            body["next"] = f"/next_url?page={number + 1}" if more else None
        headers: Headers = {}
        if style == "cursor_header" and more:
            headers["X-Next"] = f"p{number + 1}"
        if style == "link_header" and more:
            headers["Link"] = f'<{self.url}/link_header?page={number + 1}>; rel="next"'
        return number, body, headers

    def pages(self) -> list[list[int]]:
        starts = range(1, self.size, CAP - 1)
        pages = [list(range(start, min(start + CAP, self.size + 1))) for start in starts]
        return [*pages[:3], [], *pages[3:]]


def records(numbers: object) -> list[dict[str, object]]:
    return [
        {"id": number, "name": f"thing {number}", "at": f"2026-01-{number % 28 + 1:02}T00:00:00Z"}
        for number in numbers  # type: ignore[attr-defined]
    ]


@contextmanager
def serve(api: HostileApi) -> Iterator[HostileApi]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(api))
    server.daemon_threads = True
    api.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(api: HostileApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def do_POST(self) -> None:
            form = self.rfile.read(int(self.headers["Content-Length"])).decode()
            with api.lock:
                status, answer = api.token(parse_qs(form))
            self._send(status, json.dumps({"expires_in": 3600, **answer}).encode())

        def do_GET(self) -> None:
            target = urlsplit(self.path)
            style = target.path.strip("/")
            query = {name: values[0] for name, values in parse_qs(target.query).items()}
            with api.lock:
                api.note(self.path)
                fault = "401" if not api.takes(self.headers["Authorization"]) else api.next_fault()
                fault = api.refused or fault
                number, body, headers = api.page(style, query)
                if style in api.broken and number >= 3:
                    fault = "500"
                api.served[fault] += 1
                if fault in ("429", "503"):
                    headers = {"Retry-After": api.retry_after(self.path)}
            self._answer(fault, json.dumps(body).encode(), headers)

        def _answer(self, fault: str, body: bytes, headers: Headers) -> None:
            if re.fullmatch("[0-9]+", fault):
                self._send(int(fault), b"", headers)
            elif fault == "reset":
                self.close_connection = True
            elif fault == "stall":
                self.close_connection = True
                with suppress(OSError):
                    self.rfile.read(1)
            elif fault == "truncation":
                self.close_connection = True
                self._send(200, body[:-9], {**headers, "Content-Length": str(len(body))})
            elif fault == "bad JSON":
                self._send(200, body[:-9], headers)
            elif fault == "bad gzip":
                packed = gzip.compress(body)[:-9]
                self._send(200, packed, {**headers, "Content-Encoding": "gzip"})
            elif fault == "HTML":
                self._send(200, b"<html>Sorry</html>", {**headers, "Content-Type": "text/html"})
            elif api.chance.random() < 0.5:
                packed = gzip.compress(body)
                self._send(200, packed, {**headers, "Content-Encoding": "gzip"})
            else:
                self._send(200, body, headers)

        def _send(self, status: int, body: bytes, headers: Headers | None = None) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: a test's output is its own."""

    return Handler
