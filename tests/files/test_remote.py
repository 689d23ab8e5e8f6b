"""Folders on S3 and behind SFTP, on real servers: listed, read once, moved, and no secret told."""

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import asyncssh
import boto3
import pytest
from moto.server import ThreadedMotoServer

from ..real_data.project import Project
from .conftest import MakeProject, contents

pytestmark = pytest.mark.slow

CANARY = "S3cr3t-canary"
RESOURCES = """
things:
  path: "{plant}/things_*.csv"
  write_disposition: append
  columns:
    plant: {type: text, from: "{plant}"}
    id: {type: integer}
moved:
  path: "in/**/moved_{day:%Y%m%d}.jsonl"
  write_disposition: append
  archive: done
  columns:
    day: {type: date, from: "{day}"}
    id: {type: integer}
"""


@dataclass(frozen=True)
class Remote:
    """A folder on a server: how to fill it, what is in it, and what a project is told of it."""

    put: Callable[[str, bytes], None]
    names: Callable[[], list[str]]
    url: str
    settings: dict[str, str]


@pytest.fixture(params=["s3", "sftp"])
def remote(request: pytest.FixtureRequest) -> Remote:
    found: Remote = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Remote]:
    """A bucket on moto's server."""
    server = ThreadedMotoServer("127.0.0.1", port=0)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    server.start()
    host, port = server.get_host_and_port()
    settings = {
        "AWS_ACCESS_KEY_ID": "ann",
        "AWS_SECRET_ACCESS_KEY": CANARY,
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
    }
    bucket = boto3.resource(
        "s3",
        endpoint_url=settings["AWS_ENDPOINT_URL"],
        aws_access_key_id="ann",
        aws_secret_access_key=CANARY,
        region_name="eu-central-1",
    ).Bucket("bucket")
    bucket.create(CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    yield Remote(
        lambda name, data: bucket.put_object(Key=f"inbox/{name}", Body=data),
        lambda: sorted(one.key.removeprefix("inbox/") for one in bucket.objects.all()),
        "s3://bucket/inbox",
        settings,
    )
    bucket.objects.all().delete()
    bucket.delete()
    server.stop()


@pytest.fixture
def sftp(tmp_path: Path) -> Iterator[Remote]:
    """A folder of this machine behind a server of SFTP that wants a password."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Door(asyncssh.SSHServer):
        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            return (username, password) == ("ann", CANARY)

    async def serve(port: "Future[int]", done: asyncio.Event) -> None:
        server = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=Door,
            server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
            sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=str(folder)),
        )
        port.set_result(server.get_port())
        await done.wait()
        server.close()
        await server.wait_closed()

    loop, done, port = asyncio.new_event_loop(), asyncio.Event(), Future[int]()
    thread = threading.Thread(target=lambda: loop.run_until_complete(serve(port, done)))
    thread.start()

    def put(name: str, data: bytes) -> None:
        file = folder / "inbox" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)

    def names() -> list[str]:
        inbox = folder / "inbox"
        files = (path for path in inbox.rglob("*") if path.is_file())
        return sorted(path.relative_to(inbox).as_posix() for path in files)

    yield Remote(put, names, f"sftp://ann:{CANARY}@127.0.0.1:{port.result(30)}/inbox", {})
    loop.call_soon_threadsafe(done.set)
    thread.join()
    loop.close()


@pytest.fixture
def project(remote: Remote, make_project: MakeProject) -> Project:
    return make_project(RESOURCES, BOX_PATH=remote.url, **remote.settings)


def test_new_and_changed_files_are_read_once(remote: Remote, project: Project) -> None:
    remote.put("ulm/things_1.csv", b"id\n1\n2\n")
    remote.put("bern/things_1.csv", b"id\n3\n")
    remote.put("bern/others_1.csv", b"id\n9\n")
    remote.put("bern/deeper/things_1.csv", b"id\n9\n")
    assert project.run("box.things").counts["box.things"]["read"] == 3
    remote.put("ulm/things_1.csv", b"id\n1\n20\n200\n")
    remote.put("ulm/things_2.csv", b"id\n4\n")
    assert project.run("box.things").counts["box.things"]["read"] == 4
    assert project.run("box.things").counts["box.things"]["read"] == 0
    assert contents(project, "things") == [
        {"plant": plant, "id": number}
        for plant, number in [("bern", 3), ("ulm", 1), ("ulm", 20), ("ulm", 200), ("ulm", 4)]
    ]


def test_published_files_move_to_the_archive(remote: Remote, project: Project) -> None:
    remote.put("in/moved_20260115.jsonl", b'{"id": 1}\n')
    remote.put("in/ulm/moved_20260116.jsonl", b'{"id": 2}\n')
    assert project.run("box.moved").counts["box.moved"]["read"] == 2
    assert remote.names() == ["done/in/moved_20260115.jsonl", "done/in/ulm/moved_20260116.jsonl"]
    remote.put("in/moved_20260115.jsonl", b'{"id": 3}\n')
    assert project.run("box.moved").counts["box.moved"]["read"] == 1
    assert "done/in/moved_20260115.2.jsonl" in remote.names()
    assert sorted(row["id"] for row in contents(project, "moved")) == [2, 3]


def test_a_run_that_was_killed_while_it_moved_doubles_no_row(
    remote: Remote, project: Project
) -> None:
    lines = b'{"id": 1}\n'
    remote.put("in/moved_20260115.jsonl", lines)
    project.run("box.moved")
    remote.put("in/moved_20260115.jsonl", lines)  # S3 copies, and only then deletes
    assert project.run("box.moved").counts["box.moved"]["read"] == 1
    assert [row["id"] for row in contents(project, "moved")] == [1]
    assert remote.names() == ["done/in/moved_20260115.2.jsonl", "done/in/moved_20260115.jsonl"]


def test_no_secret_is_told(remote: Remote, project: Project) -> None:
    remote.put("ulm/things_1.csv", b"id\n1\n")
    remote.put("ulm/things_2.csv", b"number\n1\n")
    failed = project.command("run", "box.things")
    assert failed.returncode == 1, failed.stderr
    assert "ulm/things_2.csv" in failed.stderr
    project.environment |= {
        "AWS_SECRET_ACCESS_KEY": f"{CANARY}-wrong",
        "BOX_PATH": remote.url.replace("bucket", "no-bucket").replace(CANARY, f"{CANARY}-wrong"),
    }
    denied = project.command("run", "box.things")
    assert denied.returncode == 1, denied.stderr
    for said in (failed.stdout, failed.stderr, denied.stdout, denied.stderr):
        assert CANARY not in said
