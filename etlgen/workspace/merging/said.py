"""What a file says, so that it can be told when it says the same thing twice.

A thing is said in a container: a variable in a Makefile, a requirement in a list of them. A
container's scope outlives edits around it, so that containers of two texts can be compared.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

_MAKE_VARIABLE = re.compile(r"(?:export\s+|override\s+)*([\w.-]+)\s*(?:\?|:{1,3}|!)?=")
_MAKE_RULE = re.compile(r"([^\s#:=][^:=#]*):(?![:=])")
_ENV_NAME = re.compile(r"(?:export\s+)?(\w+)=")
_REQUIREMENT = re.compile(r"[\w.-]+")


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that a file says; `container` tells apart those of the same scope."""

    scope: tuple[str, ...]
    container: int
    what: str
    where: str
    lines: range


class Unreadable(Exception):
    """The text does not parse; `lines` are those that may be the reason."""

    def __init__(self, message: str, lines: Iterable[int]) -> None:
        super().__init__(message)
        self.lines = tuple(lines)


def said_in_env(text: str) -> list[Said]:
    return [
        Said((), 0, f"{found[1]}=", "this file", _one(number))
        for number, line in enumerate(text.split("\n"), start=1)
        if (found := _ENV_NAME.match(line))
    ]


def said_in_makefile(text: str) -> list[Said]:
    said = []
    for number, line in enumerate(text.split("\n"), start=1):
        names: list[str] = []
        if found := _MAKE_VARIABLE.match(line):
            names = [f"the variable {found[1]}"]
        elif found := _MAKE_RULE.match(line):
            # `.PHONY` and its like add up.
            names = [f"the target {name}" for name in found[1].split() if name[0] != "."]
        said += [Said((), 0, name, "this file", _one(number)) for name in names]
    return said


def said_in_toml(text: str) -> list[Said]:
    """The strings of its lists. A key twice is none of them: TOML itself refuses it."""
    import tomllib

    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _bad_toml(text, str(error)) from error
    lines = text.split("\n")
    said = []
    for path, items in _lists(data):
        for index, item in enumerate(items):
            place = _place_of(item, lines, items[:index].count(item))
            said.append(Said(path, 0, _entry(path, item), f"the list {'.'.join(path)}", place))
    return said


def _bad_toml(text: str, message: str) -> Unreadable:
    """Of a key that stands twice the error names the later line, and either may be the new one."""
    keys = [line.partition("=")[0].strip() for line in text.split("\n")]
    found = re.search(r"at line (\d+)", message)
    number = int(found[1]) if found else len(keys)
    key = keys[number - 1]
    same = [n for n, other in enumerate(keys, start=1) if key and other == key]
    short = message.partition(" (at")[0]
    return Unreadable(f"{short}: {key}" if same[1:] else short, same or [number])


def _lists(data: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _lists(value, (*path, key))
    elif isinstance(data, list):
        yield path, [item for item in data if isinstance(item, str)]


def _entry(path: tuple[str, ...], item: str) -> str:
    """A requirement is its name, whatever the version."""
    is_requirement = path[-1] == "requires" or any("dependenc" in part for part in path)
    found = _REQUIREMENT.match(item) if is_requirement else None
    return re.sub(r"[-_.]+", "-", found[0]).lower() if found else repr(item)


def _place_of(item: str, lines: list[str], earlier: int) -> range:
    quoted = (json.dumps(item, ensure_ascii=False), f"'{item}'")
    found = [n for n, line in enumerate(lines, 1) if any(text in line for text in quoted)]
    return _one(found[earlier]) if earlier < len(found) else range(0)


def said_in_json(text: str) -> list[Said]:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        raise Unreadable(error.msg, [error.lineno]) from error
    return said_in_yaml(text.replace("\t", " "))  # but for tabs, JSON is YAML


def said_in_yaml(text: str) -> list[Said]:
    """The keys of its mappings and the entries of its lists."""
    import yaml

    try:
        todo: list[tuple[tuple[str, ...], Any]]
        todo = [((), node) for node in yaml.compose_all(text, yaml.SafeLoader)]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        message = getattr(error, "problem", None) or "unreadable"
        raise Unreadable(message, [mark.line + 1] if mark else []) from error
    said: list[Said] = []
    seen: dict[int, Any] = {}
    while todo:
        path, node = todo.pop()
        if id(node) in seen or isinstance(node, yaml.ScalarNode):
            continue
        seen[id(node)] = node  # a node again is an alias
        place = ".".join(path) or "this file"
        if isinstance(node, yaml.MappingNode):
            todo += [((*path, str(key.value)), value) for key, value in node.value]
            entries = [(f"the key {k.value}", k) for k, _ in node.value]
        else:
            todo += [(path, item) for item in node.value]
            entries = [(entry, item) for item in node.value if (entry := _yaml_entry(item))]
        for what, one in entries:
            said.append(Said(path, len(seen), what, place, _one(one.start_mark.line + 1)))
    return said


def _yaml_entry(node: Any) -> str:
    """A string, or a mapping of nothing but scalars; numbers and what is deeper may repeat."""
    if isinstance(node.value, str):
        return repr(node.value) if node.tag.endswith(":str") else ""
    pairs = [pair for pair in node.value if isinstance(pair, tuple)]
    if not pairs or not all(isinstance(part.value, str) for pair in pairs for part in pair):
        return ""
    return ", ".join(f"{key.value}: {value.value}" for key, value in pairs)


def _one(number: int) -> range:
    return range(number, number + 1)
