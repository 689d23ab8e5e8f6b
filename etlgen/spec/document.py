"""YAML as a tree of plain values that know where they stand, read defensively.

Events are read one by one and refused as soon as one is not wanted: no anchors, aliases, tags,
merge keys, duplicate keys, second documents, and limits on depth and size. Plain scalars are
those of YAML 1.2: `NO`, `007`, `12:30`, `1_000` are text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import yaml

from etlgen.errors import Finding, SpecError, holds_secret, masked
from etlgen.names import shown
from etlgen.spec.problem import Path, Problem
from etlgen.spec.text import LINE_BREAK, MAX_BYTES, too_big

MAX_DEPTH = 64

_INT = re.compile(r"[-+]?(0|[1-9][0-9]{0,99})", re.ASCII)
_FLOAT = re.compile(
    r"[-+]?(\.[0-9]{1,99}|(0|[1-9][0-9]{0,99})(\.[0-9]{0,99})?)([eE][-+]?[0-9]{1,3})?", re.ASCII
)
_WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_WORDS |= {"true": True, "True": True, "TRUE": True}
_WORDS |= {"false": False, "False": False, "FALSE": False}
_CONFLICT = re.compile(r"<{7} |={7}$|>{7} ")
_SECRET = "a password in a spec would be committed"
_NO_SECRET = "write ${NAME} here and set NAME in the environment or .env"
# Without libyaml it is the same, only slower.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the text; both count from 0, as slices do."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Span:
    """Where a value starts and ends, where its key starts, and whether it is in flow style."""

    start: Mark
    end: Mark
    key: Mark | None = None
    is_flow: bool = False


@dataclass(frozen=True)
class Document:
    """One YAML file: its plain values, and the place of each by its path."""

    name: str
    text: str
    lines: tuple[str, ...]
    tree: Any
    spans: dict[Path, Span]

    def finding(self, problem: Problem, within: Path = ()) -> Finding:
        """The problem with its place; `within` leads to the model that found it."""
        path, at_key = (*within, *problem.path), problem.at_key
        while path and path not in self.spans:
            path, at_key = path[:-1], True
        span = self.spans[path]
        mark = span.key if at_key and span.key else span.start
        return self.finding_at(mark, problem.code, problem.message, problem.hint)

    def finding_at(self, mark: Mark, code: str, message: str, hint: str | None = None) -> Finding:
        """A finding at a place of this file."""
        return _finding(self.name, self.lines, mark, code, message, hint)


def parse_document(text: str, name: str) -> Document:
    """The document of a YAML text; SpecError at the first thing that is not wanted."""
    if len(text) > MAX_BYTES:
        raise too_big(name, len(text))
    text = text.removeprefix("\ufeff")
    lines = tuple(LINE_BREAK.split(text))
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except _Unwanted as unwanted:
        _require_no_conflict(name, lines)
        found = _finding(name, lines, unwanted.mark, "yaml", unwanted.message, unwanted.hint)
        raise SpecError(found) from None
    except yaml.reader.ReaderError as error:
        raise SpecError(_unreadable(text, name, lines, error)) from None
    except yaml.MarkedYAMLError as error:
        _require_no_conflict(name, lines)
        raise SpecError(_syntax_error(name, lines, error)) from None
    return Document(name, text, lines, builder.tree, builder.spans)


class _Unwanted(Exception):
    def __init__(self, event: Any, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.mark = Mark(event.start_mark.line, event.start_mark.column)
        self.message = message
        self.hint = hint


@dataclass
class _Open:
    """A collection whose end has not come yet."""

    value: dict[str, Any] | list[Any]
    path: Path
    start: Mark
    key_mark: Mark | None
    is_flow: bool
    waiting: str | None = None  # a key without its value
    waiting_mark: Mark | None = None
    cut: str | None = None  # the key of a plain value that ends inside parentheses


class _Builder:
    """Turns events into the tree and its spans."""

    def __init__(self) -> None:
        self.tree: Any = None
        self.spans: dict[Path, Span] = {(): Span(Mark(0, 0), Mark(0, 0))}
        self._open: list[_Open] = []
        self._documents = 0

    def take(self, event: Any) -> None:
        if isinstance(event, yaml.DocumentStartEvent):
            self._start_document(event)
        elif isinstance(event, yaml.AliasEvent):
            raise _Unwanted(event, "aliases (*) are not read", "write the value out, or quote it")
        elif isinstance(event, yaml.NodeEvent):
            self._refuse_decoration(event)
            self._take_node(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            opened = self._open.pop()
            self._close(opened, _mark(event.end_mark))

    def _start_document(self, event: yaml.DocumentStartEvent) -> None:
        self._documents += 1
        if self._documents > 1:
            raise _Unwanted(event, "a second document (---) in one file", "write one file for each")
        if event.version or event.tags:
            raise _Unwanted(event, "YAML directives (%) are not read", "take the line out")

    def _refuse_decoration(self, event: Any) -> None:
        if event.anchor is not None:
            raise _Unwanted(event, "anchors (&) are not read", "write the value out, or quote it")
        if event.tag is not None:
            raise _Unwanted(event, f"tags ({shown(event.tag)}) are not read", "take the tag out")

    def _take_node(self, event: Any) -> None:
        start = _mark(event.start_mark)
        parent = self._open[-1] if self._open else None
        if parent is not None and isinstance(parent.value, dict) and parent.waiting is None:
            parent.waiting, parent.waiting_mark = self._key(event, parent), start
            return
        key_mark = parent.waiting_mark if parent and isinstance(parent.value, dict) else start
        path = self._path(parent)
        if isinstance(event, yaml.ScalarEvent):
            self._put(_scalar(event), Span(start, _mark(event.end_mark), key_mark), path)
            if parent is not None:
                self._join_cut_value(event, parent, str(path[-1]))
            return
        if len(self._open) >= MAX_DEPTH:
            raise _Unwanted(event, f"nested more than {MAX_DEPTH} levels deep")
        value: dict[str, Any] | list[Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
        self._open.append(_Open(value, path, start, key_mark, bool(event.flow_style)))

    def _key(self, event: Any, parent: _Open) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            raise _Unwanted(event, "a key must be text")
        if event.value == "<<" and event.implicit[0]:
            raise _Unwanted(event, "merge keys (<<) are not read", "write the keys out")
        if event.value in parent.value:
            first = self.spans[(*parent.path, event.value)].key
            where = f", first in line {first.line + 1}" if first else ""
            raise _Unwanted(event, f"duplicate key {shown(event.value)}{where}")
        return str(event.value)

    def _join_cut_value(self, event: yaml.ScalarEvent, parent: _Open, key: str) -> None:
        """YAML takes `{type: numeric(12,2)}` for `{type: "numeric(12", "2)": null}`."""
        if not parent.is_flow or not isinstance(parent.value, dict):
            return
        if parent.cut is not None and key.endswith(")") and event.value == "" and event.implicit[0]:
            del parent.value[key], self.spans[(*parent.path, key)]
            parent.value[parent.cut] += f",{key}"
        is_cut = bool(event.implicit[0]) and event.value.count("(") > event.value.count(")")
        parent.cut = key if is_cut else None

    def _path(self, parent: _Open | None) -> Path:
        if parent is None:
            return ()
        if isinstance(parent.value, dict):
            return (*parent.path, parent.waiting or "")
        return (*parent.path, len(parent.value))

    def _close(self, opened: _Open, end: Mark) -> None:
        self._put(
            opened.value, Span(opened.start, end, opened.key_mark, opened.is_flow), opened.path
        )

    def _put(self, value: Any, span: Span, path: Path) -> None:
        self.spans[path] = span
        if not self._open:
            self.tree = value
            return
        parent = self._open[-1]
        if isinstance(parent.value, list):
            parent.value.append(value)
        else:
            parent.value[str(path[-1])] = value
            parent.waiting = None


def _mark(mark: Any) -> Mark:
    return Mark(mark.line, mark.column)


def _scalar(event: Any) -> Any:
    """YAML 1.2's core schema, but numbers with leading zeros, 0o7 and 0x1f stay text."""
    text: str = event.value
    if not event.implicit[0]:  # quoted, or a block
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    return Decimal(text) if _FLOAT.fullmatch(text) else text


def unsafe_texts(document: Document) -> Iterator[Finding]:
    """Characters that no file can hold, and passwords that no file should."""
    secret_lines: set[int | None] = set()
    for path, value in _texts(document.tree, ()):
        if any(c == "\0" or "\ud800" <= c <= "\udfff" for c in value):
            message = "a NUL or half a character (surrogate) in a text"
            yield document.finding(Problem(path, "character", message))
        if holds_secret(value):
            found = document.finding(Problem(path, "secret", _SECRET, _NO_SECRET))
            secret_lines.add(found.line)
            yield found
    for number, line in enumerate(document.lines):  # comments are carried over as well
        if number + 1 not in secret_lines and holds_secret(line):
            column = len(line) - len(line.lstrip())
            yield document.finding_at(Mark(number, column), "secret", _SECRET, _NO_SECRET)


def _texts(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, (*path, index))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield (*path, key), key
            yield from _texts(item, (*path, key))


def _finding(
    name: str, lines: tuple[str, ...], mark: Mark, code: str, message: str, hint: str | None
) -> Finding:
    if mark.line >= len(lines):  # an error at the end of the text
        mark = Mark(len(lines) - 1, len(lines[-1]))
    line = lines[mark.line]
    column = min(mark.column, len(line)) + 1
    return masked(Finding(name, mark.line + 1, column, code, message, hint, line))


def _require_no_conflict(name: str, lines: tuple[str, ...]) -> None:
    """Git's conflict markers are the reason of what is wrong with the YAML around them."""
    for number, line in enumerate(lines):
        if _CONFLICT.match(line):
            message = "a conflict of git's is not resolved"
            hint = "keep what is right of both sides, and take the three markers out"
            raise SpecError(_finding(name, lines, Mark(number, 0), "git-conflict", message, hint))


def _unreadable(text: str, name: str, lines: tuple[str, ...], error: Any) -> Finding:
    code = error.character if isinstance(error.character, int) else ord(error.character)
    position = text.find(chr(code))
    before = LINE_BREAK.split(text[: max(position, 0)])
    mark = Mark(len(before) - 1, len(before[-1]))
    message = f"the character U+{code:04X} cannot stand in YAML"
    hint = f'write it as "\\x{code:02x}" in double quotes' if code < 256 else None
    return _finding(name, lines, mark, "yaml", message, hint)


def _syntax_error(name: str, lines: tuple[str, ...], error: yaml.MarkedYAMLError) -> Finding:
    place = error.problem_mark or error.context_mark
    if error.context in ("while scanning an alias", "while scanning an anchor"):
        place = error.context_mark
    mark = Mark(place.line, place.column) if place else Mark(0, 0)
    line = lines[mark.line] if mark.line < len(lines) else ""
    at = line[mark.column : mark.column + 1]
    message = ", ".join(part for part in (error.context, error.problem) if part)
    hint = None
    if "\t" in line[: len(line) - len(line.lstrip())]:
        hint = "indent with spaces, not tabs"
    elif at and at in "*&!%@`|>":
        hint = f"a text that starts with {at!r} needs quotes"
    elif at == ":" or "mapping values" in message:
        hint = "a text with ': ' in it needs quotes"
    elif at == "{" and "${" in line:
        hint = "inside { } a ${NAME} needs quotes"
    return _finding(name, lines, mark, "yaml", message or "not YAML", hint)
