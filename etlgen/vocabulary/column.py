"""A column as the vocabulary sees it, however its spec was written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from etlgen.vocabulary.derive import Template

Severity = Literal["error", "warn"]


class BadValue(ValueError):
    """A value that does not fit; the text continues "the value …"."""


@dataclass(frozen=True, slots=True)
class ColumnType:
    """`numeric(12,2)` is ColumnType("numeric", 12, 2); the other types have no arguments."""

    name: str
    precision: int = 0
    scale: int = 0

    def __str__(self) -> str:
        return f"numeric({self.precision},{self.scale})" if self.precision else self.name


@dataclass(frozen=True, slots=True)
class Notation:
    """How the source writes the values of a column."""

    format: str | None = None
    also: tuple[str, ...] = ()  # other formats, tried in this order where the first does not fit
    timezone: str | None = None
    decimal_mark: str = "."
    thousands_mark: str = ""
    null_values: tuple[str, ...] = ()
    writes_null: bool = True  # False where the source has no way to say NULL
    is_typed: bool = False  # cells come with the column's own type, as from a database, not as text
    round_to: int | None = None  # decimals; None: a value with too many is refused

    @property
    def formats(self) -> tuple[str, ...]:
        """Every format that a value may have; none where it is the canonical one."""
        return () if self.format is None else (self.format, *self.also)

    @property
    def has_marks(self) -> bool:
        return self.decimal_mark != "." or self.thousands_mark != ""


@dataclass(frozen=True, slots=True)
class Clean:
    """A cleaning operation and its argument (None where it takes none)."""

    operation: str
    argument: Any = None


@dataclass(frozen=True, slots=True)
class Check:
    """A rule whose argument has been read as a value of the column's type."""

    rule: str
    argument: object
    severity: Severity
    message: str


@dataclass(frozen=True, slots=True)
class Column:
    """A column with everything resolved: what the plan prints and the samples are made of."""

    name: str
    type: ColumnType
    from_names: tuple[str, ...] = ()
    nullable: bool = True
    in_key: bool = False
    is_cursor: bool = False
    tells_apart: bool = False  # rows with the same values of all such columns are one
    clean: tuple[Clean, ...] = ()
    clip: tuple[Any, Any] | None = None
    checks: tuple[Check, ...] = ()
    filters: tuple[Check, ...] = ()  # a row that does not hold is left out, and so is a NULL
    notation: Notation = Notation()
    default: object = None
    derive: Template | None = None  # it is in no source
    elements: tuple[Column, ...] = ()  # of an array of objects that is a table of its own
    is_private: bool = False
    example: str | None = None
    description: str | None = None


_TYPE = re.compile(r"([a-z]+)(?: ?\( ?(\d{1,4})(?: ?, ?(\d{1,4}))? ?\))?")


def split_type(text: str) -> tuple[str, tuple[int, ...]] | None:
    """`numeric(12, 2)` -> ("numeric", (12, 2)); None where it does not look like a type."""
    found = _TYPE.fullmatch(text.strip())
    if found is None:
        return None
    return found[1], tuple(int(part) for part in found.groups()[1:] if part is not None)


def plain_text(raw: object) -> str | None:
    """The text of a scalar as it stood in the spec; None where it is no text or number."""
    if isinstance(raw, bool) or not isinstance(raw, str | int | Decimal | float):
        return None
    return str(raw)
