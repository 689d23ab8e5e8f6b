"""When a server may be asked again."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from .errors import RetryableError


class AgainError(RetryableError):
    """A request may succeed later, and not before `seconds`."""

    def __init__(self, message: str, seconds: float = 0.0) -> None:
        super().__init__(message)
        self.seconds = seconds


def retry_after(headers: httpx.Headers) -> float:
    """Seconds, which stand there as such or as the date until which to wait (RFC 9110)."""
    value = headers.get("Retry-After", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    # A date has whole seconds, and the two clocks differ.
    return max(0.0, (zoned - datetime.now(UTC)).total_seconds() + 1)
