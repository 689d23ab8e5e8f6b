"""How a request says who asks. No secret stands in a repr or in a message."""

from __future__ import annotations

import base64
import threading
import time
from dataclasses import dataclass, field
from typing import Literal

import httpx
import msgspec

from .errors import ConfigError, RetryableError

EXPIRES_EARLY = 30.0
"""Seconds before a token's end at which it is not used any more."""
TOKEN_SECONDS = 300.0
"""How long a token is taken to live whose server does not say."""
TOKEN_TIMEOUT = 30.0


class Auth:
    """None: the API is open."""

    def sign(self, request: httpx.Request) -> None:
        """Add to the request what the server wants to see."""

    def renew(self, refused: httpx.Request) -> bool:
        """After a 401: whether signing the request anew may help."""
        return False


@dataclass(frozen=True)
class Bearer(Auth):
    """`Authorization: Bearer …`."""

    token: str = field(repr=False)

    def __post_init__(self) -> None:
        _require_one_line("token", self.token)

    def sign(self, request: httpx.Request) -> None:
        request.headers["Authorization"] = f"Bearer {self.token}"


@dataclass(frozen=True)
class ApiKey(Auth):
    """A key in a header, or in the query, of that name."""

    name: str
    key: str = field(repr=False)
    place: Literal["header", "query"] = "header"

    def __post_init__(self) -> None:
        _require_one_line("key", self.key)

    def sign(self, request: httpx.Request) -> None:
        if self.place == "header":
            request.headers[self.name] = self.key
        else:
            request.url = request.url.copy_set_param(self.name, self.key)


@dataclass(frozen=True)
class Basic(Auth):
    """User and password."""

    user: str
    password: str = field(repr=False)

    def sign(self, request: httpx.Request) -> None:
        pair = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        request.headers["Authorization"] = f"Basic {pair}"


class Token(msgspec.Struct):
    """What a token endpoint answers (RFC 6749, 5.1)."""

    access_token: str
    expires_in: float = TOKEN_SECONDS


@dataclass
class ClientCredentials(Auth):
    """OAuth 2: a token for client id and secret, kept until shortly before it expires."""

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str = ""
    _token: str = field(default="", init=False, repr=False)
    _good_until: float = field(default=0.0, init=False, repr=False)
    _lock: threading.Lock = field(
        default_factory=threading.Lock, init=False, repr=False
    )

    def __post_init__(self) -> None:
        if not self.token_url.startswith(("http://", "https://")):
            raise ConfigError("the token URL has to begin with https:// or http://")

    def sign(self, request: httpx.Request) -> None:
        with self._lock:
            if time.monotonic() >= self._good_until:
                self._fetch()
            request.headers["Authorization"] = f"Bearer {self._token}"

    def renew(self, refused: httpx.Request) -> bool:
        with self._lock:
            if refused.headers.get("Authorization") == f"Bearer {self._token}":
                self._good_until = 0.0
        return True

    def _fetch(self) -> None:
        form = {"grant_type": "client_credentials"}
        if self.scope:
            form["scope"] = self.scope
        # What goes wrong may quote the secret: nothing of it goes on.
        try:
            answer = httpx.post(
                self.token_url,
                data=form,
                auth=(self.client_id, self.client_secret),
                timeout=TOKEN_TIMEOUT,
            )
        except httpx.HTTPError as error:
            raise RetryableError(
                f"the token endpoint: {type(error).__name__}"
            ) from None
        if answer.status_code == 429 or answer.status_code >= 500:
            raise RetryableError(f"the token endpoint answers {answer.status_code}")
        if answer.status_code != 200:
            raise ConfigError(
                f"the token endpoint answers {answer.status_code}",
                "Check client id, client secret and scope.",
            )
        try:
            token = msgspec.json.decode(answer.content, type=Token)
            _require_one_line("token", token.access_token)
        except msgspec.DecodeError:
            raise RetryableError("the token endpoint gives no token") from None
        self._token = token.access_token
        lifetime = max(token.expires_in - EXPIRES_EARLY, token.expires_in / 2)
        self._good_until = time.monotonic() + lifetime


def _require_one_line(what: str, secret: str) -> None:
    if not secret.isascii() or not secret.isprintable() or secret != secret.strip():
        raise ConfigError(f"the {what} is not one line of ASCII text without blanks")
