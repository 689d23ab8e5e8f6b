"""A source from answers on the command line, as the YAML that a person would have written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from decimal import Decimal
from typing import Any, Protocol

from pydantic import BaseModel

from etlgen.errors import Finding, InternalError, SpecError, UsageError, masked
from etlgen.names import did_you_mean, shown
from etlgen.spec.document import parse_document
from etlgen.spec.edit import yaml_key, yaml_value
from etlgen.spec.explain import keys_of
from etlgen.spec.models import ResourceSpec, SourceSpec

Tree = dict[str, Any]

# What has an option of its own, and how that is written.
_OPTIONS = {
    "name": "NAME, the first argument",
    "kind": "--kind",
    "resources": "--resource NAME",
    "columns": "--column NAME:TYPE",
    "primary_key": "--primary-key COLUMN",
    "cursor": "--cursor COLUMN",
    "write_disposition": "--write-disposition HOW",
}
_OF_SOURCE = "source."
_FIRST = ("description", "table")
_LAST = ("columns", "resources")


class _Kind(Protocol):
    @property
    def source_model(self) -> type[SourceSpec]: ...

    @property
    def resource_model(self) -> type[ResourceSpec]: ...


@dataclass(frozen=True, slots=True)
class Flags:
    """What was answered; the reader says what is missing.

    `columns` are `NAME:TYPE`. `settings` are `KEY=VALUE`, of the resource where it has such a key,
    else of the source; `source.KEY=VALUE` is of the source. A value in [ ], { } or quotes is read
    as YAML, and so are numbers, true, false and null; anything else is a text as it stands.
    """

    kind: str | None = None
    resource: str | None = None
    columns: Sequence[str] = ()
    primary_key: Sequence[str] = ()
    cursor: str | None = None
    write_disposition: str | None = None
    settings: Sequence[str] = ()


def source_from_flags(name: str, flags: Flags, kinds: Mapping[str, _Kind]) -> str:
    """The text of a source file; `UsageError` for an answer that has no place in it."""
    _refuse_half_characters(astuple(flags))
    kind = kinds.get(flags.kind or "")
    source: Tree = {} if flags.kind is None else {"kind": flags.kind}
    resource = _resource(flags)
    for setting in flags.settings:
        key, value = _setting(setting)
        place = _place(key, kind, source, resource)
        key = key.removeprefix(_OF_SOURCE)
        if key in place:
            raise _usage("--set", f"{shown(key)} is given twice", "leave one of them out")
        place[key] = value
    if flags.resource is None and resource:
        raise _usage("--resource", "what is said of a resource needs its name")
    if flags.resource is not None:
        model = kind.resource_model if kind else ResourceSpec
        source["resources"] = {flags.resource: _in_order(resource, model, ResourceSpec, _FIRST)}
    source = _in_order(source, kind.source_model if kind else SourceSpec, SourceSpec, ())
    text = "".join(_lines(source))
    if source and repr(parse_document(text, name).tree) != repr(source):
        raise InternalError(Finding(name, None, None, "answers", "the answers make other YAML"))
    return text


def _refuse_half_characters(answers: Any) -> None:
    """Bytes of a command line that are not UTF-8 are surrogates here, which YAML cannot hold."""
    if isinstance(answers, str):
        if any("\ud800" <= c <= "\udfff" for c in answers):
            raise _usage(None, f"{shown(answers)} is not UTF-8")
    else:
        for answer in answers or ():
            _refuse_half_characters(answer)


def _resource(flags: Flags) -> Tree:
    columns: Tree = {}
    for text in flags.columns:
        name, type_name = _column(text)
        if name in columns:
            raise _usage("--column", f"{shown(name)} is given twice", "leave one of them out")
        columns[name] = {"type": type_name}
    said = {
        "primary_key": list(flags.primary_key) or None,
        "cursor": None if flags.cursor is None else {"field": flags.cursor},
        "write_disposition": flags.write_disposition,
        "columns": columns or None,
    }
    return {key: value for key, value in said.items() if value is not None}


def _column(text: str) -> tuple[str, str]:
    name, _, type_name = (part.strip() for part in text.rpartition(":"))
    if not (name and type_name):
        raise _usage("--column", f"{shown(text)} is not NAME:TYPE", "such as total:bigint")
    return name, type_name


def _setting(text: str) -> tuple[str, Any]:
    key, _, value = text.partition("=")
    if not key.strip() or key == text:
        raise _usage("--set", f"{shown(text)} is not KEY=VALUE", "such as path=data/in")
    try:
        return key.strip(), _value(value)
    except SpecError as error:
        message = f"{shown(text)} is not YAML: {error.findings[0].message}"
        raise _usage("--set", message, f"""a text is '{key}="…"'""") from None


def _value(text: str) -> Any:
    """A delimiter is one character that means itself; no YAML is asked of a plain text."""
    if len(text) <= 1 and not text.isdecimal():
        return text
    text = text.strip()
    if text.startswith(("[", "{", '"', "'")):
        return parse_document(text, "--set").tree
    try:
        value = None if {"#", "\n"} & {*text} else parse_document(f"x: {text}", "").tree["x"]
    except SpecError:
        return text
    is_word = value is None and text in ("null", "Null", "NULL")
    return value if is_word or isinstance(value, bool | int | Decimal) else text


def _place(key: str, kind: _Kind | None, source: Tree, resource: Tree) -> Tree:
    """Where a setting belongs: to the resource if that has such a key, else to the source."""
    name = key.removeprefix(_OF_SOURCE)
    if name in _OPTIONS:
        raise _usage("--set", f"{shown(name)} has an option of its own", _OPTIONS[name])
    if kind is None:  # the reader says so
        return resource if name == key else source
    of_resource = [key for key in keys_of(kind.resource_model) if key not in _OPTIONS]
    of_source = [key for key in keys_of(kind.source_model) if key not in _OPTIONS]
    if key in of_resource:
        return resource
    if name in of_source:
        return source
    known = [*of_resource, *(f"{_OF_SOURCE}{name}" for name in of_source)]
    hint = did_you_mean(key, [*known, *of_source])
    keys = f"keys: {', '.join(known)}"
    raise _usage("--set", f"there is no key {shown(key)}", f"{hint} {keys}" if hint else keys)


def _in_order(
    tree: Tree, model: type[BaseModel], base: type[BaseModel], first: tuple[str, ...]
) -> Tree:
    """As in the examples of docs/spec.md: what it is, what the kind says, what comes out of it."""
    common = [key for key in keys_of(base) if key not in _LAST]
    own = [key for key in keys_of(model) if key not in keys_of(base)]
    order = list(dict.fromkeys([*(first or common), *own, *common, *_LAST]))
    unknown = len(first or common)  # a key of a kind that there is not
    places = {key: order.index(key) if key in order else unknown for key in tree}
    return dict(sorted(tree.items(), key=lambda item: places[item[0]]))


def _lines(source: Tree) -> Iterator[str]:
    """A line for each key and each column."""
    for key, value in source.items():
        if key != "resources":
            yield f"{yaml_key(key)}: {yaml_value(value)}\n"
    for name, resource in source.get("resources", {}).items():
        yield f"resources:\n  {yaml_key(name)}:{'' if resource else ' {}'}\n"
        for key, value in resource.items():
            if key != "columns":
                yield f"    {yaml_key(key)}: {yaml_value(value)}\n"
        for number, (column, answer) in enumerate(resource.get("columns", {}).items()):
            yield "" if number else "    columns:\n"
            yield f"      {yaml_key(column)}: {yaml_value(answer)}\n"


def _usage(option: str | None, message: str, hint: str | None = None) -> UsageError:
    return UsageError(masked(Finding(option, None, None, "usage", message, hint)))
