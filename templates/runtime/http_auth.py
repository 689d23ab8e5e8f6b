"""How a request says who asks. No secret stands in a repr or in a message."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Literal

import httpx

from .errors import ConfigError


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
        require_one_line("token", self.token)

    def sign(self, request: httpx.Request) -> None:
        request.headers["Authorization"] = f"Bearer {self.token}"


@dataclass(frozen=True)
class ApiKey(Auth):
    """A key in a header, or in the query, of that name."""

    name: str
    key: str = field(repr=False)
    place: Literal["header", "query"] = "header"

    def __post_init__(self) -> None:
        require_one_line("key", self.key)

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


def require_one_line(what: str, secret: str) -> None:
    """Raise `ConfigError`, without the secret, for one that no header can hold."""
    if not secret.isascii() or not secret.isprintable() or secret != secret.strip():
        raise ConfigError(f"the {what} is not one line of ASCII text without blanks")
