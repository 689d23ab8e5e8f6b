"""The one-file form, split into the files of a generated project: the user's own text, cut.

The text is sliced, not written anew, so that comments, order and style stay as they were; that
the parts still say the same is verified.
"""

from __future__ import annotations

import re
from typing import Any

from etlgen.errors import SpecError
from etlgen.spec.document import LINE_BREAK, Document, Mark, Span, parse_document
from etlgen.spec.problem import Path, Problem

PROJECT_SCHEMA = ".etlgen/schema/project.json"
SOURCE_SCHEMA = ".etlgen/schema/source.json"

_MODELINE = re.compile(r"^# *yaml-language-server:.*\n", re.MULTILINE)
_COMMENT = re.compile(r"[ \t]*(#.*)")


def split(text: str, name: str) -> dict[str, str]:
    """`etlgen.yaml` and `sources/<name>.yaml` with their texts, of a one-file spec."""
    document = parse_document(re.sub("\r\n?", "\n", text), name)
    cut = _Cut(document)
    sources = {source: cut.source(source) for source in document.tree["sources"]}
    project = cut.project()
    rest = {key: value for key, value in document.tree.items() if key != "sources"}
    files = {"etlgen.yaml": _finished(document, project, PROJECT_SCHEMA, rest)}
    for source, source_text in sources.items():
        tree = document.tree["sources"][source]
        schema = f"../{SOURCE_SCHEMA}"
        files[f"sources/{source}.yaml"] = _finished(document, source_text, schema, tree)
    return files


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


class _Cut:
    """Where one document is cut."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._text = document.text
        self._starts = [0, *(found.end() for found in LINE_BREAK.finditer(document.text))]
        self._all = document.spans[("sources",)]
        self._end = self._block_end(("sources",), self._next_key(("sources",)), 0)

    def project(self) -> str:
        """Everything but the sources."""
        key, span = self._key(self._all), self._all
        if self._document.spans[()].is_flow:
            before, after = self._text[: self._at(key)], self._text[self._at(span.end) :]
            comma = re.match(r"\s*,\s*", after)
            if comma:
                return before + after[comma.end() :]
            return re.sub(r",\s*$", "", before) + after
        before = self._text[: self._starts[key.line]]
        if span.is_flow:
            comment = self._comment_after(span.end)
            return before + comment + self._lines(span.end.line + 1, len(self._starts))
        comment = self._comment_of_key(key)
        return before + comment + self._lines(self._end, len(self._starts))

    def source(self, name: str) -> str:
        """The text of one source, dedented."""
        path: Path = ("sources", name)
        span = self._document.spans[path]
        key = self._key(span)
        if self._all.is_flow:
            return self._flow(span)
        lead = self._lines(self._lead(path, key), key.line)
        lead = "".join(line.lstrip(" ") for line in lead.splitlines(keepends=True))
        if span.is_flow:
            return lead + self._flow(span) + self._comment_after(span.end)
        body = self._lines(key.line + 1, self._source_end(path))
        return lead + self._comment_of_key(key) + _dedented(body, span.start.column)

    def _flow(self, span: Span) -> str:
        return self._text[self._at(span.start) : self._at(span.end)] + "\n"

    def _lead(self, path: Path, key: Mark) -> int:
        """The first line of the comments above a source's key."""
        keys = list(self._document.tree["sources"])
        index = keys.index(path[1])
        floor = self._key(self._all).line + 1
        if index:
            floor = self._content_end(("sources", keys[index - 1]))
        return self._back(key.line, floor, key.column)

    def _source_end(self, path: Path) -> int:
        following = self._next_key(path)
        if following is None:
            return self._end
        return self._back(following.line, self._content_end(path), following.column)

    def _block_end(self, path: Path, following: Mark | None, indent: int) -> int:
        line = following.line if following else len(self._starts)
        return self._back(line, self._content_end(path), indent)

    def _back(self, line: int, floor: int, indent: int) -> int:
        """Up from `line` over empty lines and comments that are indented no deeper."""
        while line > floor:
            text = self._document.lines[line - 1]
            stripped = text.lstrip(" ")
            is_comment = stripped.startswith("#") and len(text) - len(stripped) <= indent
            if stripped.strip() and not is_comment:
                break
            line -= 1
        return line

    def _content_end(self, path: Path) -> int:
        """The line after the last scalar or flow collection below a path."""
        ends = [
            span.end
            for found, span in self._document.spans.items()
            if found[: len(path)] == path
            and (span.is_flow or not isinstance(self._value(found), dict | list))
        ]
        last = max(ends, key=lambda mark: (mark.line, mark.column))
        return last.line if last.column == 0 else last.line + 1

    def _next_key(self, path: Path) -> Mark | None:
        siblings = list(self._value(path[:-1]))
        index = siblings.index(path[-1]) + 1
        if index == len(siblings):
            return None
        return self._key(self._document.spans[(*path[:-1], siblings[index])])

    def _value(self, path: Path) -> Any:
        value = self._document.tree
        for step in path:
            value = value[step]
        return value

    def _key(self, span: Span) -> Mark:
        return span.key or span.start

    def _at(self, mark: Mark) -> int:
        return self._starts[mark.line] + mark.column

    def _lines(self, start: int, end: int) -> str:
        if start >= len(self._starts):
            return ""
        stop = self._starts[end] if end < len(self._starts) else len(self._text)
        text = self._text[self._starts[start] : stop]
        return text if text.endswith("\n") or not text else f"{text}\n"

    def _comment_after(self, mark: Mark) -> str:
        found = _COMMENT.match(self._document.lines[mark.line], mark.column)
        return f"{found[1]}\n" if found else ""

    def _comment_of_key(self, key: Mark) -> str:
        """The comment on the line of a key whose value starts below it."""
        found = re.compile(r"[^#]*:[ \t]+(#.*)").match(self._document.lines[key.line], key.column)
        return f"{found[1]}\n" if found else ""


def _dedented(text: str, columns: int) -> str:
    return re.sub(rf"^ {{1,{columns}}}", "", text, flags=re.MULTILINE)
