"""Files as partitions of a resource, one each.

Every cell comes as the text that stands in the file; types are the business of
`transform`. A batch's index is the record's number in its file, from 1: in JSON Lines
the line's number, in delimited text the header is not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa

from .errors import ContractError
from .resource import Partition, Window


@dataclass(frozen=True)
class Files:
    """The files that a pattern names below a folder, and the columns of their records.

    A column given as a tuple has had several names; a file uses one of them.
    """

    pattern: str
    columns: Sequence[str | tuple[str, ...]]

    def partitions(self, folder: Path, window: Window) -> list[Partition]:
        """One partition for each file, in the order of their names.

        Raises `ContractError` if a file that must be there is not, or lacks a column.
        """
        if not folder.is_dir():
            raise ContractError(f"there is no folder {folder}")
        paths = sorted(path for path in folder.glob(self.pattern) if path.is_file())
        if not paths and not set(self.pattern) & set("*?["):
            raise ContractError(f"there is no file {folder / self.pattern}")
        for path in paths:
            self.inspect(path)
        return [
            Partition(number, window, file=path.relative_to(folder).as_posix())
            for number, path in enumerate(paths)
        ]

    def inspect(self, path: Path) -> None:
        """Raise `ContractError` if a look at the file shows that it lacks a column."""


def text_frame(
    columns: list[tuple[str, pa.Array]], records: Sequence[int]
) -> pd.DataFrame:
    """Text columns as one batch, indexed by record number."""
    arrays = {name: pd.arrays.ArrowExtensionArray(array) for name, array in columns}
    return pd.DataFrame(arrays, index=pd.Index(records, dtype="int64"))
