"""What the modules and tests of endpoints say beyond what every resource says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from etlgen.kinds import KindPlan
from etlgen.kinds.rest_api.each import PLACEHOLDER, is_in_path, keys_code
from etlgen.kinds.rest_api.spec import (
    TIMEOUT,
    AuthSpec,
    PagesSpec,
    QuerySpec,
    RestResource,
    RestSource,
)
from etlgen.names import EnvName
from etlgen.pycode import Code, code
from etlgen.spec.settings import Setting
from etlgen.vocabulary.column import Column
from etlgen.vocabulary.derive import in_source
from etlgen.vocabulary.json_value import is_json_cell, json_object
from etlgen.vocabulary.samples import alike, bad_cells, element_counts, good_rows

AUTH_CLASSES = {
    "bearer": "Bearer",
    "api_key": "ApiKey",
    "basic": "Basic",
    "client_credentials": "ClientCredentials",
    "refresh_token": "RefreshToken",
}
PAGE_CLASSES = {
    "one": "Pages",
    "page_number": "PageNumber",
    "offset": "Offset",
    "cursor": "Cursor",
    "cursor_header": "Cursor",
    "link_header": "Linked",
    "next_url": "Linked",
}
# What is said by place, and what has another name there.
PAGE_ARGUMENTS = {
    "cursor": ("param",),
    "cursor_header": ("param",),
    "next_url": ("next",),
}
PAGE_OPTIONS = {"cursor": {"next": "at"}}
FAKE_PAGE = 2  # records on a page of the API in the generated tests
EXAMPLE_URL = "https://api.example.com"


@dataclass(frozen=True, slots=True)
class Variable:
    """A line of the source's env example; a secret has no default."""

    name: EnvName
    default: str | None


@dataclass(frozen=True, slots=True)
class ApiDetail:
    """How the API is reached: the call, what it needs, and the variables that it reads."""

    arguments: tuple[Code, ...]
    auth_class: str | None
    is_oauth: bool
    keeps_tokens: bool
    has_dag_test: bool
    variables: tuple[Variable, ...]


@dataclass(frozen=True, slots=True)
class EndpointDetail:
    """One resource: its endpoint, and records made up for its tests.

    `each` is what it is read for, and `keys` one value for each name, as the tests read it for.
    """

    endpoint: Code
    each: Code | None
    keys: Mapping[str, str]
    good: tuple[str, ...]
    bad: tuple[str, ...]
    rules: tuple[str, ...]
    element_counts: Mapping[str, int]
    is_partitioned: bool
    is_repeatable: bool
    is_paged: bool

    @property
    def code(self) -> tuple[Code, ...]:
        return (self.endpoint,) if self.each is None else (self.endpoint, self.each)

    @property
    def reads_files(self) -> bool:
        return False


def plan(source: RestSource) -> KindPlan:
    """An API, and for each resource its endpoint and its samples."""
    details = {name: _detail(one, source) for name, one in source.resources.items()}
    return KindPlan(_api(source), details)


def _api(source: RestSource) -> ApiDetail:
    arguments = [_setting(source.url, EXAMPLE_URL)]
    settings = [source.url]
    if source.auth is not None:
        arguments.append(code("auth={auth}", auth=_auth(source.auth, source.name)))
        settings += [
            value
            for name in type(source.auth).model_fields
            if isinstance(value := getattr(source.auth, name), Setting)
        ]
    if source.rate_limit != 10:
        arguments.append(code("rate_limit={rate}", rate=source.rate_limit))
    settings += _each_settings(source)
    if source.timeout != TIMEOUT:
        arguments.append(code("timeout={seconds}", seconds=int(source.timeout.total_seconds())))
    variables = {one.env: Variable(one.env, one.default) for one in settings if one.env is not None}
    way = source.auth.type if source.auth else None
    return ApiDetail(
        arguments=tuple(arguments),
        auth_class=AUTH_CLASSES[way] if way else None,
        is_oauth=way in ("client_credentials", "refresh_token"),
        keeps_tokens=way == "refresh_token",
        has_dag_test=_can_be_served_together(source),
        variables=tuple(variables.values()),
    )


def _each_settings(source: RestSource) -> list[Setting]:
    each = [value for one in source.resources.values() for value in one.each.values()]
    return [value for value in each if isinstance(value, Setting)]


def _can_be_served_together(source: RestSource) -> bool:
    """Whether one made-up API can answer a run of the DAG: no path could be that of another."""
    paths = [one.path for one in source.resources.values()]
    return _are_apart(paths) and not _each_settings(source)


def _are_apart(paths: Sequence[str]) -> bool:
    """Whether no request for one of them could be for another."""
    patterns = ["[^/]+".join(map(re.escape, PLACEHOLDER.split(path)[::2])) for path in paths]
    return not any(
        re.fullmatch(pattern, other)
        for index, pattern in enumerate(patterns)
        for other in [*paths[:index], *paths[index + 1 :]]
    )


def _auth(auth: AuthSpec, source: str) -> Code:
    """`Bearer(environment.require("ERP_TOKEN", "…"))`."""
    named: dict[str, Any] = {}
    match auth.type:
        case "bearer":
            values: list[Any] = [auth.token]
        case "api_key":
            values = [auth.name, auth.key]
            if auth.place == "query":
                values.append(auth.place)
        case "basic":
            values = [auth.user, auth.password]
        case "client_credentials" | "refresh_token":
            values = [auth.token_url, auth.client_id, auth.client_secret]
            if auth.type == "refresh_token":
                named["first"] = auth.refresh_token
                named["tokens"] = code("TokenTable(open_destination, {source})", source=source)
            if auth.scope:
                named["scope"] = auth.scope
    parts: dict[str, Any] = {f"part{number}": value for number, value in enumerate(values)} | named
    arguments = [f"{{{part}}}" if part not in named else f"{part}={{{part}}}" for part in parts]
    shown = {
        part: _setting(value, "…") if isinstance(value, Setting) else value
        for part, value in parts.items()
    }
    return code(f"{AUTH_CLASSES[auth.type]}({', '.join(arguments)})", imports=(), **shown)


def _setting(setting: Setting, example: str) -> Code:
    if setting.env is None:
        return code("{value}", value=setting.default)
    if setting.default is None:
        return code("environment.require({name}, {example})", name=setting.env, example=example)
    return code("environment.get({name}, {default})", name=setting.env, default=setting.default)


def _detail(resource: RestResource, source: RestSource) -> EndpointDetail:
    columns = resource.resolved_columns()
    in_path = [column for column in columns if is_in_path(column.from_names)]
    in_record = [column for column in in_source(columns) if column not in in_path]
    names = [column.name for column in in_record]
    good = alike(good_rows(columns), columns, in_path)
    bad = [
        cell
        for cell in bad_cells(columns)
        if cell.column in names and is_json_cell(columns, cell.column, cell.raw_value)
    ]
    broken = [{**good[0], cell.column: cell.raw_value} for cell in bad]
    values = {column.from_names[0]: good[0][column.name] for column in in_path}
    return EndpointDetail(
        endpoint=_endpoint(resource, in_source(columns)),
        each=keys_code(resource.each, source.resources),
        keys={name: values.get(f"{{{name}}}") or "sample" for name in resource.each},
        good=tuple(json_object(in_record, row) for row in good),
        bad=tuple(json_object(in_record, row) for row in (good[0], *broken)),
        rules=tuple(cell.rule for cell in bad),
        element_counts=element_counts(columns, good),
        is_partitioned=bool(resource.each) or resource.slices is not None,
        is_repeatable=resource.write_disposition != "append",
        is_paged=resource.pages.style != "one" and len(good) > FAKE_PAGE,
    )


def _endpoint(resource: RestResource, columns: Sequence[Column]) -> Code:
    """`Endpoint("/orders", columns=[…], pages=PageNumber(…))`: not said is the default."""
    options: dict[str, Any] = {
        "columns": [
            column.from_names[0] if len(column.from_names) == 1 else column.from_names
            for column in columns
        ]
    }
    if resource.records != "$[*]":
        options["records"] = resource.records
    if resource.pages.style != "one":
        pages = resource.pages
        if resource.newest_first and pages.total:
            # Side by side, one would move to a page that was read while its own was not.
            pages = pages.model_copy(update={"in_flight": 1})
        options["pages"] = _pages(pages)
    if resource.params:
        options["params"] = dict(resource.params)
    documents = [
        name for column in columns if column.type.name == "jsonb" for name in column.from_names
    ]
    if documents:
        options["documents"] = documents
    if resource.cursor is not None and (resource.since or resource.until or resource.newest_first):
        options["cursor"] = resource.cursor.field
    for key in ("since", "until"):
        query: QuerySpec | None = getattr(resource, key)
        if query is not None:
            options[key] = _query(query)
    if resource.slices is not None:
        options["slices"] = resource.slices
    if resource.in_flight != 4:
        options["in_flight"] = resource.in_flight
    if resource.missing == "skip":
        options["skip_missing"] = True
    if resource.newest_first:
        options["newest_first"] = _newest_first(next(one for one in columns if one.is_cursor))
    named = "".join(f", {option}={{{option}}}" for option in options)
    imports = ["runtime.endpoints:Endpoint"]
    return code(f"Endpoint({{path}}{named})", imports=imports, path=resource.path, **options)


def _pages(pages: PagesSpec) -> Code:
    """`PageNumber(size=200, total="$.meta.total")`: not said is the default."""
    name = PAGE_CLASSES[pages.style]
    values = {key: getattr(pages, key) for key in type(pages).model_fields}
    positional = PAGE_ARGUMENTS.get(pages.style, ())
    renamed = PAGE_OPTIONS.get(pages.style, {})
    arguments = [f"{{{key}}}" for key in positional] + [
        f"{renamed.get(key, key)}={{{key}}}"
        for key, value in values.items()
        if key not in ("style", *positional) and value != type(pages).model_fields[key].default
    ]
    return code(f"{name}({', '.join(arguments)})", imports=[f"runtime.pages:{name}"], **values)


def _newest_first(cursor: Column) -> Code:
    """`NewestFirst("$.updated_at")`."""
    options: dict[str, Any] = {"at": f"$.{cursor.from_names[0]}"}
    if cursor.notation.format is not None:
        options["format"] = cursor.notation.format
    if cursor.notation.timezone not in (None, "UTC"):
        options["timezone"] = cursor.notation.timezone
    named = ", ".join("{at}" if name == "at" else f"{name}={{{name}}}" for name in options)
    return code(f"NewestFirst({named})", imports=["runtime.newest_first:NewestFirst"], **options)


def _query(query: QuerySpec) -> Code:
    imports = ["runtime.endpoints:Query"]
    if query.format == "iso":
        return code("Query({param})", imports=imports, param=query.param)
    return code("Query({param}, {format})", imports=imports, param=query.param, format=query.format)
