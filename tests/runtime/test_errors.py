"""Which errors are worth a second try, and what people read of them."""

import subprocess
import sys
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError

from runtime import errors
from runtime.errors import (
    BusyError,
    ConfigError,
    ContractError,
    FatalError,
    OvertakenError,
    PipelineError,
    RetryableError,
    explain,
    from_server,
    is_data_error,
    is_retryable,
    judged,
    sqlstate,
)

PASSWORD = "pass" + "word-1"


class Refusal(psycopg2.Error):
    """A driver's error with a state, which psycopg2 itself makes only from a server's answer."""

    pgcode: str | None = None  # type: ignore[assignment]

    def __init__(self, state: str | None, message: str = "refused") -> None:
        super().__init__(message)
        self.pgcode = state


def wrapped(error: psycopg2.Error) -> DBAPIError:
    return DBAPIError(f"SELECT '{PASSWORD}'", {"secret": PASSWORD}, error)


@pytest.mark.parametrize("state", ["08006", "40001", "40P01", "53300", "57P01", "55P03", "55006"])
def test_states_that_pass_are_tried_again(state: str) -> None:
    assert is_retryable(Refusal(state))
    assert is_retryable(wrapped(Refusal(state)))


@pytest.mark.parametrize("state", ["53100", "57014", "42601", "42501", "23505", "22003", "28P01"])
def test_states_that_stay_are_not(state: str) -> None:
    assert not is_retryable(Refusal(state))
    assert not is_retryable(wrapped(Refusal(state)))


@pytest.mark.parametrize(
    "message",
    [
        'could not connect to server: Connection refused\n\tIs the server running on host "x"',
        "server closed the connection unexpectedly",
        'could not translate host name "db" to address: Name or service not known',
        "FATAL:  sorry, too many clients already",
        "FATAL:  the database system is starting up",
        "SSL SYSCALL error: EOF detected",
    ],
)
def test_connections_that_fail_without_a_state_are_tried_again(message: str) -> None:
    assert is_retryable(Refusal(None, message))


def test_a_wrong_password_is_not_tried_again() -> None:
    assert not is_retryable(Refusal(None, 'FATAL:  password authentication failed for user "x"'))


@pytest.mark.parametrize(
    ("error", "worth"),
    [
        (RetryableError("wait"), True),
        (ConnectionResetError(), True),
        (TimeoutError(), True),
        (ContractError("shape"), False),
        (BusyError("busy"), True),
        (OvertakenError("late"), False),
        (ConfigError("unset"), False),
        (ValueError("bug"), False),
        (KeyboardInterrupt(), False),
    ],
)
def test_our_own_errors_and_pythons(error: BaseException, worth: bool) -> None:
    assert is_retryable(error) is worth


def test_refused_values_are_told_from_other_refusals() -> None:
    assert is_data_error(wrapped(Refusal("22003")))
    assert is_data_error(Refusal("23502"))
    assert not is_data_error(Refusal("42P01"))
    assert not is_data_error(ValueError())
    assert (sqlstate(Refusal("22003")), sqlstate(ValueError())) == ("22003", "")
    assert from_server(ValueError()) is None


def test_an_error_reads_as_its_message_and_its_hint() -> None:
    assert str(ConfigError("unset", "Add it to .env.")) == "unset\n  Add it to .env."
    assert str(ConfigError("unset")) == "unset"
    assert issubclass(FatalError, PipelineError)
    assert not issubclass(RetryableError, FatalError)


def test_what_people_read_has_neither_statement_nor_parameters() -> None:
    found = explain(wrapped(Refusal("22003", "out of range")))
    assert "out of range" in found
    assert "22003" in found
    assert PASSWORD not in found
    assert "SELECT" not in found


@pytest.mark.parametrize("end", ["@db/shop", "@db:5432/shop?sslmode=require refused", "@[::1]/x"])
def test_passwords_in_urls_are_covered(end: str) -> None:
    found = explain(ValueError(f"can't reach postgresql+psycopg2://loader:{PASSWORD}{end}"))
    assert PASSWORD not in found
    assert "://loader:***@" in found
    odd = explain(ValueError(f"can't reach postgresql://loader:a@b:{PASSWORD}{end}"))
    assert PASSWORD not in odd


def test_an_error_without_a_message_goes_by_its_name() -> None:
    assert explain(KeyboardInterrupt()) == "KeyboardInterrupt"


def test_a_server_that_is_not_there() -> None:
    engine = create_engine(f"postgresql+psycopg2://loader:{PASSWORD}@127.0.0.1:1/shop")
    with pytest.raises(OperationalError) as failure, engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    assert is_retryable(failure.value)
    assert explain(failure.value).startswith("PostgreSQL: connection to server")
    assert PASSWORD not in explain(failure.value)


def test_schedulers_see_what_the_server_will_refuse_again() -> None:
    with pytest.raises(DBAPIError), judged():
        raise wrapped(Refusal("40001"))
    with pytest.raises(FatalError, match="42501"), judged():
        raise wrapped(Refusal("42501"))
    with pytest.raises(FatalError), judged():
        raise Refusal("42501")
    with pytest.raises(KeyError), judged():
        raise KeyError("a bug, which another try may not meet")


def test_a_bug_of_the_team_is_named_with_its_place(tmp_path: Path) -> None:
    package = tmp_path / "shop"
    (package / "runtime").mkdir(parents=True)
    (package / "runtime" / "errors.py").write_text(Path(errors.__file__).read_text())
    (package / "orders.py").write_text("def transform(rows):\n    return rows['emial']\n")
    script = (
        "from shop.orders import transform; from shop.runtime.errors import explain\n"
        "try:\n    transform({})\nexcept KeyError as error:\n    print(explain(error))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "KeyError: 'emial' (orders.py:2)\n"
