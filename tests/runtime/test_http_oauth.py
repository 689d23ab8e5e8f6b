"""Tokens from a real token endpoint: kept, renewed, replaced, and never shown or lost."""

import base64
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from sqlalchemy import event, text

from runtime.api_tokens import TokenTable
from runtime.connect import Destination
from runtime.endpoints import Endpoint
from runtime.errors import ConfigError, PipelineError, RetryableError
from runtime.fake_api import FakeApi, serve
from runtime.http_oauth import ClientCredentials, OAuth, RefreshToken
from runtime.pages import Offset
from runtime.resource import Window

CANARY = "S3cr3t-canary"


@dataclass
class Login:
    """A token endpoint: access tokens a1, a2, …; each refresh token is good for one use."""

    rotates: bool = True
    expires_in: int = 3600
    answers: list[tuple[int, bytes, dict[str, str]]] = field(default_factory=list)
    asked: list[tuple[float, dict[str, str]]] = field(default_factory=list)
    refresh_token: str = f"{CANARY}-0"
    url: str = ""

    def answer(self, form: dict[str, str], user: str) -> tuple[int, bytes, dict[str, str]]:
        self.asked.append((monotonic(), form))
        if self.answers:
            return self.answers.pop(0)
        if user != f"me:{CANARY}":
            return 401, CANARY.encode(), {}
        token: dict[str, Any] = {
            "access_token": f"a{len(self.asked)}",
            "expires_in": self.expires_in,
        }
        if form["grant_type"] == "refresh_token":
            if form["refresh_token"] != self.refresh_token:
                return 400, b'{"error": "invalid_grant"}', {}
            if self.rotates:
                # What CSV and COPY treat as special is legal in a token.
                self.refresh_token = f'{CANARY}-",\\\\.{len(self.asked)}'
                token["refresh_token"] = self.refresh_token
        return 200, json.dumps(token).encode(), {}


@contextmanager
def listening(login: Login) -> Iterator[Login]:
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
            user = base64.b64decode(self.headers["Authorization"].removeprefix("Basic ")).decode()
            with lock:
                status, body, headers = login.answer(form, user)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    login.url = f"http://127.0.0.1:{server.server_address[1]}/token"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield login
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def login() -> Iterator[Login]:
    with listening(Login()) as login:
        yield login


def signed(auth: OAuth) -> str:
    request = httpx.Request("GET", "https://h/")
    auth.sign(request)
    return str(request.headers["Authorization"])


def refused(auth: OAuth, token: str) -> bool:
    return auth.renew(httpx.Request("GET", "https://h/", headers={"Authorization": token}))


def client_credentials(login: Login) -> ClientCredentials:
    return ClientCredentials(login.url, "me", CANARY)


def refresh(login: Login, destination: Destination, first: str = f"{CANARY}-0") -> RefreshToken:
    """As a run makes it that begins."""
    tokens = TokenTable(lambda: destination, "erp")
    return RefreshToken(login.url, "me", CANARY, first=first, tokens=tokens)


def test_a_token_is_kept_and_renewed_once_when_it_is_refused(login: Login) -> None:
    one = Endpoint("/things", ["id"], records="$.data[*]", pages=Offset())
    records = [json.dumps({"id": number}) for number in range(6)]
    auth = client_credentials(login)
    with (
        serve(FakeApi(one, records, faults=["", "", "401"])) as fake,
        fake.client(auth=auth) as api,
    ):
        (part,) = one.partitions(api, Window())
        assert sum(len(batch) for batch in one.read(api, part)) == 6
    sent = [request.headers["Authorization"] for request in fake.seen]
    assert sent == ["Bearer a1"] * 3 + ["Bearer a2"] * 3
    assert CANARY not in repr(auth)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, CANARY.encode(), ConfigError),
        (400, CANARY.encode(), ConfigError),
        (503, CANARY.encode(), RetryableError),
        (200, f'{{"token": "{CANARY}"}}'.encode(), RetryableError),
        (200, b'{"access_token": ""}', RetryableError),
        (200, f'{{"access_token": "{CANARY}", "expires_in": -1}}'.encode(), RetryableError),
        (200, f'{{"access_token": "{CANARY}\\r\\nX-Evil: 1"}}'.encode(), ConfigError),
    ],
)
def test_a_token_that_is_not_given(
    login: Login, status: int, body: bytes, kind: type[PipelineError]
) -> None:
    login.answers = [(status, body, {})]
    with pytest.raises(kind, match="token") as refusal:
        signed(client_credentials(login))
    assert CANARY not in str(refusal.value)
    assert CANARY not in str(refusal.getrepr(style="short", showlocals=False))


def test_a_token_endpoint_is_not_asked_again_before_it_says_so(
    login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "runtime.http.wait_random_exponential", lambda *_, **__: lambda state: 0.001
    )
    login.answers = [(429, b"", {"Retry-After": "1"})]
    one = Endpoint("/things", ["id"], records="$.data[*]")
    with (
        serve(FakeApi(one, ['{"id": 1}'])) as fake,
        fake.client(auth=client_credentials(login)) as api,
    ):
        (part,) = one.partitions(api, Window())
        assert sum(len(batch) for batch in one.read(api, part)) == 1
    (first, _), (second, _) = login.asked
    assert second - first >= 1


def test_a_refresh_token_is_replaced_and_the_next_run_goes_on_from_it(
    login: Login, destination: Destination
) -> None:
    assert signed(refresh(login, destination)) == "Bearer a1"
    later = refresh(login, destination)
    assert signed(later) == "Bearer a1", "still good, so nobody is asked"
    refused(later, "Bearer a1")
    assert signed(later) == "Bearer a2"
    assert signed(refresh(login, destination)) == "Bearer a2"


def test_one_that_is_not_replaced_stays(destination: Destination) -> None:
    with listening(Login(rotates=False, expires_in=0)) as login:
        assert [signed(refresh(login, destination)) for _ in range(3)] == [
            "Bearer a1",
            "Bearer a2",
            "Bearer a3",
        ]


def test_a_new_first_token_replaces_what_is_kept(login: Login, destination: Destination) -> None:
    signed(refresh(login, destination))
    login.refresh_token = f"{CANARY}-anew"
    refused_run = refresh(login, destination)
    refused(refused_run, signed(refused_run))
    with pytest.raises(ConfigError, match="Sign in again") as refusal:
        signed(refused_run)
    assert CANARY not in str(refusal.getrepr(style="short", showlocals=False))
    assert signed(refresh(login, destination, f"{CANARY}-anew")) == "Bearer a3"


def test_the_new_token_is_kept_before_the_first_request_that_uses_it(
    login: Login, destination: Destination
) -> None:
    signed(refresh(login, destination))
    with destination.engine.connect() as connection:
        kept = connection.execute(text("SELECT refresh_token FROM etl_shop.api_tokens"))
        assert kept.scalars().all() == [login.refresh_token]


def test_many_runs_at_once_lose_no_token(login: Login, destination: Destination) -> None:
    login.expires_in = 0
    with ThreadPoolExecutor(8) as pool:
        runs = [pool.submit(signed, refresh(login, destination)) for _ in range(24)]
    assert len({run.result() for run in runs}) == 24
    assert signed(refresh(login, destination)) == "Bearer a25"


def test_how_long_a_token_lives_may_be_text(login: Login, destination: Destination) -> None:
    answer = b'{"access_token": "one", "expires_in": "3600", "refresh_token": "next"}'
    login.answers = [(200, answer, {})]
    assert [signed(refresh(login, destination)) for _ in range(2)] == ["Bearer one"] * 2


def test_an_answer_without_a_token_keeps_the_old_one(
    login: Login, destination: Destination
) -> None:
    login.answers = [(500, b"", {}), (200, b"<html>", {})]
    for _ in range(2):
        with pytest.raises(RetryableError):
            signed(refresh(login, destination))
    assert signed(refresh(login, destination)) == "Bearer a3"


def test_no_statement_and_no_repr_has_a_token(login: Login, destination: Destination) -> None:
    said: list[str] = []

    def note(_: Any, __: Any, statement: str, parameters: object, *___: Any) -> None:
        said.append(f"{statement} {parameters}")

    event.listen(destination.engine, "before_cursor_execute", note)
    auth = refresh(login, destination)
    signed(auth)
    assert said
    assert CANARY not in f"{said} {auth!r} {auth.tokens!r}"
