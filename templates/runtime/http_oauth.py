"""OAuth 2: tokens that a server gives for a time (RFC 6749). No secret stands in a message."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import httpx
import msgspec

from .api_tokens import TokenTable
from .errors import ConfigError, RetryableError
from .http_again import AgainError, retry_after
from .http_auth import Auth, require_one_line

EXPIRES_EARLY = 30.0
"""Seconds before a token's end at which it is not used any more."""
TOKEN_SECONDS = 300.0
"""How long a token is taken to live whose server does not say."""
MOST_SECONDS = 10 * 366 * 86_400.0
TOKEN_TIMEOUT = 20.0


class Token(msgspec.Struct):
    """What a token endpoint answers (RFC 6749, 5.1)."""

    access_token: str
    expires_in: float = TOKEN_SECONDS
    refresh_token: str = ""

    @property
    def lifetime(self) -> float:
        """For how many seconds it is used."""
        return max(self.expires_in - EXPIRES_EARLY, self.expires_in / 2)


@dataclass
class OAuth(Auth):
    """Signs with a token for client id and secret, kept until shortly before it expires."""

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str = field(default="", kw_only=True)
    _token: str = field(default="", init=False, repr=False)
    _good_until: float = field(default=0.0, init=False, repr=False)
    _lock: threading.Lock = field(
        default_factory=threading.Lock, init=False, repr=False
    )
    hint = "Check client id, client secret and scope."

    def __post_init__(self) -> None:
        if not self.token_url.startswith(("http://", "https://")):
            raise ConfigError("the token URL has to begin with https:// or http://")

    def sign(self, request: httpx.Request) -> None:
        with self._lock:
            if time.monotonic() >= self._good_until:
                self._token, seconds = self._fetch(refused=self._token)
                self._good_until = time.monotonic() + seconds
            request.headers["Authorization"] = f"Bearer {self._token}"

    def renew(self, refused: httpx.Request) -> bool:
        with self._lock:
            if refused.headers.get("Authorization") == f"Bearer {self._token}":
                self._good_until = 0.0
        return True

    def _fetch(self, refused: str) -> tuple[str, float]:
        """A token that is not the one `refused`, and for how many seconds it is good."""
        raise NotImplementedError

    def _ask(self, form: dict[str, str]) -> Token:
        if self.scope:
            form = {**form, "scope": self.scope}
        # What goes wrong may quote a secret: nothing of it goes on.
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
        message = f"the token endpoint answers {answer.status_code}"
        if answer.status_code == 429 or answer.status_code >= 500:
            raise AgainError(message, retry_after(answer.headers))
        if answer.status_code != 200:
            raise ConfigError(message, self.hint)
        try:
            token = msgspec.json.decode(answer.content, type=Token, strict=False)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise RetryableError("the token endpoint gives no token") from None
        if not token.access_token or not 0 <= token.expires_in < MOST_SECONDS:
            raise RetryableError("the token endpoint gives no token that can be used")
        require_one_line("token", token.access_token)
        require_one_line("refresh token", token.refresh_token)
        return token


class ClientCredentials(OAuth):
    """A token for client id and secret alone."""

    def _fetch(self, refused: str) -> tuple[str, float]:
        token = self._ask({"grant_type": "client_credentials"})
        return token.access_token, token.lifetime


@dataclass
class RefreshToken(OAuth):
    """A token for a refresh token, which the server may replace with each use.

    `first` is the one that a person was given; those that follow are kept in `tokens`, and shared by
    all runs. Another `first` is what goes on from there.
    """

    first: str = field(repr=False)
    tokens: TokenTable = field(repr=False)
    hint = "Sign in again, and set the new refresh token in the environment."

    def __post_init__(self) -> None:
        super().__post_init__()
        require_one_line("refresh token", self.first)

    def _fetch(self, refused: str) -> tuple[str, float]:
        with self.tokens.locked(self.first) as kept:
            if kept.seconds <= 0 or kept.access_token in ("", refused):
                form = {
                    "grant_type": "refresh_token",
                    "refresh_token": kept.refresh_token,
                }
                token = self._ask(form)
                kept.refresh_token = token.refresh_token or kept.refresh_token
                kept.access_token, kept.seconds = token.access_token, token.lifetime
        return kept.access_token, kept.seconds
