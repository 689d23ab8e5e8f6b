"""Synthetic rows made of types and checks, as the raw text that the source would hold.

Candidates are tried in a fixed order, and `judge` says of each what the generated project will:
its value, and the reasons for which it would be set aside. A good cell has no reason; a bad cell
breaks exactly one rule.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from etlgen.errors import Finding, SpecError
from etlgen.vocabulary.adjust import adjusted
from etlgen.vocabulary.checks import edges, holds
from etlgen.vocabulary.clean import clean_text
from etlgen.vocabulary.column import BadValue, Check, Column
from etlgen.vocabulary.derive import in_source
from etlgen.vocabulary.json_value import is_json_cell, json_array, json_object
from etlgen.vocabulary.types import TYPES, read, spell
from etlgen.vocabulary.values import WORDS

REQUIRED = "is required"
NO_ARRAY = "is not an array of objects"
MOST_REPEATS = 200  # in a text made from a regex

_COMMON = (
    *("ada@example.com", "grace@example.org", "alan@example.net", "joan@example.com"),
    *("AB", "DE", "FR", "US", "ABC", "EUR", "USD", "ABCD", "ab", "abc", "A", "B", "C", "a", "x"),
    *("A-100", "A-101", "A-102", "AB-1234", "AB-1235", "AB-1236", "a-1", "a_1", "A1", "A2", "B1"),
    *("1", "2", "3", "12", "13", "123", "124", "1234", "12345", "12346", "123456", "0012345678"),
    *("+49 30 123456", "+49301234567", "030-1234567", "555-0100", "(555) 010-0100"),
    *("2026-01-15", "2026-01-16", "2026-01-17", "09:30", "10:30", "1.0", "1.0.0", "2.0.1"),
    *("https://example.com", "https://example.org/a", "example.com", "192.0.2.1", "192.0.2.2"),
    *("#aabbcc", "#112233", "deadbeef", "Ada Lovelace", "Grace Hopper", "Alan Turing"),
)


@dataclass(frozen=True, slots=True)
class BadCell:
    """A raw cell that breaks one rule: put into a good row, it sets that row aside.

    `place` is where in the cell that is, as in `lines[1].price`; None where it is all of it.
    """

    column: str
    raw_value: str | None
    reason: str
    place: str | None = None

    @property
    def rule(self) -> str:
        """What the generated project will say of the row."""
        return f"{self.place or self.column} {self.reason}"


def good_rows(columns: Sequence[Column], count: int = 3) -> list[dict[str, str | None]]:
    """Up to `count` rows that pass every rule, with distinct primary keys.

    The last of several rows is NULL wherever that is allowed. Fewer rows come where the rules
    of the key leave no more.
    """
    read = in_source(columns)
    cells = {column.name: _good_cells(column, count) for column in read}
    in_key = [column.name for column in read if column.in_key or column.tells_apart]
    keys = _distinct_keys([cells[name] for name in in_key], count)
    rows: list[dict[str, str | None]] = []
    for index, key in enumerate(keys):
        row: dict[str, str | None] = {
            name: texts[index % len(texts)] for name, texts in cells.items()
        }
        rows.append(row | dict(zip(in_key, key, strict=True)))
    if len(rows) > 1:
        needed = _needed_parts(columns)
        blank = [one.name for one in read if _may_be_null(one) and one.name not in needed]
        kept = blank[1:] if len(blank) == len(read) else blank
        rows[-1] |= dict.fromkeys(kept)
    for row in rows:
        for column, value, reasons in _derived(columns, row):
            if reasons or (value is not None and not _is_kept(column, value)):
                raise _none_found(column.name, "the columns that it is made of")
    return rows


def _needed_parts(columns: Sequence[Column]) -> set[str]:
    """Columns without which a derived one would lack a value that it has to have."""
    return {
        name
        for column in columns
        if column.derive and not _may_be_null(column)
        for name in column.derive.columns
    }


def _derived(
    columns: Sequence[Column], row: Mapping[str, str | None]
) -> Iterator[tuple[Column, Any, tuple[str, ...]]]:
    """Each derived column, its value in this row, and the reasons against it."""
    known = {column.name: column for column in columns}

    def text_of(name: str) -> str | None:
        part, raw = known[name], row[name]
        value, _ = judge(part, raw)
        is_written = raw is None or part.type.name == "text" or part.notation.has_marks
        if value is None or not (is_written or part.notation.format):
            return raw.strip() if raw is not None else None
        return spell(value, part.type)

    for column in columns:
        if column.derive is not None:
            yield column, *judge(column, column.derive.filled(text_of))


def alike(
    rows: Sequence[Mapping[str, str | None]], columns: Sequence[Column], same: Sequence[Column]
) -> list[Mapping[str, str | None]]:
    """The rows with the values of some columns the same for all; of those with one key, the first.

    So they can stand in one file or answer, in whose path these values are.
    """
    shared = {column.name: rows[0][column.name] for column in same}
    changed = [{**row, **shared} for row in rows]
    keys = [one.name for one in in_source(columns) if one.in_key or one.tells_apart]
    if not keys:
        return list(changed)
    distinct = {tuple(row[key] for key in keys): row for row in reversed(changed)}
    return list(reversed(distinct.values()))


def element_counts(
    columns: Sequence[Column], rows: Iterable[Mapping[str, str | None]]
) -> dict[str, int]:
    """How many rows the arrays of these rows become, by the column that has them."""
    found = list(rows)
    return {
        column.name: sum(len(json.loads(row[column.name] or "[]")) for row in found)
        for column in columns
        if column.elements
    }


def bad_cells(columns: Sequence[Column]) -> list[BadCell]:
    """A cell for each rule that can be broken alone: the type, `is required`, each error check."""
    found = itertools.chain.from_iterable(map(_bad_cells, in_source(columns)))
    if not any(column.derive for column in columns):
        return list(found)
    good = good_rows(columns)[0]
    return [cell for cell in found if not _spoils_others(columns, good, cell)]


def _spoils_others(
    columns: Sequence[Column], good: Mapping[str, str | None], cell: BadCell
) -> bool:
    """Whether a derived column would be bad, too."""
    row = {**good, cell.column: cell.raw_value}
    return any(reasons for _, _, reasons in _derived(columns, row))


def judge(column: Column, raw: str | None) -> tuple[Any, tuple[str, ...]]:
    """The value of a raw cell, and the reasons for which the row would be set aside."""
    text = None if raw in column.notation.null_values else raw
    if column.elements:
        return _judge_array(column, text)
    text = clean_text(text, column.clean) if text is not None else None
    try:
        value = read(text, column.type, column.notation) if text is not None else None
    except BadValue as reason:
        return None, (str(reason),)
    if value is None:
        value = column.default
    if value is None:
        return None, () if column.nullable else (REQUIRED,)
    value = adjusted(column, value)
    broken = (check for check in _error_checks(column) if not holds(check, value))
    return value, tuple(map(_broken, broken))


def _judge_array(column: Column, text: str | None) -> tuple[Any, tuple[str, ...]]:
    """`judge` of an array whose elements become rows: what it is as a whole."""
    if text is None:
        return None, () if column.nullable else (REQUIRED,)
    try:
        elements = json.loads(text)
    except ValueError:
        elements = None
    if not isinstance(elements, list) or not all(isinstance(one, dict) for one in elements):
        return None, (NO_ARRAY,)
    return text, ()


def _good_arrays(elements: Sequence[Column]) -> Iterator[str]:
    """Two elements, one, none."""
    objects = [json_object(elements, row) for row in good_rows(elements)]
    yield json_array(objects[:2])
    yield json_array(objects[2:] or objects[:1])
    yield json_array([])


def _bad_arrays(column: Column) -> Iterator[BadCell]:
    yield BadCell(column.name, '{"sample": 1}', NO_ARRAY)
    if not column.nullable:
        yield BadCell(column.name, None, REQUIRED)
    good = good_rows(column.elements)[0]
    for cell in bad_cells(column.elements):
        if is_json_cell(column.elements, cell.column, cell.raw_value):
            broken = {**good, cell.column: cell.raw_value}
            objects = [json_object(column.elements, row) for row in (good, broken)]
            place = f"{column.name}[2].{cell.column}"
            yield BadCell(column.name, json_array(objects), cell.reason, place)


def _broken(check: Check) -> str:
    return f'breaks "{check.message}"'


def _error_checks(column: Column) -> list[Check]:
    return [check for check in column.checks if check.severity == "error"]


def _good_cells(column: Column, count: int) -> list[str]:
    """Texts of distinct values; those that also pass the warnings, where there are any."""
    if column.elements:
        return list(itertools.islice(_good_arrays(column.elements), count))
    for is_good in (_passes_everything, _passes):
        found: dict[Any, str] = {}
        for text in _candidates(column):
            value, _ = judge(column, text)
            if value is not None and is_good(column, text) and value not in found:
                found[value] = text
                if len(found) == count:
                    break
        if found:
            return list(found.values())
    raise _none_found(column.name)


def _none_found(column: str, where: str = "the column") -> SpecError:
    message = f"no value could be made up that passes the checks of the column {column!r}"
    hint = f"add one to {where}: 'example: …'"
    return SpecError(Finding(None, None, None, "example", message, hint))


def _passes(column: Column, text: str) -> bool:
    value, reasons = judge(column, text)
    return not reasons and _is_kept(column, value)


def _is_kept(column: Column, value: Any) -> bool:
    return all(holds(rule, value) for rule in column.filters)


def _passes_everything(column: Column, text: str) -> bool:
    value, _ = judge(column, text)
    return _passes(column, text) and all(holds(check, value) for check in column.checks)


def _distinct_keys(cells: list[list[str]], count: int) -> Iterable[tuple[str, ...]]:
    """Side by side where that is distinct, as in (1, a), (2, b); else every combination."""
    if not cells:
        return [()] * count
    if any(len(texts) >= count for texts in cells):
        return [tuple(texts[n % len(texts)] for texts in cells) for n in range(count)]
    return itertools.islice(itertools.product(*cells), count)


def _may_be_null(column: Column) -> bool:
    is_free = column.nullable and not (column.in_key or column.is_cursor or column.filters)
    return is_free and column.notation.writes_null


def _bad_cells(column: Column) -> Iterator[BadCell]:
    if column.elements:
        yield from _bad_arrays(column)
        return
    type_name = column.type.name
    wrong = next((text for text in TYPES[type_name].bad if _breaks_type(column, text)), None)
    if wrong is not None:
        yield BadCell(column.name, wrong, judge(column, wrong)[1][0])
    if column.notation.writes_null and judge(column, None)[1] == (REQUIRED,):
        yield BadCell(column.name, None, REQUIRED)
    for check in _error_checks(column):
        for text in itertools.chain(_candidates(column), _wild_texts(column)):
            value, reasons = judge(column, text)
            if reasons == (_broken(check),) and _is_kept(column, value):
                yield BadCell(column.name, text, _broken(check))
                break


def _breaks_type(column: Column, text: str) -> bool:
    value, reasons = judge(column, text)
    return value is None and len(reasons) == 1 and reasons != (REQUIRED,)


def _candidates(column: Column) -> Iterator[str]:
    """Texts in the source's notation, the nicest first."""
    if column.example is not None:
        yield column.example
    rules = (*column.filters, *column.checks)
    values = [value for check in rules for value in edges(check, column.type)]
    samples = TYPES[column.type.name].samples(column.type)
    narrow = ("one_of", "length", "not_in_future")
    is_narrow = any(check.rule in narrow for check in rules)
    for value in itertools.chain(values, samples) if is_narrow else [*samples, *values]:
        with suppress(ValueError, OverflowError):  # a year that a format or a zone cannot say
            yield spell(value, column.type, column.notation)
    patterns = [str(check.argument) for check in rules if check.rule == "matches"]
    if patterns:
        yield from _COMMON
        yield from itertools.chain.from_iterable(map(_made_from, patterns))


def _wild_texts(column: Column) -> Iterator[str]:
    if column.type.name == "text":
        yield from ("?", "!!", "nonsense", " ", "0", "x" * 1000, "#?#", *_COMMON, *WORDS)


class _Short(random.Random):
    """Keeps `*` and `+` short: rstr repeats up to 100 times, and a group in a group each time."""

    longest = 3
    repeats = 0

    def randint(self, a: int, b: int) -> int:
        self.repeats += 1
        if self.repeats > MOST_REPEATS:
            raise OverflowError("repeats within repeats")
        return super().randint(a, min(b, a + self.longest))


def _made_from(pattern: str, tries: int = 60) -> Iterator[str]:
    """Texts that Python takes the pattern for; RE2 has the last word in `judge`."""
    import rstr

    chance = _Short(pattern)
    generator = rstr.Rstr(chance)
    for number in range(tries):
        chance.longest, chance.repeats = (2, 4, 8, 100)[number % 4], 0
        try:
            text = generator.xeger(pattern)
        except OverflowError:
            continue
        except Exception:  # rstr does not say what it raises for syntax that it cannot make
            return
        if text.isprintable() and text.isascii() and len(text) <= 200:
            yield text
