"""The one-file form, split into the files of a generated project: the user's own text, cut.

The text is sliced, not written anew, so that comments, order and style stay as they were; that
the parts still say the same is verified.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from etlgen.errors import SpecError
from etlgen.spec.document import Document, Mark, Span, parse_document
from etlgen.spec.problem import Path, Problem
from etlgen.spec.text import LINE_BREAK, plain_breaks

PROJECT_SCHEMA = ".etlgen/schema/project.json"
SOURCE_SCHEMA = ".etlgen/schema/source.json"

_MODELINE = re.compile(r"^# *yaml-language-server:.*\n", re.MULTILINE)
_COMMENT = re.compile(r"[ \t]*(#.*)")
_END_MARK = re.compile(r"\.\.\.(\s|$)")


def split(text: str, name: str) -> dict[str, str]:
    """`etlgen.yaml` and `sources/<name>.yaml` with their texts, of a one-file spec."""
    document = parse_document(plain_breaks(text), name)
    rest = {key: value for key, value in document.tree.items() if key != "sources"}
    cut = _Cut(document)
    project = _finished(document, cut.project(), PROJECT_SCHEMA, rest)
    return {"etlgen.yaml": project} | {
        f"sources/{source}.yaml": _source_file(document, cut.source(("sources", source)), tree)
        for source, tree in document.tree["sources"].items()
    }


def source_file(document: Document, path: Path) -> str:
    """The text of `sources/<name>.yaml` for the source at a path; at () it is the whole file."""
    text = _Cut(document).source(path) if path else document.text
    return _source_file(document, text, Places(document).value(path))


def _source_file(document: Document, text: str, tree: Any) -> str:
    return _finished(document, text, f"../{SOURCE_SCHEMA}", tree)


def _finished(document: Document, text: str, schema: str, tree: Any) -> str:
    """The text under its modeline, proven to say what `tree` says."""
    modeline = f"# yaml-language-server: $schema={schema}\n"
    plain = _MODELINE.sub("", text).lstrip("\n")
    for candidate in (plain.rstrip("\n") + "\n", plain):  # a block with |+ needs its empty lines
        try:
            if parse_document(modeline + candidate, document.name).tree == tree:
                return modeline + candidate
        except SpecError:
            continue
    problem = Problem(
        ("sources",),
        "split",
        "sources cannot be cut out of this file",
        "write 'sources:' as a plain block, each key on its own line",
        at_key=True,
    )
    raise SpecError(document.finding(problem))


class Places:
    """Where the lines, keys and values of a document are."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.text = document.text
        self._starts = [0, *(found.end() for found in LINE_BREAK.finditer(document.text))]

    def at(self, mark: Mark) -> int:
        return self._starts[mark.line] + mark.column

    def line_start(self, line: int) -> int:
        """Where a line starts; behind the last one, where the text ends."""
        return self._starts[line] if line < len(self._starts) else len(self.text)

    def lines(self, start: int, end: int) -> str:
        text = self.text[self.line_start(start) : self.line_start(end)]
        return text if text.endswith("\n") or not text else f"{text}\n"

    def between(self, start: Mark, end: Mark) -> str:
        return self.text[self.at(start) : self.at(end)]

    def value(self, path: Path) -> Any:
        value = self.document.tree
        for step in path:
            value = value[step]
        return value

    def span(self, path: Path) -> Span:
        return self.document.spans[path]

    def key(self, path: Path) -> Mark:
        span = self.document.spans[path]
        return span.key or span.start

    def next_key(self, path: Path) -> Mark | None:
        siblings = list(self.value(path[:-1]))
        index = siblings.index(path[-1]) + 1
        return self.key((*path[:-1], siblings[index])) if index < len(siblings) else None

    def content_end(self, path: Path) -> int:
        """The line after the last scalar or flow collection below a path."""
        ends = [
            span.end
            for found, span in self.document.spans.items()
            if found[: len(path)] == path
            and (span.is_flow or not isinstance(self.value(found), dict | list))
        ]
        last = max(ends, key=lambda mark: (mark.line, mark.column))
        return last.line if last.column == 0 else last.line + 1

    def block_end(self, path: Path) -> int:
        """The line after a key's block, which keeps the comments that are indented deeper."""
        floor = self.content_end(path)
        line = self.last_line(floor)
        for length in range(len(path), 0, -1):
            following = self.next_key(path[:length])
            if following is not None:
                line = following.line
                break
        return self.back(line, floor, self.key(path).column)

    def back(self, line: int, floor: int, indent: int) -> int:
        """Up from `line` over empty lines and comments that are indented no deeper."""
        while line > floor:
            text = self.document.lines[line - 1]
            stripped = text.lstrip(" ")
            is_comment = stripped.startswith("#") and len(text) - len(stripped) <= indent
            if stripped.strip() and not is_comment:
                break
            line -= 1
        return line

    def comment_after(self, mark: Mark) -> str:
        found = _COMMENT.match(self.document.lines[mark.line], mark.column)
        return f"{found[1]}\n" if found else ""

    def comment_of_key(self, key: Mark) -> str:
        """The comment on the line of a key whose value starts below it."""
        found = re.compile(r"[^#]*:[ \t]+(#.*)").match(self.document.lines[key.line], key.column)
        return f"{found[1]}\n" if found else ""

    def last_line(self, line: int = 0) -> int:
        """The line of the `...` that ends the document, or the one behind all lines."""
        lines = enumerate(self.document.lines[line:], line)
        return next((n for n, text in lines if _END_MARK.match(text)), len(self._starts))


class _Cut(Places):
    """Where one document is cut."""

    def __init__(self, document: Document) -> None:
        super().__init__(document)
        self._all = document.spans[("sources",)]
        self._end = self.block_end(("sources",))

    def project(self) -> str:
        """Everything but the sources."""
        key, span = self.key(("sources",)), self._all
        if self.document.spans[()].is_flow:
            before, after = self.text[: self.at(key)], self.text[self.at(span.end) :]
            comma = re.match(r"\s*,\s*", after)
            if comma:
                return before + after[comma.end() :]
            return re.sub(r",\s*$", "", before) + after
        before = self.text[: self.line_start(key.line)]
        if span.is_flow:
            comment = self.comment_after(span.end)
            return before + comment + self.lines(span.end.line + 1, len(self._starts))
        comment = self.comment_of_key(key)
        return before + comment + self.lines(self._end, len(self._starts))

    def source(self, path: Path) -> str:
        """The text of one source, dedented."""
        span = self.span(path)
        key = self.key(path)
        if self._all.is_flow:
            return self._flow(span)
        lead = self.lines(self._lead(path, key), key.line)
        lead = "".join(line.lstrip(" ") for line in lead.splitlines(keepends=True))
        if span.is_flow:
            return lead + self._flow(span) + self.comment_after(span.end)
        body = self.lines(key.line + 1, self._source_end(path))
        return lead + self.comment_of_key(key) + _moved(body, -span.start.column)

    def _flow(self, span: Span) -> str:
        return self.between(span.start, span.end) + "\n"

    def _lead(self, path: Path, key: Mark) -> int:
        """The first line of the comments above a source's key."""
        keys = list(self.value(path[:-1]))
        index = keys.index(path[-1])
        floor = self.key(("sources",)).line + 1
        if index:
            floor = self.content_end(("sources", keys[index - 1]))
        return self.back(key.line, floor, key.column)

    def _source_end(self, path: Path) -> int:
        return self._end if self.next_key(path) is None else self.block_end(path)


def as_block(places: Places, path: Path, column: int) -> str:
    """The items of a mapping with their comments, as lines that start at a column."""
    if places.span(path).is_flow:
        return "".join(f"{line}\n" for line in _flow_lines(places, path, column))
    first = places.key((*path, next(iter(places.value(path)))))
    head = places.comment_of_key(places.key(path))
    body = places.lines(places.key(path).line + 1, places.block_end(path))
    block = _moved(head, column) + _moved(body, column - first.column)
    return re.sub(r"\A( *\n)+", "", block)


def as_flow(places: Places, path: Path, column: int) -> list[str] | None:
    """The items of a mapping in flow style; None where a comment stands between them."""
    found = list(_flow_items(places, path, column))
    if any("#" in gap for gap, _ in found):
        return None
    return [item.lstrip(" ") for _, item in found if item]


def _flow_lines(places: Places, path: Path, column: int) -> list[str]:
    margin = " " * column
    lines: list[str] = []
    for gap, item in _flow_items(places, path, column):
        for number, part in enumerate(gap.split("\n")):
            _, mark, comment = part.partition("#")
            if mark and number == 0 and lines:  # behind the item that it is about
                lines[-1] += f"  #{comment}"
            elif mark:
                lines.append(f"{margin}#{comment}")
        lines += [item] if item else []
    return lines


def _flow_items(places: Places, path: Path, column: int) -> Iterator[tuple[str, str]]:
    """What stands before each item, and the item, moved; what stands after the last one."""
    last = places.at(places.span(path).start) + 1
    for name in places.value(path):
        key, span = places.key((*path, name)), places.span((*path, name))
        line = places.document.lines[key.line]
        indent = len(line) - len(line.lstrip(" "))
        head = places.between(key, span.start)
        glue = "" if head[-1:].isspace() else " "  # JSON can do without
        item = " " * indent + head + glue + places.between(span.start, span.end)
        yield places.text[last : places.at(key)], _moved(item, column - indent)
        last = places.at(span.end)
    yield places.text[last : places.at(places.span(path).end) - 1], ""


def _moved(text: str, columns: int) -> str:
    """The lines indented by more columns, or by less; blocks of text in them stay what they say."""

    def line_start(found: re.Match[str]) -> str:
        is_empty = not found[2] and text[found.end() : found.end() + 1] in ("", "\n")
        return found[1] + ("" if is_empty else " " * max(0, len(found[2]) + columns))

    return re.sub(rf"(\A|{LINE_BREAK.pattern})( *)", line_start, text)
