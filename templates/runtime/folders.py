"""Folders of files: on a disk, or anywhere that fsspec reaches."""

from __future__ import annotations

import io
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path, PurePosixPath
from typing import Any

from .errors import ConfigError, ContractError, RetryableError
from .patterns import PathPattern

# The extra of this project that brings the library for a kind of URL.
EXTRAS = {
    **dict.fromkeys(("s3", "s3a"), "s3"),
    **dict.fromkeys(("gs", "gcs"), "gcs"),
    **dict.fromkeys(("abfs", "abfss", "az", "adl"), "azure"),
    **dict.fromkeys(("sftp", "ssh"), "sftp"),
    **dict.fromkeys(("http", "https"), "http"),
}
# Under these names stores say when a file was last written, the surest sign first.
ETAGS = ("ETag", "etag", "md5Hash", "generation", "Content-MD5")
MOMENTS = (
    *("LastModified", "last_modified", "updated", "Last-Modified", "mtime"),
    "created",
)
# A literal `scheme://user:password@` and the parameters after a `?`.
SECRETS_IN_URL = re.compile(r"(?<=://)[^/@]*:([^/@]*)@|\?(.*)$")
READ_AHEAD = 1 << 20


@dataclass(frozen=True)
class Found:
    """A file of a folder, as it is now.

    `version` changes with the content, as far as whoever keeps the file says so.
    """

    name: str
    version: str
    modified: datetime | None


class Folder(ABC):
    """Where the patterns of resources start from; names in it are separated by `/`."""

    @abstractmethod
    def find(self, pattern: PathPattern) -> list[Found]:
        """The files whose names match, in the order of the names."""

    @abstractmethod
    def look(self, name: str) -> Found | None:
        """The file as it is now; None if it is not there."""

    @abstractmethod
    def open(self, name: str) -> io.BufferedReader:
        """The file's bytes, from the start; it may be sought in."""

    @abstractmethod
    def move(self, name: str, to: str) -> None:
        """Give a file another name, in a folder that need not be there yet."""

    @abstractmethod
    def spell(self, name: str) -> str:
        """The file's whole name, for people: no secret is in it."""


@dataclass(frozen=True)
class LocalFolder(Folder):
    """A folder on this machine."""

    path: Path

    def find(self, pattern: PathPattern) -> list[Found]:
        if not self.path.is_dir():
            raise ContractError(f"there is no folder {self.path}")
        names = (
            path.relative_to(self.path).as_posix()
            for path in self.path.glob(pattern.glob)
        )
        matching = sorted({name for name in names if pattern.values(name) is not None})
        return [found for name in matching if (found := self.look(name))]

    def look(self, name: str) -> Found | None:
        path = self.path / name
        if not path.is_file():
            return None
        stat = path.stat()
        modified = datetime.fromtimestamp(stat.st_mtime, UTC)
        return Found(name, f"{stat.st_size} bytes, {stat.st_mtime_ns}", modified)

    def open(self, name: str) -> io.BufferedReader:
        return (self.path / name).open("rb")

    def move(self, name: str, to: str) -> None:
        (self.path / to).parent.mkdir(parents=True, exist_ok=True)
        (self.path / name).rename(self.path / to)

    def spell(self, name: str) -> str:
        return str(self.path / name)


@dataclass(frozen=True)
class RemoteFolder(Folder):
    """A folder that fsspec reaches. `url` names it, `secrets` are kept out of all errors."""

    url: str
    system: Any = field(repr=False)
    root: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)

    def find(self, pattern: PathPattern) -> list[Found]:
        if pattern.names_one_file:
            found = self.look(pattern.text)
            return [found] if found else []
        above, depth = _fixed_part(pattern.glob)
        with self._reached(pattern.text):
            listed = self._listed(self._path(above), depth)
            is_there = bool(listed) or self._is_there()
        if not is_there:
            raise ContractError(f"there is no folder {self.url}")
        names = [path.removeprefix(self.root).lstrip("/") for path in listed]
        entries = zip(names, listed.values(), strict=True)
        matching = {
            name: entry for name, entry in entries if pattern.values(name) is not None
        }
        return [self._found(name, matching[name]) for name in sorted(matching)]

    def look(self, name: str) -> Found | None:
        try:
            with self._reached(name):
                self.system.invalidate_cache()
                entry = self.system.info(self._path(name))
        except FileNotFoundError:
            return None
        return self._found(name, entry) if entry.get("type") != "directory" else None

    def open(self, name: str) -> io.BufferedReader:
        with self._reached(name):
            file = self.system.open(self._path(name), "rb")
        return io.BufferedReader(_Remote(self, name, file), READ_AHEAD)

    def move(self, name: str, to: str) -> None:
        with self._reached(name):
            parent = self.system._parent(self._path(to))
            self.system.makedirs(parent, exist_ok=True)
            self.system.mv(self._path(name), self._path(to))

    def spell(self, name: str) -> str:
        return f"{self.url.rstrip('/')}/{name}"

    def _path(self, name: str) -> str:
        return f"{self.root}/{name}" if name else self.root

    def _listed(self, path: str, depth: int | None) -> dict[str, dict[str, Any]]:
        self.system.invalidate_cache()
        try:
            found: dict[str, dict[str, Any]] = self.system.find(
                path, maxdepth=depth, detail=True
            )
        except FileNotFoundError:  # others say that nothing is in it
            return {}
        return found

    def _is_there(self) -> bool:
        """Whether the folder is, or its bucket in a store that knows no empty folders."""
        bucket = self.root.partition("/")[0]
        places = [self.root, bucket] if bucket and ":" not in bucket else [self.root]
        return any(map(self.system.exists, places))

    def _found(self, name: str, entry: dict[str, Any]) -> Found:
        if entry.get("size") is None:  # a listing of http says nothing but names
            with self._reached(name):
                entry = self.system.info(self._path(name))
        moment = next((entry[key] for key in MOMENTS if entry.get(key)), None)
        sign = next((entry[key] for key in ETAGS if entry.get(key)), moment)
        return Found(name, f"{entry.get('size')} bytes, {sign}", _moment(moment))

    @contextmanager
    def _reached(self, name: str) -> Iterator[None]:
        """Whatever a library raises, as an error that says whether to try again."""
        try:
            yield
        except FileNotFoundError:
            raise
        except PermissionError as error:
            raise ConfigError(
                f"{self.spell(name)}: access is denied: {self._said(error)}",
                "Check the credentials, and what they allow.",
            ) from None
        except Exception as error:
            raise RetryableError(
                f"{self.spell(name)}: {type(error).__name__}: {self._said(error)}"
            ) from None

    def _said(self, error: Exception) -> str:
        text = str(error)
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text


class _Remote(io.RawIOBase):
    """A remote file whose errors are this project's own."""

    def __init__(
        self, folder: RemoteFolder, name: str, file: io.BufferedReader
    ) -> None:
        self.folder, self.name, self.file = folder, name, file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self.file.seekable()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        with self.folder._reached(self.name):
            return self.file.seek(offset, whence)

    def tell(self) -> int:
        return self.file.tell()

    def readinto(self, buffer: Any) -> int:
        with self.folder._reached(self.name):
            data = self.file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self.file.close()
        super().close()


def open_folder(place: str, base: Path, **options: Any) -> Folder:
    """The folder at a path, from `base` where it is relative, or at an fsspec URL.

    `options` are those of its file system, such as credentials: what is not said is found
    as the library for it does, in the environment above all.
    """
    if "://" not in place:
        return LocalFolder(base / Path(place).expanduser())
    scheme = place.partition("://")[0]
    try:
        import fsspec

        system, root = fsspec.url_to_fs(place, **options)
    except ImportError:
        raise ConfigError(
            f"{scheme}:// needs a library that is not installed",
            f"Install this project with the extra {EXTRAS.get(scheme, 'http')!r}.",
        ) from None
    except ValueError:
        raise ConfigError(f"{scheme}:// is no kind of URL that fsspec knows") from None
    in_url = SECRETS_IN_URL.search(place)
    secrets = [part for part in in_url.groups() if part] if in_url else []
    secrets += [value for value in options.values() if isinstance(value, str) and value]
    return RemoteFolder(
        SECRETS_IN_URL.sub("", place), system, root.rstrip("/"), tuple(secrets)
    )


def _fixed_part(glob: str) -> tuple[str, int | None]:
    """The folders of a pattern that have no wildcard, and how deep to look below them."""
    parts = PurePosixPath(glob).parts
    fixed = next(n for n, part in enumerate(parts) if set(part) & set("*?["))
    return "/".join(parts[:fixed]), None if "**" in parts else len(parts) - fixed


def _moment(value: Any) -> datetime | None:
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    if isinstance(value, str):
        try:
            value = parsedate_to_datetime(value)  # as HTTP has it
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)
