"""What a spec says of a REST API: its address, how it is signed in to, its endpoints."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, PlainValidator, WithJsonSchema

from etlgen.kinds.rest_api.each import (
    PLACEHOLDER,
    Each,
    KeysOf,
    default_missing,
    each_problems,
    is_in_path,
    parent_problems,
)
from etlgen.names import shown
from etlgen.pycode import is_visible
from etlgen.spec.column import PlainColumnSpec
from etlgen.spec.fields import FROM_ONE, DataText, Duration, Text, positive
from etlgen.spec.models import ResourceSpec, SourceSpec
from etlgen.spec.problem import Path, Problem, refusal
from etlgen.spec.settings import Setting, as_setting, reference
from etlgen.spec.strict import Model
from etlgen.vocabulary.column import Notation

JSON_PATH = re.compile(r"\$(?:\.[^.\[\]*$\s]+)*")
_HEADER = re.compile(r"[A-Za-z0-9_-]+")
_PARAMETER = re.compile(r"[A-Za-z0-9_.:\[\]-]+")
_STRING = WithJsonSchema({"type": "string"})
NEWEST_TYPES = ("date", "timestamp", "timestamptz", "smallint", "integer", "bigint")
TIMEOUT = timedelta(seconds=30)

# For each way to sign in and each style of pages: what has to be said, and what may be.
AUTH_KEYS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "bearer": (("token",), ()),
    "api_key": (("name", "key"), ("in",)),
    "basic": (("user", "password"), ()),
    "client_credentials": (("token_url", "client_id", "client_secret"), ("scope",)),
    "refresh_token": (("token_url", "client_id", "client_secret", "refresh_token"), ("scope",)),
}
_COUNTED = ("param", "size", "size_param", "total", "in_flight")
PAGE_KEYS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "one": ((), ("total",)),
    "page_number": ((), (*_COUNTED, "first")),
    "offset": ((), _COUNTED),
    "cursor": (("param", "next"), ("total",)),
    "cursor_header": (("param", "header"), ("total",)),
    "link_header": ((), ("total",)),
    "next_url": (("next",), ("total",)),
}


def _url(value: object) -> Setting:
    setting = as_setting(value)
    if setting.default is not None:
        _require_url(setting.default)
    return setting


def _require_url(url: str) -> None:
    parts = urlsplit(url)
    if not all(map(is_visible, url)) or " " in url or parts.scheme not in ("http", "https"):
        raise refusal("url", f"{shown(url)} is not an http or https address")
    if "@" in parts.netloc:
        hint = "say 'auth: {type: basic, user: …, password: ${NAME}}'"
        raise refusal("secret", "the address holds a user or a password", hint)
    if not parts.hostname or parts.query or parts.fragment:
        hint = "write the scheme, the host and where all paths begin: https://api.example.com/v2"
        raise refusal("url", f"{shown(url)} is not the address of an API", hint)


def _path(value: object) -> str:
    if not isinstance(value, str) or not value.startswith("/"):
        raise refusal("path", "a path begins with '/'", "it is what follows the source's url")
    bare = PLACEHOLDER.sub("", value)
    if not all(map(is_visible, value)) or re.search(r"[\s\\?#{}]", bare) or "//" in value:
        hint = "what follows '?' belongs under params; values to fill in are {name}"
        raise refusal("path", f"{shown(value)} is not a path", hint)
    return value


def _records(value: object) -> str:
    path = value.removesuffix("[*]") if isinstance(value, str) else ""
    if JSON_PATH.fullmatch(path) and path != value:
        return f"{path}[*]"
    raise refusal("json_path", f"{shown(str(value))} is not the path of an array: $.data[*]")


def _json_path(value: object) -> str:
    if isinstance(value, str) and JSON_PATH.fullmatch(value):
        return value
    raise refusal("json_path", f"{shown(str(value))} is not a path such as $.meta.total")


def _header(value: object) -> str:
    if isinstance(value, str) and _HEADER.fullmatch(value):
        return value
    raise refusal("header", f"{shown(str(value))} is not the name of a header")


def _parameter(value: object) -> str:
    if isinstance(value, str) and _PARAMETER.fullmatch(value):
        return value
    raise refusal("parameter", f"{shown(str(value))} is not the name of a query parameter")


def _rate(value: object) -> float:
    # A number with a point comes from YAML as the Decimal that stands there.
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        if isinstance(value, int) and 0 < value <= 10_000:
            return value
        if 0.001 <= value <= 10_000:
            return float(value)
    raise refusal("rate", f"{shown(str(value))} is not a number of requests a second")


Url = Annotated[Setting, PlainValidator(_url), _STRING]
Plain = Annotated[Setting, PlainValidator(as_setting), _STRING]
Secret = Annotated[Setting, reference("a secret", "secret"), _STRING]
JsonPath = Annotated[str, PlainValidator(_json_path), _STRING]
Header = Annotated[str, PlainValidator(_header), _STRING]
Parameter = Annotated[str, PlainValidator(_parameter), _STRING]
Positive = Annotated[int, positive(1_000_000), FROM_ONE]


class AuthSpec(Model):
    """How requests say who asks."""

    type: Literal["bearer", "api_key", "basic", "client_credentials", "refresh_token"] = Field(
        description="How the API is signed in to."
    )
    token: Secret | None = Field(None, description="Sent as it is: `${ERP_TOKEN}`.")
    name: Header | None = Field(None, description="Of the header or parameter with the key.")
    key: Secret | None = Field(None, description="The key itself: `${ERP_KEY}`.")
    place: Literal["header", "query"] = Field(
        "header", alias="in", description="Where the key goes: header or query."
    )
    user: Plain | None = Field(None, description="The name that the password belongs to.")
    password: Secret | None = Field(None, description="`${ERP_PASSWORD}`.")
    token_url: Url | None = Field(None, description="Address that gives tokens (OAuth 2).")
    client_id: Plain | None = Field(None, description="The client that asks for a token.")
    client_secret: Secret | None = Field(None, description="`${ERP_CLIENT_SECRET}`.")
    refresh_token: Secret | None = Field(
        None, description="The first one; those that replace it are kept in the work schema."
    )
    scope: Text | None = Field(None, description="What the token is asked to be good for.")


class PagesSpec(Model):
    """How the endpoint hands out its records."""

    style: Literal[
        "one", "page_number", "offset", "cursor", "cursor_header", "link_header", "next_url"
    ] = Field("one", description="How pages follow each other; one: there is only one.")
    param: Parameter | None = Field(
        None, description="Query parameter that says which page; default: page, offset."
    )
    size: Positive = Field(100, description="Records asked for on a page.")
    size_param: Parameter | None = Field(None, description="Query parameter that takes the size.")
    first: Literal[0, 1] = Field(1, description="Number of the first page.")
    total: JsonPath | None = Field(
        None,
        description="Where the answer says how many records there are: one that does not come is "
        "an error, and pages that are counted are read side by side.",
    )
    in_flight: Positive = Field(4, description="Pages asked for at a time, with `total`.")
    next: JsonPath | None = Field(None, description="Where the body has the next cursor or URL.")
    header: Header | None = Field(None, description="The header that has the next cursor.")


class QuerySpec(Model):
    """A query parameter that takes a value of the cursor."""

    param: Parameter = Field(description="The name of the query parameter.")
    format: Text = Field("iso", description="iso, epoch, epoch_ms, or a strptime pattern.")


class RestResource(ResourceSpec):
    """The records of one endpoint."""

    path: Annotated[str, PlainValidator(_path), _STRING] = Field(
        examples=["/orders"], description="Follows the source's url; {name} stands for `each`."
    )
    records: Annotated[str, PlainValidator(_records), _STRING] = Field(
        "$[*]", examples=["$.data[*]"], description="Where the answer has its records."
    )
    pages: PagesSpec = Field(
        default_factory=lambda: PagesSpec.model_validate({}),
        description="How the records come in pages; default: there is one page.",
    )
    params: Mapping[Parameter, DataText] = Field({}, description="Query of each request.")
    since: QuerySpec | None = Field(None, description="Takes where the cursor goes on from.")
    until: QuerySpec | None = Field(None, description="Takes where the window ends.")
    slices: Duration | None = Field(
        None, description="Ask for the window in parts, where the API caps its results: 1d."
    )
    newest_first: bool = Field(
        False, description="The API lists the newest first: it is read down to the cursor."
    )
    each: Mapping[str, Each] = Field(
        {},
        description="What the {name}s in the path stand for, all of which are read: values, a "
        "${VARIABLE} that has them, or {resource: orders, column: order_id}.",
    )
    in_flight: Positive = Field(4, description="Values of `each` that are read at a time.")
    missing: Literal["skip", "fail"] = Field(
        default_factory=default_missing,
        description="What a value is for which the API answers 404. Default: skip where it comes "
        "from another resource, else fail.",
    )

    def notation(self, column: PlainColumnSpec) -> Notation:
        """A value of the path is there, always."""
        notation = super().notation(column)
        if is_in_path(column.from_names):
            return replace(notation, writes_null=False)
        return notation

    @property
    def parents(self) -> Mapping[str, KeysOf]:
        """The resources whose rows it is read for, by the name in the path."""
        return {name: one for name, one in self.each.items() if isinstance(one, KeysOf)}

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        yield from keys_problems("pages", self.pages, self.pages.style, PAGE_KEYS)
        yield from self._window_problems()
        yield from each_problems(self.path, self.each, self.columns)
        yield from self._about_each()
        yield from self._newest_first_problems()
        if self.write_disposition == "append" and self.cursor is None:
            message = "append without a cursor would add all records again with each run"
            hint = "add 'cursor: {field: …}', or a primary_key and merge"
            yield Problem(("write_disposition",), "append_without_cursor", message, hint)
        elif self.write_disposition == "append" and not self._asks_exactly():
            message = "append needs an API that is asked for just what is new, or rows come twice"
            hint = "say which parameter is 'since', in format iso, or add a primary_key and merge"
            yield Problem(("write_disposition",), "append_without_since", message, hint)

    def _asks_exactly(self) -> bool:
        """Whether no parameter of the window is coarser than the cursor."""
        asked = [one for one in (self.since, self.until) if one is not None]
        return self.since is not None and all(one.format == "iso" for one in asked)

    def _window_problems(self) -> Iterator[Problem]:
        for key in ("since", "until"):
            if getattr(self, key) is not None and self.cursor is None:
                message = f"{key!r} takes values of the cursor, and there is none"
                yield Problem((key,), "no_cursor", message, "add 'cursor: {field: …}'", True)
        if self.cursor is not None and self.parents:
            message = "what a row of another resource got before it was asked for would be left out"
            hint = "take the cursor out: all is read for each of them"
            yield Problem(("cursor",), "each", message, hint, at_key=True)
        if self.slices is None:
            return
        if self.since is None or self.until is None:
            message = "slices are cut by 'since' and 'until', and both are needed"
            yield Problem(("slices",), "slices", message, at_key=True)
        elif not self.slices:
            yield Problem(("slices",), "slices", "a slice cannot be empty")
        elif self.cursor is not None and self.cursor.initial_value is None:
            message = "without a beginning, the first load would be one request for all there is"
            hint = "add 'initial_value' to the cursor"
            yield Problem(("slices",), "slices", message, hint, at_key=True)
        elif self.cursor and self.cursor.field in self.columns:
            column = self.columns[self.cursor.field]
            if column.type.name not in ("date", "timestamp", "timestamptz"):
                message = f"slices are of time, and {column.name!r} is {column.type}"
                yield Problem(("slices",), "slices", message)

    def _about_each(self) -> Iterator[Problem]:
        for key in ("in_flight", "missing"):
            if key in self.model_fields_set and not self.each:
                yield Problem((key,), "each", f"{key!r} is about 'each'", at_key=True)

    def _newest_first_problems(self) -> Iterator[Problem]:
        if self.cursor is not None and self.cursor.delay is not None and self.until is None:
            message = "the API is not asked for an end, so nothing waits for the delay"
            yield Problem(("cursor", "delay"), "delay", message, "say which parameter is 'until'")
        if not self.newest_first:
            return
        if self.cursor is None or self.write_disposition != "merge":
            message = "reading stops at the cursor, and rows that move to a later page come twice"
            hint = "add a primary_key and 'cursor: {field: …}', and merge"
            yield Problem(("newest_first",), "newest_first", message, hint, True)
        elif column := self.columns.get(self.cursor.field):
            name = column.from_names[0]
            is_in_record = JSON_PATH.fullmatch(f"$.{name}") and not is_in_path([name])
            if column.type.name not in NEWEST_TYPES or not is_in_record:
                message = f"reading can't stop at {name!r}: it takes a date, a time or an integer"
                yield Problem(("newest_first",), "newest_first", message, at_key=True)


class RestSource(SourceSpec):
    """A JSON API over HTTP."""

    kind: Literal["rest_api"]
    url: Url = Field(
        examples=["https://api.example.com/v2"],
        description="Where its paths begin: a literal, ${NAME} or ${NAME:-default}.",
    )
    auth: AuthSpec | None = Field(None, description="How it is signed in to; default: not at all.")
    rate_limit: Annotated[
        float,
        PlainValidator(_rate),
        WithJsonSchema({"type": "number", "minimum": 0.001, "maximum": 10000}),
    ] = Field(10, description="Requests a second, at most.")
    timeout: Duration = Field(
        TIMEOUT, description="How long to wait for an answer to begin or to go on: 1s to 5m."
    )
    resources: Mapping[str, RestResource] = Field(
        min_length=1,
        examples=[
            {
                "orders": {
                    "path": "/orders",
                    "primary_key": ["order_id"],
                    "columns": {"order_id": {"type": "bigint"}},
                }
            }
        ],
    )

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        if self.auth is not None:
            yield from keys_problems("auth", self.auth, self.auth.type, AUTH_KEYS)
        if not timedelta(seconds=1) <= self.timeout <= timedelta(minutes=5):
            yield Problem(("timeout",), "timeout", "a timeout is between 1s and 5m")
        for name, resource in self.resources.items():
            for key, parent in resource.parents.items():
                path = ("resources", name, "each", key)
                yield from parent_problems(path, name, parent, self.resources)

    def needed_tables(self, name: str) -> Mapping[str, Path]:
        parents: dict[str, Path] = {
            self.resources[parent.resource].table: ("each", key)
            for key, parent in self.resources[name].parents.items()
            if parent.resource in self.resources
        }
        return {**super().needed_tables(name), **parents}


def keys_problems(
    where: str,
    model: Model,
    kind: str,
    known: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]],
) -> Iterator[Problem]:
    """Keys that are missing, or that say nothing of this kind."""
    needed, also = known[kind]
    fields: Mapping[str, Any] = type(model).model_fields
    said = {fields[name].alias or name for name in model.model_fields_set}
    for key in needed:
        if key not in said:
            yield Problem((where,), "missing", f"{kind} needs {key!r}", at_key=True)
    for key in sorted(said - {*needed, *also, "type", "style"}):
        yield Problem((where, key), "key", f"{key!r} says nothing of {kind}", at_key=True)
