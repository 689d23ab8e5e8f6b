"""Secrets are refused in a spec, reach the database whatever they hold, and are never said."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg2
import pytest
from psycopg2 import sql

from runtime import embedded
from tests.hostile.projects import Project, Result, Workshop, rows, shop

pytestmark = pytest.mark.slow

CANARY = "S3cr3t-canary"
URL = f"postgresql://u:{CANARY}@h/db"
PASSWORDS = {
    "everything": "p@ss:w%2Frd/#?&'\"$\\ \n",
    "url": "p@ss:w%2Frd/#?&=+;",
    "quotes": 'it\'s "quoted" `so`',
    "backslashes": "\\n\\ \\",
    "reference": "${HOME} $HOME $$ %(here)s %%",
    "comment": "a #b",
    "spaces": "  a  ",
    "another script": "пароль🙂",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """A PostgreSQL that asks for passwords on a port, and for none on its socket."""
    data = tmp_path_factory.mktemp("scram") / "data"
    embedded.start(data)  # makes the folder, as a user who may serve it
    embedded.stop(data)
    local, host = "local all all trust", "host all all 127.0.0.1/32 scram-sha-256"
    (data / "pg_hba.conf").write_text(f"{local}\n{host}\n")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    wheel = find_spec(embedded.WHEEL)
    assert wheel is not None
    assert wheel.origin is not None
    program = max(Path(wheel.origin).parent.glob("pginstall*/bin/postgres"))
    options = ["-c", "listen_addresses=127.0.0.1", "-c", f"port={port}", "-c", "fsync=off"]
    with open(f"{data}.log", "wb") as log:
        child = subprocess.Popen(
            [program, "-D", data, "-k", data, *options],
            stdout=log,
            stderr=log,
            cwd="/",
            user=data.stat().st_uid if os.geteuid() == 0 else None,
        )
    deadline = time.monotonic() + 60
    while True:
        try:
            psycopg2.connect(host=str(data), port=port, user="postgres").close()
            break
        except psycopg2.OperationalError:
            assert child.poll() is None, Path(f"{data}.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
    yield port, data
    child.send_signal(signal.SIGINT)
    child.wait(60)
    shutil.rmtree(data)


@pytest.fixture
def role(server: tuple[int, Path]) -> Iterator[str]:
    """A role of any password: its name, which is also its database's."""
    port, data = server
    connection = psycopg2.connect(host=str(data), port=port, user="postgres")
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE loader LOGIN")
        cursor.execute("CREATE DATABASE loader OWNER loader")
        yield "loader"
        cursor.execute("DROP DATABASE loader WITH (FORCE)")
        cursor.execute("DROP ROLE loader")
    connection.close()


def set_password(server: tuple[int, Path], role: str, password: str) -> None:
    port, data = server
    with psycopg2.connect(host=str(data), port=port, user="postgres") as connection:
        statement = sql.SQL("ALTER ROLE {} PASSWORD {}")
        with connection.cursor() as cursor:
            cursor.execute(statement.format(sql.Identifier(role), sql.Literal(password)))
    connection.close()


def dotenv_quoted(text: str) -> str:
    """In single quotes a `.env` file takes everything but these two as it is."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def loading_project(workshop: Workshop, name: str) -> Project:
    project = workshop.project(shop(name))
    (project.root / "data").mkdir()
    (project.root / "data/things.csv").write_text("id\n1\n")
    return project


def user_of(project: Project) -> str:
    """Who the project is to the server that its settings name."""
    destination = project.import_module("destination").open_destination()
    try:
        with destination.transaction() as connection:
            return str(connection.exec_driver_sql("SELECT current_user").scalar())
    finally:
        destination.engine.dispose()


def nothing_said(workshop: Workshop, *results: Result) -> None:
    """The canary is in no output, and in no file but the spec that it came from."""
    for result in results:
        assert CANARY not in result.out + result.err
    for path in workshop.folder.rglob("*"):
        assert CANARY not in path.name
        if path.is_file() and path.name != "spec.yaml":
            assert CANARY.encode() not in path.read_bytes(), path


@pytest.mark.parametrize(
    "line",
    [
        f"description: see {URL}",
        f"owner: {URL}",
        f"tags: [{URL}]",
        f"# {URL}",
        f"schedule: {URL}",
        f"destination: {{schema: '{URL}'}}",
        f"destination: {{url: '{URL}'}}",
        f"password: {CANARY}",
        f"destination: {{password: {CANARY}}}",
        f"token: {CANARY}",
        f"api_key: '{CANARY}'",
        f"description: host=h user=u password={CANARY}",
        f"description: jdbc:postgresql://h/db?user=u&password={CANARY}",
        f"description: 'password={CANARY}",
        f"{URL}: a",
    ],
)
def test_I27_a_secret_in_a_spec(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    monkeypatch.setenv("ETLGEN_DEBUG", "1")
    spec = workshop.write(shop("hostile"))
    spec.write_text(f"{spec.read_text()}{line}\n")
    text = workshop.etlgen("new", "--spec", spec, "--yes")
    document = workshop.etlgen("new", "--spec", spec, "--yes", "--json")
    dry = workshop.etlgen("new", "--spec", spec, "--dry-run", "--diff")
    assert (text.code, document.code, dry.code) == (3, 3, 3)
    assert list(workshop.folder.iterdir()) == [spec]
    nothing_said(workshop, text, document, dry)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("path", URL),
        ("path", f"${{FOLDER:-{URL}}}"),
        ("description", f"host=h password={CANARY} user=u"),
        ("tags", [URL]),
    ],
)
def test_I27_a_secret_in_a_source_is_answered_with_a_reference(
    workshop: Workshop, key: str, value: object
) -> None:
    spec = shop("hostile")
    spec["sources"]["box"][key] = value
    result = workshop.new(spec)
    assert result.code == 3
    assert "write ${NAME} here and set NAME in the environment or .env" in result.err
    nothing_said(workshop, result)


@pytest.mark.parametrize(
    "place",
    ["description", "default", "example", "format", "from", "one_of", "matches", "null_if", "type"],
)
def test_I27_a_secret_in_a_column(workshop: Workshop, place: str) -> None:
    column: dict[str, object] = {"type": "text"}
    match place:
        case "one_of":
            column["checks"] = [{"one_of": [URL], "message": "is one"}]
        case "matches":
            column["checks"] = [{"matches": URL}]
        case "null_if":
            column["clean"] = [{"null_if": [URL]}]
        case _:
            column[place] = URL
    result = workshop.new(shop("hostile", {"id": column}))
    assert result.code == 3
    nothing_said(workshop, result)


def test_I27_what_refers_to_a_secret_is_fine(workshop: Workshop) -> None:
    spec = shop("hostile-fine") | {
        "description": "postgresql://user:${PASSWORD}@host/db, or password=${PASSWORD}; tokens too"
    }
    spec["sources"]["box"]["resources"]["things"]["columns"]["token"] = {"type": "text"}
    workshop.project(spec)


def test_I27_a_password_of_the_environment_is_never_said(
    workshop: Workshop,
    server: tuple[int, Path],
    role: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    port, _ = server
    set_password(server, role, CANARY)
    project = loading_project(workshop, "hostile-quiet")
    main = project.import_module("cli").main

    def said(commands: str, url: str, password: str = "") -> str:
        """What the commands print, with `exit` and their codes."""
        monkeypatch.setenv("HOSTILE_QUIET_DATABASE_URL", url)
        monkeypatch.setenv("HOSTILE_QUIET_DATABASE_PASSWORD", password)
        for command in commands.split(","):
            monkeypatch.setattr(sys, "argv", ["hostile-quiet", *command.split()])
            with pytest.raises(SystemExit) as end:
                main()
            print("exit", end.value.code)
        captured = workshop.etlgen.capsys.readouterr()
        assert CANARY not in captured.out + captured.err
        return captured.out + captured.err

    monkeypatch.setenv("HOSTILE_QUIET_LOG_LEVEL", "DEBUG")
    whole = f"postgresql://{role}:{CANARY}@127.0.0.1:{port}/{role}"
    assert "exit 1" not in said("db init,run,status,quarantine,plan", whole)
    without_password = whole.replace(f":{CANARY}", "")
    assert "exit 1" not in said("run,status", without_password, CANARY)
    wrong = said("status,run", without_password, f"wrong {CANARY}")
    assert wrong.count("password authentication failed") >= 2
    assert wrong.count("exit 1") == 2
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        for url in (
            f"postgresql://u:{CANARY}@127.0.0.1:{closed.getsockname()[1]}/db",
            f"postgresql://u:{CANARY}@no-such-host.invalid/db",
            f"postgresql://u:{CANARY}@127.0.0.1:port/db",
            f"postgresql:/u:{CANARY}@127.0.0.1/db",
            f"mysql://u:{CANARY}@127.0.0.1/db",
            f"host=127.0.0.1 port={port} user=u password={CANARY}",
        ):
            assert "exit 1" in said("status", url)
    for table in ("attempts", "partitions", "quarantine", "resources"):
        query = f"SELECT * FROM etl_hostile_quiet.{table}"
        found = rows(whole.replace("postgresql:", "postgresql+psycopg2:"), query)
        assert CANARY not in str([tuple(row) for row in found])
    nothing_said(workshop)


@pytest.mark.parametrize("password", PASSWORDS.values(), ids=PASSWORDS.keys())
def test_I28_a_password_of_any_characters_connects(
    workshop: Workshop,
    server: tuple[int, Path],
    role: str,
    password: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    port, _ = server
    set_password(server, role, password)
    project = workshop.project(shop("hostile-password"))
    url = f"postgresql://{role}@127.0.0.1:{port}/{role}"
    monkeypatch.setenv("HOSTILE_PASSWORD_DATABASE_URL", url)
    with pytest.raises(Exception, match="no password supplied"):
        user_of(project)
    monkeypatch.setenv("HOSTILE_PASSWORD_DATABASE_PASSWORD", password)
    assert user_of(project) == role
    monkeypatch.setenv("HOSTILE_PASSWORD_DATABASE_PASSWORD", "wrong")
    with pytest.raises(Exception, match="password authentication failed"):
        user_of(project)
    monkeypatch.delenv("HOSTILE_PASSWORD_DATABASE_PASSWORD")
    monkeypatch.setenv(
        "HOSTILE_PASSWORD_DATABASE_URL", url.replace("@", f":{quote(password, safe='')}@", 1)
    )
    assert user_of(project) == role


def test_I28_a_password_of_any_characters_in_the_env_file(
    workshop: Workshop, server: tuple[int, Path], role: str
) -> None:
    port, _ = server
    project = workshop.project(shop("hostile-dotenv"))
    for password in PASSWORDS.values():
        set_password(server, role, password)
        (project.root / ".env").write_text(
            f"HOSTILE_DOTENV_DATABASE_URL=postgresql://{role}@127.0.0.1:{port}/{role}\n"
            f"HOSTILE_DOTENV_DATABASE_PASSWORD={dotenv_quoted(password)}\n"
            "HOSTILE_DOTENV_LOG_LEVEL=DEBUG\n"
        )
        environment = project.import_module("settings").environment
        environment.__dict__.pop("_file", None)  # read anew
        assert user_of(project) == role
        assert environment.get("HOSTILE_DOTENV_LOG_LEVEL") == "DEBUG"
