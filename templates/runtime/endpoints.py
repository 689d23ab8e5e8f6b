"""An endpoint of a REST API as partitions of a resource, and its records as batches.

Every cell comes as text: a string as its characters, all else as the JSON that stands there. A
batch's index counts the records of the partition from 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from itertools import product

import msgspec
import pandas as pd
import pyarrow as pa

from .columns import arrow_frame
from .errors import ConfigError, RetryableError
from .fan_out import Key, fan_out, filled
from .http import Answer, Api, Params
from .json_cells import parents_of
from .json_paths import select
from .json_records import records_table, with_columns, with_values
from .newest_first import NewestFirst
from .pages import Page, Pages
from .resource import Partition, Range, Value, Window

BATCH_RECORDS = 10_000
BATCH_BYTES = 16 << 20
KEYS_A_PART = 50
MOST_PARTS = 1_000
EPOCH, SECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(seconds=1)


@dataclass(frozen=True)
class Query:
    """A query parameter that takes a value of the cursor.

    `format` is iso, epoch, epoch_ms, or a strptime pattern; a moment is spelled in UTC.
    """

    param: str
    format: str = "iso"

    def spell(self, value: Value) -> str:
        """The value as the server reads it."""
        if not isinstance(value, date):
            return str(value)
        if isinstance(value, datetime) and value.tzinfo:
            value = value.astimezone(UTC)
        if self.format == "iso":
            return value.isoformat().replace("+00:00", "Z")
        if self.format in ("epoch", "epoch_ms"):
            unit = timedelta(milliseconds=1) if self.format == "epoch_ms" else SECOND
            return str((_moment(value) - EPOCH) // unit)
        return value.strftime(self.format)


@dataclass(frozen=True)
class Endpoint:
    """Records at a path of an API, and the columns that are read of them.

    A column is a member's name, or `address.city` for one inside another; a tuple are names of
    which a record has one. An object on the way to a column is opened, and its other members come
    as columns too. Members in `documents` stay JSON also where they hold a string. `cursor` goes
    into the query as `since` and `until`; `slices` cuts what lies between into parts that are read
    on their own. Where the API lists the newest first, the pages are read down to the cursor.

    A `{name}` in the path takes each key of the window's `keys`, `in_flight` of them at a time, and
    is a column of the records. With `skip_missing`, one that the API does not find has no records;
    that it finds none of several is an error.
    """

    path: str
    columns: Sequence[str | tuple[str, ...]]
    records: str = "$[*]"
    pages: Pages = field(default_factory=Pages)
    params: Params = field(default_factory=dict)
    documents: Sequence[str] = ()
    cursor: str | None = None
    since: Query | None = None
    until: Query | None = None
    slices: timedelta | None = None
    newest_first: NewestFirst | None = None
    in_flight: int = 4
    skip_missing: bool = False

    def partitions(self, api: Api, window: Window) -> list[Partition]:
        """One partition for each slice, or more where it is read for many keys."""
        ranges = [None] if self.cursor is None else self._ranges(window.of(self.cursor))
        names, keys = list(window.keys), list(product(*window.keys.values()))
        size = max(KEYS_A_PART, -(-len(keys) // MOST_PARTS))
        parts = [keys[at : at + size] for at in range(0, len(keys), size)]
        return [
            Partition(
                number,
                window,
                detail={
                    "keys": [dict(zip(names, key, strict=True)) for key in part],
                    "range": None if values is None else values.as_detail(),
                },
            )
            for number, (part, values) in enumerate(product(parts, ranges))
        ]

    def read(self, api: Api, partition: Partition) -> Iterator[pd.DataFrame]:
        """The records of a partition in batches; what is not an object is set aside."""
        first, size = 1, 0
        found: list[tuple[Key, list[msgspec.Raw]]] = []
        for key, page in self._pages(api, partition):
            if not found or found[-1][0] != key:
                found.append((key, []))
            found[-1][1].extend(page.records)
            size += len(page.answer.body)
            count = sum(len(records) for _, records in found)
            if count >= BATCH_RECORDS or size >= BATCH_BYTES:
                yield self._frame(found, first, partition)
                first, size, found = first + count, 0, []
        yield self._frame(found or [({}, [])], first, partition)

    def _is_past(self, page: Page, partition: Partition) -> bool:
        """Whether all that follows was loaded before."""
        if self.newest_first is None:
            return False
        low = Range.of(partition.detail["range"]).low
        return self.newest_first.is_past(page.records, low)

    def _frame(
        self,
        found: list[tuple[Key, list[msgspec.Raw]]],
        first: int,
        partition: Partition,
    ) -> pd.DataFrame:
        """Records of one key after the other as columns; they are counted from `first`."""
        labels, tables = list[int](), list[pa.Table]()
        for key, records in found:
            values = {f"{{{name}}}": value for name, value in key.items()}
            for start, table in self._tables(records, first, partition):
                labels += range(start, start + table.num_rows)
                tables.append(with_values(table, values))
            first += len(records)
        table = pa.concat_tables(tables, promote_options="default")
        columns = zip(table.column_names, table.columns, strict=True)
        return arrow_frame(list(columns), labels)

    def _tables(
        self, records: list[msgspec.Raw], first: int, partition: Partition
    ) -> Iterator[tuple[int, pa.Table]]:
        """The records as one table, or halved until those that are no objects stand alone."""
        try:
            table = records_table(records, self._opened, self.documents)
        except (msgspec.DecodeError, UnicodeError, pa.ArrowInvalid, RecursionError):
            if len(records) > 1:
                half = len(records) // 2
                yield from self._tables(records[:half], first, partition)
                yield from self._tables(records[half:], first + half, partition)
                return
            payload = bytes(records[0]).decode("utf-8", errors="backslashreplace")
            partition.reject(first, "is not a JSON object", payload)
            records, table = [], pa.table({})
        yield first, with_columns(table, len(records), self._names)

    def _pages(self, api: Api, partition: Partition) -> Iterator[tuple[Key, Page]]:
        params = self._params(partition)

        def fetch(path: str, params: Params, base: str = "") -> Page:
            return api.get(path, params, self._page, base=base)

        def read(key: Key) -> Iterator[Page]:
            for page in self.pages.read(fetch, filled(self.path, key), params):
                yield page
                if self._is_past(page, partition):
                    return

        keys = partition.detail["keys"]
        if keys == [{}]:
            return (({}, page) for page in read({}))
        return fan_out(keys, read, self.in_flight, skip_missing=self.skip_missing)

    def _page(self, answer: Answer) -> Page:
        try:
            return Page(answer, select(answer.body, self.records))
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise RetryableError(
                f"{answer.url.path} answers something else than JSON"
            ) from None

    def _ranges(self, values: Range) -> list[Range]:
        if self.slices is None or values.low is None:
            return [values]
        low, high = _moment(values.low), _moment(values.high or datetime.now(UTC))
        cuts = [values.low]
        while (low := low + self.slices) < high:
            cuts.append(low if isinstance(values.low, datetime) else low.date())
        ends = [*cuts[1:], values.high]
        return [
            Range(values.column, start, end)
            for start, end in zip(cuts, ends, strict=True)
        ]

    def _params(self, partition: Partition) -> dict[str, str]:
        params = dict(self.params)
        if partition.detail["range"] is not None:
            values = Range.of(partition.detail["range"])
            for query, value in ((self.since, values.low), (self.until, values.high)):
                if query is not None and value is not None:
                    params[query.param] = query.spell(value)
        return params

    @cached_property
    def _names(self) -> list[tuple[str, ...]]:
        return [(one,) if isinstance(one, str) else one for one in self.columns]

    @cached_property
    def _opened(self) -> set[str]:
        return parents_of([name for names in self._names for name in names])


def _moment(value: Value) -> datetime:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC)
    raise ConfigError(f"slices are of time, and {value!r} is none")
