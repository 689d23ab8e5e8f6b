"""Files as partitions of a resource, one each.

A batch's index is the record's number in its file, from 1: in JSON Lines the line's
number, in delimited text and worksheets the header is not counted.
"""

from __future__ import annotations

import difflib
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import PurePosixPath

import pandas as pd
import pyarrow as pa
import structlog

from .compressed import compression_of, members, unpacked
from .errors import ContractError, PipelineError, RetryableError
from .folders import Folder, Found
from .patterns import PathPattern
from .resource import Partition, Window

log = structlog.get_logger()


@dataclass(frozen=True)
class Ready:
    """When files may be read: others wait for a later run, with a line in the log.

    A file must not have changed for `min_age`, and its `marker` must be there: a file
    beside it, in whose name a `*` stands for the file's own without its suffix. Where
    `count` files are expected and fewer are ready, the run fails, to be tried again.
    """

    min_age: timedelta = timedelta(0)
    marker: str = ""
    count: int = 0

    def lacks(self, folder: Folder, file: Found) -> str | None:
        """What the file still waits for."""
        if self.min_age and file.modified:
            age = datetime.now(UTC) - file.modified
            if age < self.min_age:
                return f"it changed {age.total_seconds():.0f} s ago"
        if self.marker:
            path = PurePosixPath(file.name)
            marker = str(path.with_name(self.marker.replace("*", path.stem)))
            if folder.look(marker) is None:
                return f"there is no {marker}"
        return None


@dataclass(frozen=True)
class Files:
    """The files that a pattern names below a folder, and the columns of their records.

    A column given as a tuple has had several names; a file uses one of them. A column
    `{name}` is the value of that name in the pattern. With `only_new`, a file that is
    published is not read again until it changes. Published files go to the folder
    `archive`; one that is left behind by a run that was killed is loaded anew and moved.
    """

    pattern: str
    columns: Sequence[str | tuple[str, ...]]
    only_new: bool = False
    ready: Ready = Ready()
    archive: str = ""

    def partitions(self, folder: Folder, window: Window) -> list[Partition]:
        """One partition for each file, in the order of their names.

        Raises `ContractError` if a file that must be there is not, or lacks a column,
        and `RetryableError` if fewer are ready than are expected.
        """
        pattern = PathPattern(self.pattern)
        found = [one for one in folder.find(pattern) if not self._is_archived(one.name)]
        if not found and pattern.names_one_file and not self.archive:
            raise ContractError(f"there is no file {folder.spell(self.pattern)}")
        parts: list[Partition] = []
        for file in self._ready_files(folder, found, window):
            for part in self._parts(folder, file):
                part.number, part.window = len(parts), window
                self.inspect(folder, part)
                parts.append(part)
        return parts

    def read(self, folder: Folder, partition: Partition) -> Iterator[pd.DataFrame]:
        """The records of one file in batches of bounded size.

        Raises `RetryableError` if the file changes or goes away meanwhile.
        """
        values = self._values(partition)
        is_empty = True
        with _unchanged(folder, _path(partition)):
            for batch in self.records(folder, partition):
                is_empty = False
                for name, value in values.items():
                    texts = pa.repeat(pa.scalar(value), len(batch))
                    batch[name] = pd.arrays.ArrowExtensionArray(texts)
                yield batch
        if is_empty and not partition.rejects:
            log.warning("there are no records", file=spell(folder, partition))

    def put_away(self, folder: Folder, partition: Partition) -> None:
        """Move a published file to the archive, unless it was replaced; safe to repeat."""
        name = _path(partition)
        file = folder.look(name)
        if file is None or file.version != partition.detail["version"]:
            return
        path = PurePosixPath(self.archive) / name
        numbered = (f"{path.stem}.{number}{path.suffix}" for number in range(2, 10_000))
        free = [path, *(path.with_name(other) for other in numbered)]
        target = next(str(one) for one in free if folder.look(str(one)) is None)
        folder.move(name, target)
        log.info("archived", file=name, to=target)

    def inspect(self, folder: Folder, partition: Partition) -> None:
        """Raise `ContractError` if a look at the file shows that it lacks a column."""

    def records(self, folder: Folder, partition: Partition) -> Iterator[pd.DataFrame]:
        """The records as they stand in the file."""
        raise NotImplementedError

    def in_file(self) -> list[tuple[str, ...]]:
        """The names of each column that stands in the files."""
        names = [(one,) if isinstance(one, str) else one for one in self.columns]
        in_path = PathPattern(self.pattern).names
        return [one for one in names if one[0] not in in_path]

    def require_columns(self, header: Sequence[str], where: str) -> None:
        """Raise `ContractError` unless each column stands in the header, once."""
        for names in self.in_file():
            found = [name for name in header if name in names]
            if len(found) == 1:
                continue
            wanted = " or ".join(map(repr, names))
            if found:
                raise ContractError(f"{where}: more than one column is {wanted}")
            near = difflib.get_close_matches(names[0], header, n=1)
            columns = f"columns: {', '.join(header)}"
            raise ContractError(
                f"{where}: there is no column {wanted}",
                f"did you mean {near[0]!r}?" if near else columns,
            )

    def _ready_files(
        self, folder: Folder, found: Sequence[Found], window: Window
    ) -> list[Found]:
        if self.only_new and not self.archive:
            found = [one for one in found if not _is_published(one, window)]
        files = []
        for file in found:
            lack = self.ready.lacks(folder, file)
            if lack is None:
                files.append(file)
            else:
                log.info("not ready", file=file.name, lacks=lack)
        if len(files) < self.ready.count:
            raise RetryableError(
                f"{folder.spell(self.pattern)}: {len(files)} files are ready, "
                f"{self.ready.count} are expected"
            )
        return files

    def _parts(self, folder: Folder, file: Found) -> list[Partition]:
        return [Partition(file=file.name, detail={"version": file.version})]

    def _values(self, partition: Partition) -> dict[str, str]:
        """Those values in the file's name that are columns."""
        values = PathPattern(self.pattern).values(_path(partition)) or {}
        return {name: values[name] for name in values if name in self.columns}

    def _is_archived(self, name: str) -> bool:
        archive = PurePosixPath(self.archive)
        return bool(self.archive) and archive in PurePosixPath(name).parents


@dataclass(frozen=True)
class TextFiles(Files):
    """Files of text, which may be compressed: as their suffix says, or all alike.

    `member` says which files of a ZIP archive are meant; each is a partition.
    """

    compression: str | None = None
    member: str = "*"

    def open(self, folder: Folder, partition: Partition) -> io.BufferedReader:
        """The unpacked bytes of a file."""
        name = _path(partition)
        member = str(partition.detail.get("member", ""))
        return unpacked(
            folder.open(name), self._compression(name), folder.spell(name), member
        )

    def _parts(self, folder: Folder, file: Found) -> list[Partition]:
        if self._compression(file.name) != "zip":
            return super()._parts(folder, file)
        with folder.open(file.name) as archive:
            names = members(archive, folder.spell(file.name), self.member)
        return [
            Partition(
                file=f"{file.name}/{name}",
                detail={"version": file.version, "path": file.name, "member": name},
            )
            for name in names
        ]

    def _compression(self, name: str) -> str:
        return self.compression or compression_of(name)


def distinct(header: list[str]) -> list[str]:
    """The same names; one that is there already, so nobody reads it, gets a number."""
    names: list[str] = []
    for name in header:
        numbered = (f"{name}.{number}" for number in count(2))
        new = (other for other in numbered if other not in {*names, *header})
        names.append(next(new) if name in names else name)
    return names


def spell(folder: Folder, partition: Partition) -> str:
    """The whole name of a partition's file, for people."""
    return folder.spell(str(partition.file))


def _path(partition: Partition) -> str:
    """The file that a partition is, or is a part of."""
    return str(partition.detail.get("path", partition.file))


def _is_published(file: Found, window: Window) -> bool:
    return window.published.get(file.name) == file.version


@contextmanager
def _unchanged(folder: Folder, name: str) -> Iterator[None]:
    """A block in which a file must stay as it is; one that changes may be the reason of
    any error."""
    before = folder.look(name)
    if before is None:
        raise RetryableError(f"{folder.spell(name)}: the file is gone")
    try:
        yield
    except (OSError, ValueError, PipelineError) as error:
        if _changed(folder, before):
            raise _changed_error(folder, name) from error
        raise
    if _changed(folder, before):
        raise _changed_error(folder, name)


def _changed(folder: Folder, before: Found) -> bool:
    return folder.look(before.name) != before


def _changed_error(folder: Folder, name: str) -> RetryableError:
    return RetryableError(
        f"{folder.spell(name)}: the file changed while it was read",
        "Whoever writes it should write another file and rename that.",
    )
