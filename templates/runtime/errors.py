"""What can go wrong, by what the caller should do about it.

    PipelineError
    ├── RetryableError      wait and try again: network, lock timeout, deadlock
    │   └── BusyError       another run is loading this resource right now
    └── FatalError          trying again changes nothing: somebody must act
        ├── ConfigError     a setting is missing or wrong
        ├── ContractError   the source or the target is not shaped as the code says
        └── OvertakenError  a newer attempt took over; this one must not go on

A bad row is not an exception: it is recorded in `Problems` and goes to quarantine.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
from sqlalchemy.exc import DBAPIError


class PipelineError(Exception):
    """An error with a message for people and, where there is one, a hint what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message}\n  {self.hint}" if self.hint else message


class RetryableError(PipelineError):
    """Trying again later may succeed."""


class FatalError(PipelineError):
    """Trying again will fail again."""


class ConfigError(FatalError):
    """A setting is missing or wrong."""


class ContractError(FatalError):
    """The source or the target is not shaped as the code says."""


class BusyError(RetryableError):
    """Another run is loading this resource right now."""


class OvertakenError(FatalError):
    """A newer attempt has taken over."""


# https://www.postgresql.org/docs/current/errcodes-appendix.html
RETRYABLE_CLASSES = ("08", "40", "53", "57")
RETRYABLE_STATES = ("55P03", "55006")
# Disk full; cancelled by statement_timeout or an operator.
NEVER_RETRIED = ("53100", "57014")
CONNECTION_TROUBLE = re.compile(
    r"could not connect|connection refused|server closed the connection|timeout expired"
    r"|timed out|could not translate host|too many clients|starting up|shutting down"
    r"|connection reset|broken pipe|SSL SYSCALL|connection (?:is |already )?closed"
    r"|closed unexpectedly"
    r"|connection not open|no connection to the server|could not (?:send|receive) data",
    re.IGNORECASE,
)


def from_server(error: BaseException) -> psycopg2.Error | None:
    """The driver's error, also behind SQLAlchemy's; None if PostgreSQL had no part."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    return origin if isinstance(origin, psycopg2.Error) else None


def sqlstate(error: BaseException) -> str:
    """The five characters of PostgreSQL's error code, '' where there is none."""
    origin = from_server(error)
    return (origin.pgcode or "") if origin else ""


def is_data_error(error: BaseException) -> bool:
    """Whether the server refused a value (classes 22 and 23)."""
    return sqlstate(error).startswith(("22", "23"))


def is_retryable(error: BaseException) -> bool:
    """Whether the same call may succeed later."""
    if isinstance(error, PipelineError):
        return isinstance(error, RetryableError)
    origin = from_server(error)
    if origin is None:
        return isinstance(error, (ConnectionError, TimeoutError))
    state = sqlstate(origin)
    if state:
        retryable = state.startswith(RETRYABLE_CLASSES) or state in RETRYABLE_STATES
        return retryable and state not in NEVER_RETRIED
    return bool(CONNECTION_TROUBLE.search(str(origin)))


SECRET_IN_URL = re.compile(r"(?<=://)([^/\s:@]*):([^/\s]*)@")


def explain(error: BaseException) -> str:
    """An error as text for people and logs: no SQL, no parameters, no password."""
    origin = from_server(error)
    if isinstance(error, PipelineError):
        return SECRET_IN_URL.sub(r"\1:***@", str(error))
    if origin is None:
        said = f": {error}" if str(error) else ""
        message = f"{type(error).__name__}{said}{_place(error)}"
        return SECRET_IN_URL.sub(r"\1:***@", message)
    message = origin.diag.message_primary or str(origin).strip()
    state = f" ({origin.pgcode})" if origin.pgcode else ""
    return SECRET_IN_URL.sub(r"\1:***@", f"PostgreSQL: {message}{state}")


@contextmanager
def judged() -> Iterator[None]:
    """Raise as `FatalError` what the server will refuse again, for schedulers to see."""
    try:
        yield
    except (DBAPIError, psycopg2.Error) as error:
        if is_retryable(error):
            raise
        raise FatalError(explain(error)) from error


def _place(error: BaseException) -> str:
    """Where in the project's own code it happened, not in what the runtime called."""
    runtime = Path(__file__).parent
    frames = traceback.extract_tb(error.__traceback__)
    own = [
        frame
        for frame in frames
        if runtime.parent in Path(frame.filename).parents
        and runtime not in Path(frame.filename).parents
    ]
    return f" ({Path(own[-1].filename).name}:{own[-1].lineno})" if own else ""
