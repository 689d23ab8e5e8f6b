"""The embedded PostgreSQL: one server per folder, whatever happens to the processes that use it."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, text

from runtime import embedded
from runtime.errors import ConfigError, FatalError

pytestmark = pytest.mark.slow

ROOT = os.geteuid() == 0
TEMPLATES = Path(embedded.__file__).parents[1]
USE = """
import signal, sys
from pathlib import Path
from runtime import embedded
{before}
print(embedded.start(Path(sys.argv[1])), flush=True)
{after}
sys.stdin.read()
"""

Process = subprocess.Popen[str]
User = Callable[..., Process]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that is there already, which saves a second per test."""
    data = tmp_path_factory.mktemp("embedded") / "postgres"
    with_server(data, "SELECT 1")
    return data


@pytest.fixture
def data(folder: Path) -> Iterator[Path]:
    """The same folder, with no server running before and after the test."""
    yield folder
    embedded.stop(folder)


@pytest.fixture
def use() -> Iterator[User]:
    """Start a process that uses the server of a folder until its input ends."""
    processes = []

    def start(data: Path, before: str = "", after: str = "", **options: object) -> Process:
        process = subprocess.Popen(
            [sys.executable, "-c", USE.format(before=before, after=after), str(data)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **{"env": {"PYTHONPATH": str(TEMPLATES)}} | options,  # type: ignore[call-overload]
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        with process:
            process.kill()


def url_of(process: Process) -> str:
    """What `start` gave, once it did."""
    assert process.stdout is not None
    if url := process.stdout.readline().strip():
        return url
    raise AssertionError(process.communicate()[1])


def end(process: Process) -> None:
    """Let the process end of its own accord."""
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors


def ask(url: str, sql: str) -> str:
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        result = connection.execute(text(sql))
        return str(result.scalar()) if result.returns_rows else ""


def with_server(data: Path, sql: str) -> str:
    try:
        return ask(embedded.start(data), sql)
    finally:
        embedded.stop(data)


def server_pid(data: Path) -> int:
    return int((data / "postmaster.pid").read_text().split()[0])


def test_rows_outlive_the_server(data: Path) -> None:
    with_server(data, "CREATE TABLE kept AS SELECT 7 AS n")
    assert not embedded.running(data)

    assert with_server(data, "SELECT n FROM kept") == "7"


def test_stop_says_whether_there_was_a_server(data: Path) -> None:
    assert not embedded.stop(data)
    embedded.start(data)

    assert embedded.running(data)
    assert embedded.stop(data)
    assert not embedded.running(data)


def test_a_folder_without_a_server_is_left_alone(tmp_path: Path) -> None:
    assert not embedded.running(tmp_path / "absent" / "postgres")
    assert not embedded.stop(tmp_path / "absent" / "postgres")
    assert list(tmp_path.iterdir()) == []


def test_only_this_user_reaches_the_server_and_over_no_network(data: Path) -> None:
    url = embedded.start(data)

    assert ask(url, "SHOW listen_addresses") == ""
    assert (data / ".s.PGSQL.5432").stat().st_mode & 0o777 == 0o700


def test_queries_give_the_same_on_every_machine(data: Path, use: User) -> None:
    elsewhere = {"PYTHONPATH": str(TEMPLATES), "TZ": "Asia/Kolkata", "LC_ALL": "xx_XX.nonsense"}
    url = url_of(use(data, env=elsewhere))

    assert ask(url, "SHOW timezone") == "UTC"
    assert ask(url, "SHOW server_encoding") == "UTF8"
    assert ask(
        url, "SELECT string_agg(x, '' ORDER BY x) FROM unnest(array['b','B','a','É']) x"
    ) == ("BabÉ")


def test_two_processes_at_once_make_and_share_one_server(tmp_path: Path, use: User) -> None:
    data = tmp_path / "new" / "postgres"
    first, second = use(data), use(data)
    assert url_of(first) == url_of(second)
    server = server_pid(data)

    end(first)
    assert embedded.running(data)
    assert server_pid(data) == server

    end(second)
    assert not embedded.running(data)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_server_left_by_a_killed_process_stops_with_the_next_one(
    data: Path, use: User, how: signal.Signals
) -> None:
    killed = use(data)
    url_of(killed)
    server = server_pid(data)
    killed.send_signal(how)
    killed.wait()
    assert embedded.running(data)

    following = use(data)
    url_of(following)
    assert server_pid(data) == server
    end(following)
    assert not embedded.running(data)


def test_a_process_that_exits_on_sigterm_stops_the_server(data: Path, use: User) -> None:
    process = use(data, before="signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))")
    url_of(process)

    process.terminate()
    assert process.wait(timeout=30) == 143
    assert not embedded.running(data)


def test_stop_does_not_wait_for_users_who_then_end_in_peace(data: Path, use: User) -> None:
    user = use(data)
    url_of(user)

    assert embedded.stop(data)
    end(user)


def test_a_fork_that_ends_leaves_the_server_to_its_parent(data: Path, use: User) -> None:
    process = use(
        data, after="import os\nif os.fork() == 0: sys.exit()\nos.wait(); print(flush=True)"
    )
    url_of(process)
    assert process.stdout is not None
    process.stdout.readline()  # the fork has ended

    assert embedded.running(data)
    end(process)
    assert not embedded.running(data)


def test_a_server_that_was_killed_is_started_again(data: Path) -> None:
    with_server(data, "CREATE TABLE survived AS SELECT 1 AS n")
    embedded.start(data)
    os.kill(server_pid(data), signal.SIGKILL)
    while embedded.running(data):
        time.sleep(0.01)

    assert with_server(data, "SELECT n FROM survived") == "1"


def test_the_process_id_in_a_stale_file_may_belong_to_another_program(data: Path) -> None:
    sleeper = subprocess.Popen(["sleep", "60"])
    stale = data / "postmaster.pid"
    stale.write_text(f"{sleeper.pid}\n{data}\n1700000000\n5432\n{data}\n\n  1234  5\nready   \n")
    try:
        assert not embedded.running(data)
        assert not embedded.stop(data)
        assert with_server(data, "SELECT 1") == "1"
        assert sleeper.poll() is None
    finally:
        sleeper.kill()
        sleeper.wait()


def test_a_copied_folder_is_not_taken_for_the_running_original(data: Path, tmp_path: Path) -> None:
    embedded.start(data)
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(data / "postmaster.pid", copy)

    assert not embedded.running(copy)
    assert not embedded.stop(copy)
    assert embedded.running(data)


@pytest.mark.parametrize(
    "name",
    ["x" * 150, 'it\'s a "shop", $(touch canary) `touch canary` & ü%20'],
    ids=["long", "odd"],
)
def test_any_folder_will_do(tmp_path: Path, name: str) -> None:
    data = tmp_path / name / "postgres"
    url = embedded.start(data)
    sockets = Path(create_engine(url).url.query["host"])  # type: ignore[arg-type]

    assert ask(url, "SHOW data_directory") == str(data)
    assert sockets.stat().st_mode & 0o777 == 0o700
    embedded.stop(data)
    assert not sockets.exists()
    assert list(tmp_path.rglob("canary")) == []


def test_it_works_in_an_empty_environment_with_nonsense_for_postgresql(
    data: Path, use: User, tmp_path: Path
) -> None:
    environment = {
        "PYTHONPATH": str(TEMPLATES),
        "HOME": str(tmp_path / "absent"),
        "PATH": "",
        "PGHOST": "absent.invalid",
        "PGPORT": "1",
        "PGDATA": "/absent",
        "PGDATABASE": "absent",
        "PGUSER": "absent",
    }
    process = use(data, env=environment, cwd="/")

    assert ask(url_of(process), "SELECT current_database() || current_user") == "postgrespostgres"
    end(process)


@pytest.mark.slow
def test_a_first_start_may_be_killed_at_any_moment(tmp_path: Path, use: User) -> None:
    moments = random.Random(20)
    for attempt in range(6):
        data = tmp_path / str(attempt) / "postgres"
        process = use(data)
        time.sleep(0.3 + moments.uniform(0, 1.5))
        process.kill()
        process.wait()

        assert with_server(data, "SELECT 1") == "1"
        assert not (tmp_path / str(attempt) / "postgres.new").exists()


def test_a_missing_wheel_is_said_with_its_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "WHEEL", "absent_wheel")

    assert not embedded.is_installed()
    with pytest.raises(ConfigError, match="pip install absent-wheel"):
        embedded.start(tmp_path / "postgres")


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")

    with pytest.raises(ConfigError, match=r"cannot use .*/file/postgres"):
        embedded.start(tmp_path / "file" / "postgres")


def test_what_is_not_a_data_folder_is_refused_and_kept(tmp_path: Path) -> None:
    data = tmp_path / "postgres"
    data.mkdir()
    (data / "thesis.txt").write_text("years of work")

    with pytest.raises(ConfigError, match="not empty"):
        embedded.start(data)
    assert (data / "thesis.txt").read_text() == "years of work"


def test_a_server_that_does_not_start_says_why(tmp_path: Path, data: Path) -> None:
    settings = data / "postgresql.conf"
    before = settings.read_text()
    settings.write_text(f"{before}\nnot_a_setting = 1\n")
    try:
        with pytest.raises(FatalError, match="not_a_setting"):
            embedded.start(data)
    finally:
        settings.write_text(before)


@pytest.mark.skipif(not ROOT, reason="only root needs another user")
def test_as_root_closed_folders_let_only_the_own_group_pass_and_it_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    data = closed / "postgres"
    with_server(data, "SELECT 1")

    assert closed.stat().st_mode & 0o777 == 0o710
    assert data.stat().st_mode & 0o777 == 0o700
    assert f"chmod g+x {closed}" in caplog.text
    assert "does not run as root" in caplog.text
