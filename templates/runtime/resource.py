"""What a resource is: where rows come from, what they must be, how they are loaded."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import KW_ONLY, dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import TIMESTAMP, BigInteger, Column, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from .errors import ConfigError
from .problems import Problems

if TYPE_CHECKING:
    from .keys import Keys
    from .table_checks import TableCheck

DELETED_AT = "_deleted_at"
LINEAGE = ("_run_id", "_loaded_at", "_source_file", "_source_row", DELETED_AT)
EXTRA = "_extra"


def lineage() -> list[Column[Any]]:
    """Where a row came from, and what the source sent beside the declared columns."""
    return [
        Column("_run_id", Text, nullable=False),
        Column("_loaded_at", TIMESTAMP(timezone=True), nullable=False),
        Column(EXTRA, JSONB),
    ]


def file_lineage() -> list[Column[Any]]:
    """`lineage`, with the file and the record in it, counted from 1."""
    return [*lineage(), Column("_source_file", Text), Column("_source_row", BigInteger)]


def deleted_at() -> Column[Any]:
    """When a row was deleted at the source: with this column it is kept, and marked."""
    return Column(DELETED_AT, TIMESTAMP(timezone=True))


Value = datetime | date | int | Decimal | str
"""A value of a cursor, as Python has it."""

Interval = tuple[datetime | str | None, datetime | str | None]
"""Start and end as a person or a scheduler gives them; None is open."""


Transform = Callable[[pd.DataFrame, Problems], pd.DataFrame]
Check = Callable[[pd.DataFrame, Problems], None]


def nothing_more(rows: pd.DataFrame, problems: Problems) -> None:
    """A check that asks for nothing but what the table does."""


@dataclass(frozen=True)
class Child:
    """A table with a row for each element of the arrays in a `column` of its parent.

    `keys` are what its elements are read by, `product.name` being one inside another object; of
    those in `documents` a string stays JSON. The elements of a batch go through a `transform` and
    a `check` of their own. The rows of a parent are replaced together with it. `table` begins with
    `child_key`.
    """

    table: Table
    column: str
    keys: Sequence[str | tuple[str, ...]]
    transform: Transform
    check: Check = nothing_more
    documents: Sequence[str] = ()


@dataclass(frozen=True)
class Append:
    """Add the rows; loading a file, window or run again replaces what it brought.

    `cursor` is the column that windows are cut by and that incremental loads go on from. Of rows
    with the same values of the columns `deduplicate` only the newest by it is added, or else the
    last; where the table has a primary key, that says which are the same.
    Rows that have the same values of the columns `replace_by` as a new one are replaced,
    whatever brought them.
    """

    table: Table
    cursor: str | None = None
    _: KW_ONLY
    initial_value: Value | None = None
    lookback: timedelta | int | None = None
    delay: timedelta | None = None
    by_interval: bool = False
    replace_by: Sequence[str] = ()
    deduplicate: Sequence[str] = ()
    children: Sequence[Child] = ()
    name = "append"

    @property
    def newest_by(self) -> str | None:
        """The column that says which of two rows is newer."""
        return self.cursor


@dataclass(frozen=True)
class Replace:
    """The table becomes what was read; nothing read keeps it, unless `allow_empty`.

    Of rows with the same primary key, or else the same values of the columns `deduplicate`, the
    newest by `newest_by` stays, or else the last.
    """

    table: Table
    allow_empty: bool = False
    _: KW_ONLY
    newest_by: str | None = None
    deduplicate: Sequence[str] = ()
    children: Sequence[Child] = ()
    cursor = None
    name = "replace"


@dataclass(frozen=True)
class DeleteMissing:
    """Each run reads all there is, so a row of the table that was not read is deleted.

    More than `max_rows` or `max_share` of the table end the run before anything is published. A
    run that read nothing deletes nothing, unless `allow_empty`.
    """

    _: KW_ONLY
    max_rows: int | None = None
    max_share: Decimal | None = None
    allow_empty: bool = False

    def allows(self, missing: int, rows: int) -> bool:
        """Whether so many of the table's rows may be deleted."""
        few = self.max_rows is None or missing <= self.max_rows
        return few and (self.max_share is None or missing <= self.max_share * rows)


@dataclass(frozen=True)
class Merge:
    """Rows with a new primary key are inserted, those that differ are updated.

    With a `cursor`, an older row never overwrites a newer one, and incremental loads go on from
    it: first from `initial_value`, then from where the last one came to, less `lookback`; rows
    younger than `delay` wait for the next. `by_interval` leaves that to the scheduler's interval.

    A row whose column `deleted` is neither NULL nor false is deleted, and with `missing` so is
    one that was not read; where the table has the column `_deleted_at`, it is only marked.
    """

    table: Table
    cursor: str | None = None
    _: KW_ONLY
    initial_value: Value | None = None
    lookback: timedelta | int | None = None
    delay: timedelta | None = None
    by_interval: bool = False
    deleted: str | None = None
    missing: DeleteMissing | None = None
    children: Sequence[Child] = ()
    deduplicate = ()
    name = "merge"

    @property
    def newest_by(self) -> str | None:
        """The column that says which of two rows is newer."""
        return self.cursor


Load = Append | Replace | Merge


@dataclass(frozen=True)
class Range:
    """The values of one column that a run reads: from `low` on, up to `high` without it."""

    column: str
    low: Value | None = None
    high: Value | None = None

    def as_detail(self) -> dict[str, Any]:
        """As JSON that `Range.of` reads, to travel with a partition."""
        return {
            "column": self.column,
            "low": _tagged(self.low),
            "high": _tagged(self.high),
        }

    @classmethod
    def of(cls, detail: Mapping[str, Any]) -> Range:
        """What `as_detail` gave."""
        return cls(
            detail["column"], _untagged(detail["low"]), _untagged(detail["high"])
        )


@dataclass(frozen=True)
class Window:
    """The part of the source that a run reads; None is open.

    `start` and `end`, without `end` itself, were asked for by a person or a scheduler. `since` and
    `until` are the same as values of the cursor; where nobody asked, they follow from where the
    last load came to.
    `published` has the version of each file of the resource that is in the table already, `keys`
    the values of each `{name}` that the resource is read for.
    """

    start: datetime | None = None
    end: datetime | None = None
    since: Value | None = None
    until: Value | None = None
    published: Mapping[str, str] = field(
        default_factory=dict, compare=False, repr=False
    )
    keys: Mapping[str, Sequence[str]] = field(
        default_factory=dict, compare=False, repr=False
    )

    @classmethod
    def between(
        cls, start: datetime | str | None, end: datetime | str | None
    ) -> Window:
        """A window as a scheduler gives it; a moment without an offset is UTC."""
        return cls(_moment(start), _moment(end))

    def of(self, column: str) -> Range:
        """The values of the cursor, as the source calls it."""
        return Range(column, self.since, self.until)


@dataclass(frozen=True)
class Reject:
    """A record that could not even be read."""

    position: int
    rule: str
    payload: str


@dataclass
class Partition:
    """A part of a resource that is read on its own: a file, a range of keys."""

    number: int = 0
    window: Window = Window()
    file: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)

    def reject(self, position: int, rule: str, payload: str) -> None:
        """Set aside the record at this position, from 1, which could not be read."""
        self.rejects.append(Reject(position, rule, payload))


@dataclass(frozen=True)
class Resource:
    """One module of `sources/`, ready to run.

    It is read for `each` of some values, where a path of the source has their names in it. Values
    of `private` columns, named as in the source and as in the table, are told nowhere.
    """

    name: str
    load: Load
    connect: Callable[[], Any]
    partitions: Callable[[Any, Window], Sequence[Partition]]
    extract: Callable[[Any, Partition], Iterator[pd.DataFrame]]
    transform: Transform
    check: Check
    checks: Sequence[TableCheck] = ()
    each: Mapping[str, Keys] = field(default_factory=dict)
    private: frozenset[str] = frozenset()
    after_publish: Callable[[Any, Partition], None] | None = None

    @contextmanager
    def source(self) -> Iterator[Any]:
        """What `connect` gives, for a block; it is closed after that if it can be."""
        source = self.connect()
        with closing(source) if hasattr(source, "close") else nullcontext(source):
            yield source

    def window(self, asked: Interval, interval: Interval) -> Window:
        """What a scheduled run reads: what a person asked for, or else what is due.

        Where loads go on from a cursor, a missed interval would be a gap and a late row be lost, so
        there the interval counts only if the resource says so.
        """
        if any(asked):
            return Window.between(*asked)
        if isinstance(self.load, Replace) or self.load.cursor is None:
            return Window.between(*interval)
        if not self.load.by_interval:
            return Window()
        window = Window.between(*interval)
        if window.start and isinstance(self.load.lookback, timedelta):
            return replace(window, start=window.start - self.load.lookback)
        return window

    @classmethod
    def of(cls, module: ModuleType, connect: Callable[[], Any]) -> Resource:
        """The resource that a module describes, read through `connect`."""
        source, name = module.__name__.split(".")[-2:]
        needed = ("LOAD", "partitions", "extract", "transform", "check")
        missing = [part for part in needed if not hasattr(module, part)]
        if missing:
            raise ConfigError(
                f"{module.__file__} is not a resource: it has no {', '.join(missing)}",
                "Move helpers out of sources/, or name them with a leading underscore.",
            )
        return cls(
            name=f"{source}.{name}",
            load=module.LOAD,
            connect=connect,
            partitions=module.partitions,
            extract=module.extract,
            transform=module.transform,
            check=module.check,
            checks=getattr(module, "CHECKS", ()),
            each=getattr(module, "EACH", {}),
            private=frozenset(getattr(module, "PRIVATE", ())),
            after_publish=getattr(module, "after_publish", None),
        )


def _moment(value: datetime | str | None) -> datetime | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        raise ConfigError(
            f"{value!r} is not a moment", "Write it like 2026-01-31T00:00:00Z."
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _tagged(value: Value | None) -> dict[str, str] | None:
    return None if value is None else {type(value).__name__: str(value)}


def _untagged(value: Mapping[str, str] | None) -> Value | None:
    if value is None:
        return None
    ((kind, text),) = value.items()
    return READ_VALUE[kind](text)


READ_VALUE: Mapping[str, Callable[[str], Value]] = {
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "int": int,
    "Decimal": Decimal,
    "str": str,
}


def resource_names(sources: ModuleType) -> list[str]:
    """`source.resource` for each module in the package `sources`; imports none."""
    names = []
    for source in pkgutil.iter_modules(sources.__path__):
        folders = [f"{folder}/{source.name}" for folder in sources.__path__]
        names += [
            f"{source.name}.{module.name}"
            for module in pkgutil.iter_modules(folders)
            if module.name != "connection" and not module.name.startswith("_")
        ]
    return sorted(names)


def find_resource(sources: ModuleType, name: str) -> Resource:
    """Import one resource by its name `source.resource`."""
    if name not in resource_names(sources):
        known = ", ".join(resource_names(sources)) or "none yet"
        raise ConfigError(f"there is no resource {name!r}", f"Resources: {known}")
    source, _, resource = name.partition(".")
    package = f"{sources.__name__}.{source}"
    module = importlib.import_module(f"{package}.{resource}")
    return Resource.of(module, importlib.import_module(f"{package}.connection").connect)
