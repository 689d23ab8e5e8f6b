"""What is wrong with a batch: a bad row is set aside with its reasons."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pandas as pd

from .errors import ContractError

Severity = Literal["warn", "error"]
LONGEST_VALUE = 200
HIDDEN = "(hidden)"


@dataclass(frozen=True)
class Reason:
    """Why a row was set aside: the column, the rule it breaks, the value that does."""

    column: str
    rule: str
    value: str | None

    def as_dict(self) -> dict[str, Any]:
        """As it is stored in quarantine."""
        return asdict(self)


@dataclass
class Problems:
    """What is wrong in a batch. A row goes by its label in the raw batch's index.

    Values of `private` columns are never kept.
    """

    reasons: dict[int, list[Reason]] = field(default_factory=lambda: defaultdict(list))
    warnings: dict[tuple[str, str], int] = field(
        default_factory=lambda: defaultdict(int)
    )
    rows: pd.DataFrame = field(default_factory=pd.DataFrame)
    private: frozenset[str] = frozenset()
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def furthest_clock(self) -> datetime:
        """What the clocks show now where the day is furthest on, which is at UTC+14.

        A day or a time without a zone that is later than this is in the future anywhere.
        """
        return (self.now + timedelta(hours=14)).replace(tzinfo=None)

    def require(
        self, column: str, rule: str, holds: pd.Series, severity: Severity = "error"
    ) -> None:
        """Set aside the rows where `holds` is False; with `warn`, only count them.

        A NULL in `column` passes, whatever `holds` says of it: that it must be there is
        the table's `nullable=False`.
        """
        if column not in self.rows:
            raise ContractError(
                f"check() requires something of {column!r}, which is no column",
                f"Columns: {', '.join(map(str, self.rows.columns))}",
            )
        values = self.rows[column]
        broken = values.index[values.notna() & ~holds.fillna(True).astype(bool)]
        if severity == "warn":
            self.warnings[column, rule] += len(broken)
        else:
            self.add(column, f'breaks "{rule}"', values.loc[broken])

    def add(self, column: str, rule: str, values: pd.Series) -> None:
        """Set rows aside: `values` are the cells of `column` that break `rule`."""
        for row, value in values.items():
            self.add_reason(row, Reason(column, rule, _shorten(value)))

    def add_reason(self, row: int, reason: Reason) -> None:
        """Set one row aside; what a private column holds is not told."""
        if reason.value is not None and self._is_private(reason.column):
            reason = replace(reason, value=HIDDEN)
        self.reasons[row].append(reason)

    def _is_private(self, column: str) -> bool:
        """Also of an element of an array, whose column is called `lines[2].price`."""
        names = (column, column.partition("[")[0], column.rpartition("].")[2])
        return not self.private.isdisjoint(names)

    def has(self, column: str, row: int) -> bool:
        """Whether this cell has a reason already, and a second would only be noise."""
        return any(reason.column == column for reason in self.reasons.get(row, ()))


def _shorten(value: object) -> str | None:
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return None
    text = str(value)
    return text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + "…"
