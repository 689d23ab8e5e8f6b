"""Real contexts for real templates: what plans of a few specs give to each of them."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from etlgen.kinds import load_kinds
from etlgen.plan import plan_project
from etlgen.render import Renderer, project
from etlgen.rendered import RenderedFile
from etlgen.spec.reading import read_project_file

ROOT = Path(__file__).parents[2]
SHOP = (ROOT / "fixtures/shop/shop.yaml").read_text(encoding="utf-8")
# What the shop does not have: nothing optional, no default folder, no header, every type.
BARE = """\
name: bare
sources:
  one:
    kind: file
    path: ${ONE_PATH}
    resources:
      everything:
        path: "**/*.csv"
        header_row: 0
        columns:
          a: {type: boolean, default: true}
          b: {type: smallint, default: 1}
          c: {type: integer}
          d: {type: numeric(9,2), default: "0.50"}
          e: {type: double}
          f: {type: date, default: 2026-01-31}
          g: {type: time}
          h: {type: timestamp}
          i: {type: timestamptz}
          j: {type: uuid}
          k: {type: jsonb}
          l: {type: bytea}
  two:
    kind: file
    path: data
    resources:
      only: {path: only.json, columns: {text: {type: text}}}
      private:
        path: private.csv
        drop: [secret]
        filter: [{column: text, matches: "a+|[*]+"}]
        columns:
          text: {type: text, from: TEXT, pii: true, clean: [{mask: all}]}
          number: {type: integer, clean: [{clip: {at_least: 0}}]}
        checks: [{unique: [text], severity: warn}, {sql: SELECT 1, message: one}]
      dropped: {path: dropped.csv, drop: [secret], columns: {text: {type: text}}}
      clipped: {path: clipped.csv, columns: {n: {type: double, clean: [{round: 1}]}}}
      class: {path: class.csv, write_disposition: append, columns: {text: {type: text}}}
"""
# An API in every way of signing in and every style of pages.
APIS = """\
name: apis
sources:
  open:
    kind: rest_api
    url: http://localhost:8000
    resources:
      all: {path: /all, columns: {id: {type: bigint}}}
      events:
        path: /shops/{shop}/events
        each: {shop: [a, b]}
        in_flight: 2
        records: $.data.items[*]
        pages: {style: cursor, param: after, next: $.next}
        params: {kind: any}
        write_disposition: append
        cursor: {field: at, initial_value: 2026-01-01T00:00:00Z}
        since: {param: from}
        until: {param: to}
        slices: 30d
        columns: {at: {type: timestamptz}, tags: {type: jsonb}}
      datetime:
        path: /shops/{shop}/all/{all}
        each: {shop: "${SHOPS}", all: {resource: all, column: id}}
        columns: {all: {type: bigint, from: "{all}"}}
  keyed:
    kind: rest_api
    url: ${KEYED_URL}
    auth: {type: api_key, name: key, key: "${KEYED_KEY}", in: query}
    rate_limit: 0.5
    resources:
      class: {path: /class, pages: {style: next_url, next: $.next}, columns: {text: {type: text}}}
      headed:
        path: /headed
        pages: {style: cursor_header, param: after, header: X-Next}
        columns: {text: {type: text}}
  login:
    kind: rest_api
    url: https://api.example.com
    auth:
      type: client_credentials
      token_url: https://login.example.com/token
      client_id: me
      client_secret: ${LOGIN_SECRET}
      scope: read
    resources:
      things:
        path: /things
        pages: {style: offset, total: $.total}
        primary_key: [id]
        columns:
          id: {type: bigint}
          load:
            type: jsonb
            explode:
              description: Parts of a thing.
              drop: [secret]
              columns:
                text: {type: text, from: TEXT, clean: [strip], checks: [{length: {at_most: 9}}]}
                number: {type: integer, clean: [{clip: {at_least: 0}}]}
          class: {type: jsonb, explode: {columns: {text: {type: text}, more: {type: jsonb}}}}
"""
# A database with and without a schema; a table, a query, parts of both sorts, no key.
DATABASES = """\
name: databases
sources:
  crm:
    kind: database
    url: ${CRM_DATABASE_URL}
    schema: sales
    resources:
      customers:
        from: Customer Table
        primary_key: [id]
        cursor: {field: at, initial_value: 2026-01-01T00:00:00Z}
        partition_by: {field: id, rows: 1000}
        columns: {id: {type: bigint, from: No}, at: {type: timestamptz, timezone: Europe/Berlin}}
      sums:
        query: |
          SELECT day, sum(total) AS total
          FROM orders GROUP BY day
        partition_by: {field: day, days: 7}
        columns: {day: {type: date}, total: {type: "numeric(9,2)"}}
  plain:
    kind: database
    url: ${PLAIN}
    resources:
      class: {query: SELECT 1 AS n, write_disposition: append, columns: {n: {type: text}}}
"""

Rendering = tuple[str, Any]


@cache
def renderings() -> tuple[Rendering, ...]:
    """Each template with each context that it is rendered with, in a project of each spec."""
    found: list[Rendering] = []

    def keep(
        self: Renderer,
        template: str,
        path: str,
        context: Any,
        unit: str,
        *,
        resource: str | None = None,
    ) -> RenderedFile:
        found.append((path_of(self, template), context))
        return RenderedFile(path, "", unit, template, resource)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Renderer, "render", keep)
        for text in (SHOP, BARE, APIS, DATABASES):
            kinds = load_kinds()
            spec = read_project_file(text, "spec.yaml", kinds)
            project.render_project(plan_project(spec, kinds))
    return tuple(found)


def path_of(renderer: Renderer, template: str) -> str:
    """The path of a template below the root of all of them."""
    for root in renderer._roots:
        if (root / template).is_file():
            return (root / template).relative_to(ROOT / "templates").as_posix()
    raise FileNotFoundError(template)


def python_renderings() -> Iterator[Rendering]:
    return (one for one in renderings() if one[0].endswith(".py.jinja"))
