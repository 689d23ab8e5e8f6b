"""Numbers as rows, each cell as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from .resource import Partition, Window


@dataclass(frozen=True)
class Numbers:
    """Consecutive numbers, the same in each column."""

    columns: Sequence[str]
    count: int

    def partitions(self, window: Window) -> list[Partition]:
        """All of them at once."""
        return [Partition(0, window)]

    def read(self, start: int) -> Iterator[pd.DataFrame]:
        """One batch, whose index counts from 1."""
        texts = [str(number) for number in range(start, start + self.count)]
        index = pd.RangeIndex(1, self.count + 1)
        yield pd.DataFrame(dict.fromkeys(self.columns, texts), index, dtype="string[pyarrow]")
