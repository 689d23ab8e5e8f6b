"""A project's files where they really are: upward search, symbolic links, names that clash."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from etlgen.errors import Finding, Refused, UsageError
from etlgen.names import PROJECT_FILE, folded
from etlgen.workspace.state import FOLDER
from etlgen.workspace.text import Style, canonical


def find_project(start: Path) -> Path:
    """The project that a folder is in: the nearest one upward with `etlgen.yaml` and `.etlgen`."""
    folder = Path(os.path.abspath(start))
    if not folder.is_dir():
        raise UsageError(
            Finding(str(start), None, None, "no-folder", "there is no such folder", "see -C")
        )
    for root in (folder, *folder.parents):
        if (root / PROJECT_FILE).is_file() and (root / FOLDER / "units").is_dir():
            return root
    message = "neither this folder nor one above it is a project of etlgen"
    hint = "go to the project's folder, or name it with -C; etlgen new starts one"
    raise UsageError(Finding(str(folder), None, None, "no-project", message, hint))


def real_path(root: Path, path: str) -> str:
    """The path with its symbolic links resolved. Raises `Refused` where they leave the project."""
    place = root / path
    if not any(one.is_symlink() for one in (place, *place.parents[: path.count("/")])):
        return path
    real, home = Path(os.path.realpath(place)), Path(os.path.realpath(root))
    if not real.is_relative_to(home) or real == home:
        message = f"is behind a symbolic link that leads out of the project, to {real}"
        raise Refused(Finding(path, None, None, "symlink", message, "nothing was changed"))
    inside = real.relative_to(home).as_posix()
    if inside.split("/")[0] == FOLDER:
        message = f"is a symbolic link into {FOLDER}"
        raise Refused(Finding(path, None, None, "symlink", message, "nothing was changed"))
    return inside


@dataclass(frozen=True, slots=True)
class DiskFile:
    """A file's bytes, and its text in canonical form with the style that it is written in."""

    raw: bytes
    text: str
    style: Style


def read_file(root: Path, path: str) -> DiskFile | None:
    """The file at a path, None where there is none; `Refused` where it is something else."""
    try:
        with open(f"{root}/{path}", "rb", buffering=0, opener=_never_waiting) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise OSError("is not a file")
            raw = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        hint = "nothing was changed"
        raise Refused(Finding(path, None, None, "occupied", message, hint)) from None
    return DiskFile(raw, *canonical(raw))


def _never_waiting(path: str, flags: int) -> int:
    """For what is not a file, such as a pipe that nobody writes to."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def decoded(raw: bytes) -> str:
    """Bytes as text that gives the same bytes again."""
    return raw.decode("utf-8", "surrogateescape")


class Names:
    """The names that are in the folders of a project, to tell which new one would clash."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[str, dict[str, set[str]]] = {}

    def twin(self, path: str) -> str | None:
        """Another path that is the same file where the disk does not tell `A` from `a`."""
        folder = ""
        for name in path.split("/"):
            names = self._names(folder)
            twins = names.setdefault(folded(name), set())
            others = twins - {name}
            if others and name not in twins:
                return f"{folder}{min(others)}"
            twins.add(name)
            folder = f"{folder}{name}/"
        return None

    def forget(self, path: str) -> None:
        """A path that will not be there any more."""
        folder, _, name = path.rpartition("/")
        self._names(f"{folder}/" if folder else "").get(folded(name), set()).discard(name)

    def _names(self, folder: str) -> dict[str, set[str]]:
        if folder not in self._known:
            found: dict[str, set[str]] = {}
            try:
                for name in os.listdir(self._root / folder):
                    found.setdefault(folded(name), set()).add(name)
            except OSError:
                pass  # the folder is still to be made
            self._known[folder] = found
        return self._known[folder]
