"""Where in a file a telling word stands: in a comment, a whole string, a code block."""

import io
import json
import re
import tokenize
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum

import yaml

from etlgen.render.spelling import DIALECTS, Dialect

SENTINEL = re.compile(r"sentinel_\d+_[a-z_]+?_end")


class Place(StrEnum):
    """Said of a misplaced value: `comment must not be a whole string`."""

    NAME = "a name"
    PART = "part of a name"
    STRING = "a whole string"
    IN_STRING = "inside a string"
    IN_DOCSTRING = "inside a docstring"
    COMMENT = "in a comment"
    VALUE = "a whole value"
    TEXT = "in running text"
    CODE_SPAN = "in a code span"
    CODE_BLOCK = "in a code block"
    MERMAID = "in a label of a Mermaid picture"
    ELSEWHERE = "bare in the file"


_STRINGS = frozenset({Place.STRING})
_ALLOWED: Mapping[str, frozenset[Place]] = {
    "py": _STRINGS,
    "regex": _STRINGS,
    "toml": _STRINGS,
    "yaml": _STRINGS,
    "json": _STRINGS,
    "ident": frozenset({Place.NAME, Place.PART}),
    "ready": frozenset({Place.NAME}),
    "comment": frozenset({Place.COMMENT}),
    "docstring": frozenset({Place.IN_DOCSTRING}),
    "md": frozenset({Place.TEXT}),
    "code": frozenset({Place.CODE_SPAN}),
    "mermaid": frozenset({Place.MERMAID}),
    "sh": frozenset({Place.CODE_BLOCK, Place.CODE_SPAN, Place.VALUE}),
    "env": frozenset({Place.VALUE}),
    "word": frozenset(Place),
}


def allowed(spelling: str) -> frozenset[Place]:
    """Where text of this filter is safe; `ready` is code that the plan brings."""
    return _ALLOWED[spelling]


def places(dialect: Dialect, text: str) -> dict[str, Place]:
    """Where each sentinel of a rendered file stands."""
    return dict(_FINDERS.get(dialect, _in_lines)(text))


def _in_python(text: str) -> Iterator[tuple[str, Place]]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        for word in SENTINEL.findall(token.string):
            yield word, _python_place(token, word)


def _python_place(token: tokenize.TokenInfo, word: str) -> Place:
    if token.type == tokenize.COMMENT:
        return Place.COMMENT
    if token.type == tokenize.NAME:
        if token.string == word:
            return Place.NAME
        return Place.PART if re.search(f"_{word}(_|$)", token.string) else Place.ELSEWHERE
    if token.string in (f'"{word}"', f"'{word}'"):
        return Place.STRING
    return Place.IN_DOCSTRING if token.string.startswith('"""') else Place.IN_STRING


def _in_toml(text: str) -> Iterator[tuple[str, Place]]:
    yield from _in_comments(text)
    yield from _in_data(tomllib.loads(text))


def _in_yaml(text: str) -> Iterator[tuple[str, Place]]:
    yield from _in_comments(text)
    for document in yaml.safe_load_all(text):
        yield from _in_data(document)


def _in_json(text: str) -> Iterator[tuple[str, Place]]:
    yield from _in_data(json.loads(text))


def _in_data(value: object) -> Iterator[tuple[str, Place]]:
    if isinstance(value, str):
        for word in SENTINEL.findall(value):
            yield word, Place.STRING if value == word else Place.IN_STRING
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _in_data(key)
            yield from _in_data(item)
    elif isinstance(value, list):
        for item in value:
            yield from _in_data(item)


def _in_comments(text: str) -> Iterator[tuple[str, Place]]:
    """What stands after a `#` may be in a comment; where it is data, that is said afterwards."""
    for line in text.splitlines():
        for word in SENTINEL.findall(line.partition("#")[2]):
            yield word, Place.COMMENT


def _in_lines(text: str) -> Iterator[tuple[str, Place]]:
    for line in text.splitlines():
        for word in SENTINEL.findall(line):
            before, _, after = line.partition(word)
            if "#" in before:
                yield word, Place.COMMENT
            elif before.endswith(("=", " ")) and (not after or after[0] == " "):
                yield word, Place.VALUE
            else:
                yield word, Place.ELSEWHERE


def _in_markdown(text: str) -> Iterator[tuple[str, Place]]:
    fence: str | None = None
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            fence = line.strip().strip("`") if fence is None else None
            continue
        for word in SENTINEL.findall(line):
            yield word, _markdown_place(line, word, fence)


def _markdown_place(line: str, word: str, fence: str | None) -> Place:
    before = line.partition(word)[0]
    if fence == "mermaid":
        return Place.MERMAID if before.count('"') % 2 else Place.ELSEWHERE
    if fence is not None:
        return Place.CODE_BLOCK
    return Place.CODE_SPAN if before.count("`") % 2 else Place.TEXT


_FINDERS: Mapping[Dialect, Callable[[str], Iterable[tuple[str, Place]]]] = {
    DIALECTS[".py"]: _in_python,
    DIALECTS[".toml"]: _in_toml,
    DIALECTS[".yaml"]: _in_yaml,
    DIALECTS[".json"]: _in_json,
    DIALECTS[".md"]: _in_markdown,
}
