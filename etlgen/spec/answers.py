"""A source from answers on the command line, as the YAML that a person would have written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from etlgen.errors import Finding, InternalError, SpecError, UsageError, masked
from etlgen.names import shown
from etlgen.spec.document import parse_document
from etlgen.spec.edit import yaml_key, yaml_value
from etlgen.spec.explain import keys_of
from etlgen.spec.fields import did_you_mean
from etlgen.spec.models import ResourceSpec, SourceSpec

Tree = dict[str, Any]

# Each has an option of its own, or an argument.
_OPTIONS = {
    *("kind", "name", "resources", "columns", "primary_key", "cursor", "write_disposition"),
}
_OF_SOURCE = "source."


class _Kind(Protocol):
    @property
    def source_model(self) -> type[SourceSpec]: ...

    @property
    def resource_model(self) -> type[ResourceSpec]: ...


@dataclass(frozen=True, slots=True)
class Flags:
    """What was answered; the reader says what is missing.

    `columns` are `NAME:TYPE`. `settings` are `KEY=VALUE`, of the resource where it has such a key,
    else of the source; `source.KEY=VALUE` is of the source.
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
    kind = kinds.get(flags.kind or "")
    source: Tree = {} if flags.kind is None else {"kind": flags.kind}
    resource: Tree = {}
    for setting in flags.settings:
        key, value = _setting(setting)
        _place(key, kind, source, resource)[key.removeprefix(_OF_SOURCE)] = value
    resource |= _resource(flags)
    if flags.resource is not None:
        source["resources"] = {flags.resource: resource}
    elif resource:
        message = "what is said of a resource needs its name"
        raise UsageError(Finding(None, None, None, "usage", message, "add --resource NAME"))
    text = "".join(_lines(source))
    if source and parse_document(text, name).tree != source:
        raise InternalError(Finding(name, None, None, "answers", "the answers make no YAML"))
    return text


def _resource(flags: Flags) -> Tree:
    said: Tree = {
        "primary_key": list(flags.primary_key),
        "cursor": {"field": flags.cursor} if flags.cursor is not None else None,
        "write_disposition": flags.write_disposition,
        "columns": dict(map(_column, flags.columns)),
    }
    return {key: value for key, value in said.items() if value}


def _column(text: str) -> tuple[str, Tree]:
    name, colon, kind = text.rpartition(":")
    if not (colon and name and kind):
        message = f"{shown(text)} is not NAME:TYPE"
        raise UsageError(Finding("--column", None, None, "usage", message, "such as total:bigint"))
    return name, {"type": kind}


def _setting(text: str) -> tuple[str, Any]:
    key, sign, value = text.partition("=")
    if not (sign and key):
        message = f"{shown(text)} is not KEY=VALUE"
        raise UsageError(Finding("--set", None, None, "usage", message, "such as path=data/in"))
    try:
        return key, parse_document(f"x: {value}", "--set").tree["x"]
    except SpecError as error:
        found = masked(replace(error.findings[0], file="--set", line=None, column=None))
        raise UsageError(replace(found, source_line=None, hint="quote it as in YAML")) from None


def _place(key: str, kind: _Kind | None, source: Tree, resource: Tree) -> Tree:
    """Where a setting belongs: to the resource if that has such a key, else to the source."""
    if kind is None:
        return source if key.startswith(_OF_SOURCE) else resource
    of_resource = set(keys_of(kind.resource_model)) - _OPTIONS
    of_source = set(keys_of(kind.source_model)) - _OPTIONS
    if key in of_resource:
        return resource
    if key.removeprefix(_OF_SOURCE) in of_source:
        return source
    known = sorted({*of_resource, *(f"{_OF_SOURCE}{one}" for one in of_source)})
    hint = did_you_mean(key, known) or f"keys: {', '.join(known)}"
    message = f"there is no key {shown(key)}"
    raise UsageError(Finding("--set", None, None, "usage", message, hint))


def _lines(source: Tree) -> Iterator[str]:
    """As a careful person writes it: a line for each key, columns on one line each."""
    for key, value in source.items():
        if key != "resources":
            yield f"{yaml_key(key)}: {yaml_value(value)}\n"
    for name, resource in source.get("resources", {}).items():
        yield f"resources:\n  {yaml_key(name)}:{'' if resource else ' {}'}\n"
        for key, value in resource.items():
            if key != "columns":
                yield f"    {yaml_key(key)}: {yaml_value(value)}\n"
        if "columns" in resource:
            yield "    columns:\n"
            for column, answer in resource["columns"].items():
                yield f"      {yaml_key(column)}: {yaml_value(answer)}\n"
