"""Folders on a disk, in memory and behind HTTP: the same files, errors that say what to do."""

import builtins
import http.server
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import fsspec
import pytest

from runtime.errors import ConfigError, ContractError, RetryableError, explain
from runtime.folders import Folder, LocalFolder, RemoteFolder, open_folder
from runtime.patterns import PathPattern

FILES = {"b.csv": b"2", "a.csv": b"1", "deep/c.csv": b"3", "deep/er/d.csv": b"4", "e.txt": b"5"}
CANARY = "S3cr3t-canary"


def on_disk(path: Path) -> Path:
    for name, data in FILES.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

    folder = on_disk(tmp_path / "served")
    handler = partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(params=["disk", "memory", "http"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Folder:
    if request.param == "disk":
        return open_folder("here", on_disk(tmp_path / "here").parent)
    if request.param == "http":
        return open_folder(request.getfixturevalue("served"), tmp_path)
    return in_memory(tmp_path)


def in_memory(tmp_path: Path) -> RemoteFolder:
    system = fsspec.filesystem("memory")
    if system.exists("/bucket"):
        system.rm("/bucket", recursive=True)
    for name, data in FILES.items():
        system.pipe(f"/bucket/in/{name}", data)
    found = open_folder("memory://bucket/in/", tmp_path)
    assert isinstance(found, RemoteFolder)
    return found


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*.csv", ["a.csv", "b.csv"]),
        ("**/*.csv", ["a.csv", "b.csv", "deep/c.csv", "deep/er/d.csv"]),
        ("deep/*.csv", ["deep/c.csv"]),
        ("{where}/{what}.csv", ["deep/c.csv"]),
        ("a.csv", ["a.csv"]),
        ("z.csv", []),
    ],
)
def test_the_files_of_a_pattern(folder: Folder, pattern: str, names: list[str]) -> None:
    assert [found.name for found in folder.find(PathPattern(pattern))] == names


@pytest.mark.parametrize("kind", ["memory", "http"])
def test_a_missing_folder_is_not_an_empty_one(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = "memory:/" if kind == "memory" else request.getfixturevalue("served")
    with pytest.raises(ContractError, match=r"there is no folder \S+unmounted"):
        open_folder(f"{url.rstrip('/')}/unmounted", tmp_path).find(PathPattern("*"))


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    for folder in (LocalFolder(on_disk(tmp_path / "here")), in_memory(tmp_path)):
        assert folder.find(PathPattern("deep")) == []


def test_a_file_is_read_and_sought_in(folder: Folder) -> None:
    with folder.open("deep/c.csv") as file:
        assert file.read() == b"3"
        file.seek(0)
        assert file.read() == b"3"


def test_the_same_file_has_the_same_version(folder: Folder) -> None:
    [found] = folder.find(PathPattern("a.csv"))
    assert folder.look("a.csv") == found
    assert found.modified is not None
    assert folder.look("z.csv") is None


def test_a_changed_file_has_another_version(tmp_path: Path) -> None:
    local, remote = LocalFolder(on_disk(tmp_path / "here")), in_memory(tmp_path)
    before = local.look("a.csv"), remote.look("a.csv")
    (local.path / "a.csv").write_bytes(b"9")
    fsspec.filesystem("memory").pipe("/bucket/in/a.csv", b"9")
    now = local.look("a.csv"), remote.look("a.csv")
    assert all(
        one and other and one.version != other.version
        for one, other in zip(before, now, strict=True)
    )


def test_a_file_moves_into_a_new_folder(tmp_path: Path) -> None:
    for folder in (LocalFolder(on_disk(tmp_path / "here")), in_memory(tmp_path)):
        folder.move("deep/c.csv", "done/deep/c.csv")
        assert folder.look("deep/c.csv") is None
        with folder.open("done/deep/c.csv") as file:
            assert file.read() == b"3"


def test_a_missing_library_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *args: Any) -> Any:
        if name.partition(".")[0] in ("s3fs", "fsspec"):
            raise ImportError(name)
        return real(name, *args)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ConfigError, match=r"s3:// needs .*\n.* extra 's3'"):
        open_folder("s3://bucket/in", tmp_path)


def test_an_unknown_kind_of_url_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="gopher:// is no kind of URL"):
        open_folder("gopher://x", tmp_path)


def test_a_missing_local_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"there is no folder .*unmounted"):
        open_folder("unmounted", tmp_path).find(PathPattern("*"))


class Broken:
    """A file system whose every call fails with what it knows of the secret."""

    def __getattr__(self, name: str) -> Any:
        def fail(*args: Any, **kwargs: Any) -> Any:
            raise OSError(f"cannot reach https://ann:{CANARY}@host/?sig={CANARY}")

        return fail


@pytest.mark.parametrize("call", ["find", "look", "open", "move"])
def test_an_error_is_retried_and_has_no_secret(call: str) -> None:
    folder = RemoteFolder("https://host/in", Broken(), "in", (CANARY,))
    arguments: dict[str, tuple[Any, ...]] = {"find": (PathPattern("*"),), "move": ("a", "b")}
    with pytest.raises(RetryableError, match=r"https://host/in/.*cannot reach") as error:
        getattr(folder, call)(*arguments.get(call, ("a",)))
    assert CANARY not in explain(error.value) + repr(folder) + repr(error.value.__cause__)


def test_secrets_of_url_and_options_are_known(tmp_path: Path) -> None:
    folder = open_folder(f"memory://ann:{CANARY}@bucket/in", tmp_path)
    assert isinstance(folder, RemoteFolder)
    assert folder.secrets == (CANARY,)
    assert CANARY not in folder.spell("a.csv") + repr(folder)
