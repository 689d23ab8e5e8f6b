"""What is said of a REST API that cannot be right, and where."""

from pathlib import Path
from textwrap import indent

import pytest

from etlgen.errors import SpecError
from etlgen.kinds import load_kinds
from etlgen.spec.reading import read_project_file
from etlgen.usecases.new import Request, create

SPEC = """\
name: shop
sources:
  erp:
    kind: rest_api
    url: https://erp.example.com
{source}
    resources:
      orders:
        path: /orders
        columns: {{id: {{type: bigint}}, at: {{type: timestamptz}}}}
{resource}
"""


def error_of(*, source: str = "", resource: str = "") -> str:
    text = SPEC.format(source=indent(source, " " * 4), resource=indent(resource, " " * 8))
    # A key that is said again replaces the one above.
    text = "\n".join({line.split(": ")[0]: line for line in text.splitlines()}.values())
    with pytest.raises(SpecError) as refusal:
        read_project_file(text, "spec.yaml", load_kinds())
    return str(refusal.value)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("auth: {type: bearer, token: S3cr3t-canary}", "a secret does not stand in a spec"),
        ('auth: {type: bearer, token: "${T:-S3cr3t-canary}"}', "a secret does not stand in a spec"),
        ("auth: {type: bearer}", "bearer needs 'token'"),
        ('auth: {type: bearer, token: "${T}", scope: x}', "'scope' says nothing of bearer"),
        ("timeout: 0s", "a timeout is between 1s and 5m"),
        ('auth: {type: refresh_token, token_url: "https://h"}', "refresh_token needs 'client_id'"),
        ("rate_limit: 0", "'0' is not a number of requests a second"),
        ("url: ftp://h", "'ftp://h' is not an http or https address"),
        ("url: https://me:S3cr3t-canary@h", "the address holds a user or a password"),
        ("url: https://h?key=1", "is not the address of an API"),
        ('url: "https://h/\\r\\nX-Evil: 1"', "is not an http or https address"),
    ],
)
def test_faults_of_a_source(source: str, message: str) -> None:
    error = error_of(source=source)
    assert message in error
    assert error.startswith("spec.yaml:")
    assert "S3cr3t-canary" not in error


@pytest.mark.parametrize(
    ("resource", "message"),
    [
        ("path: orders", "a path begins with '/'"),
        ("path: //evil.example/x", "'//evil.example/x' is not a path"),
        ('path: "/o?x=1"', "'/o?x=1' is not a path"),
        ("path: /shops/{shop}", "{shop} in the path has no values"),
        ("each: {shop: [a]}", "the path has no {shop}"),
        (
            "each: {shop: {resource: shops, colum: id}}",
            "unknown key 'colum'; did you mean 'column'?",
        ),
        ("each: {shop: {resource: shops}}", "the values need a resource and a column of it"),
        ("each: {shop: [[a]]}", "these are not values for a path"),
        ('each: {shop: "${shop}"}', "cannot be an environment variable"),
        ("columns: {id: {type: text, from: '{shop}'}}", "the path has no {shop}"),
        ("in_flight: 2", "'in_flight' is about 'each'"),
        ("missing: skip", "'missing' is about 'each'"),
        ("records: $.data", "is not the path of an array"),
        ('records: "$..a[*]"', "is not the path of an array"),
        ("pages: {style: cursor, param: a}", "cursor needs 'next'"),
        ("pages: {style: offset, next: $.n}", "'next' says nothing of offset"),
        ('pages: {style: offset, param: "a b"}', "'a b' is not the name of a query parameter"),
        ("since: {param: from}", "'since' takes values of the cursor, and there is none"),
        ("newest_first: true", "reading stops at the cursor"),
        (
            "newest_first: true\nprimary_key: [id]\ncursor: {field: at}\n"
            "columns: {id: {type: bigint}, at: {type: text}}",
            "it takes a date, a time or an integer",
        ),
        ("primary_key: [id]\ncursor: {field: at, delay: 5m}", "nothing waits for the delay"),
        ("slices: 1d", "slices are cut by 'since' and 'until'"),
        ("write_disposition: append", "append without a cursor"),
    ],
)
def test_faults_of_an_endpoint(resource: str, message: str) -> None:
    error = error_of(resource=resource)
    assert message in error
    assert error.startswith("spec.yaml:")


LINES = """\
name: shop
sources:
  erp:
    kind: rest_api
    url: https://erp.example.com
    resources:
      orders:
        path: /orders
        columns: {id: {type: bigint}}
      lines:
        path: /orders/{order}/lines
        each: {order: {resource: orders, column: id}}
        columns: {order_id: {type: bigint, from: "{order}"}, shop: {type: text}}
"""


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        (
            "resource: orders",
            "resource: order",
            "spec.yaml:12:34: there is no other resource 'order' in this source; "
            "did you mean 'orders'?",
        ),
        ("resource: orders", "resource: lines", "there is no other resource 'lines'"),
        (
            "column: id}}",
            "column: idd}}",
            "spec.yaml:12:50: orders has no column 'idd'; did you mean 'id'?",
        ),
        (
            ', from: "{order}"',
            "",
            "spec.yaml:12:16: no column has the value of {order}, which says whose a row is",
        ),
        (
            'from: "{order}"',
            'from: ["{order}", order]',
            "spec.yaml:13:50: a value in the path has one name",
        ),
        (
            "columns: {id: {type: bigint}}",
            "columns: {id: {type: bigint}}\n        "
            "checks: [{references: {column: id, table: lines, key: order_id}}]",
            "spec.yaml:10:31: each of these needs the next to be loaded before it: "
            "erp.orders → erp.lines → erp.orders",
        ),
    ],
)
def test_faults_of_a_resource_that_is_read_for_each_of_another(
    old: str, new: str, error: str
) -> None:
    assert old in LINES
    read_project_file(LINES, "spec.yaml", load_kinds())
    with pytest.raises(SpecError) as refusal:
        read_project_file(LINES.replace(old, new), "spec.yaml", load_kinds())
    assert error in str(refusal.value)


def test_a_circle_through_two_sources_is_refused() -> None:
    files = """\
name: shop
sources:
  one:
    kind: file
    path: data
    resources:
      a: {path: a.csv, columns: {id: {type: text}}, checks: [{references: {column: id, table: b}}]}
  two:
    kind: file
    path: data
    resources:
      b: {path: b.csv, columns: {id: {type: text}}, checks: [{references: {column: id, table: a}}]}
"""
    with pytest.raises(SpecError, match=r"spec.yaml:7:\d+: each of .* one\.a → two\.b → one\.a"):
        read_project_file(files, "spec.yaml", load_kinds())
    itself = files.replace("table: b", "table: a").replace('table: a}}]}\n"', "")
    assert read_project_file(itself, "spec.yaml", load_kinds())


def test_what_is_said_of_an_api_becomes_code(tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text("""\
name: shop
sources:
  erp:
    kind: rest_api
    url: https://erp.example.com
    timeout: 2m
    auth: {type: refresh_token, token_url: "https://login.example.com/token", client_id: me,
           client_secret: "${ERP_SECRET}", refresh_token: "${ERP_REFRESH_TOKEN}", scope: orders}
    resources:
      orders:
        path: /orders
        pages: {style: offset, total: $.total}
        primary_key: [id]
        cursor: {field: at}
        newest_first: true
        columns:
          id: {type: bigint}
          at: {type: timestamptz, from: changed.at, format: "%d.%m.%Y %H:%M",
               timezone: Europe/Berlin}
""")
    package = create(Request(spec, base=tmp_path), lambda _: True).root / "src/shop"
    connection = " ".join((package / "sources/erp/connection.py").read_text().split())
    orders = " ".join((package / "sources/erp/orders.py").read_text().split())
    assert (
        'auth=RefreshToken( "https://login.example.com/token", "me", '
        'environment.require("ERP_SECRET", "…"), '
        'first=environment.require("ERP_REFRESH_TOKEN", "…"), '
        'tokens=TokenTable(open_destination, "erp"), scope="orders", ), timeout=120,'
    ) in connection
    # Side by side, a record could move past the pages that are read.
    assert 'pages=Offset(total="$.total", in_flight=1)' in orders
    assert (
        'newest_first=NewestFirst( "$.changed.at", format="%d.%m.%Y %H:%M", '
        'timezone="Europe/Berlin" )'
    ) in orders


EVENTS = """\
name: shop
sources:
  erp:
    kind: rest_api
    url: https://erp.example.com
    resources:
      events:
        path: /events
        write_disposition: append
        cursor: {field: at, initial_value: 2026-01-01T00:00:00Z}
        since: {param: from}
        until: {param: to}
        slices: 1d
        columns: {id: {type: bigint}, at: {type: timestamptz}}
"""


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("since: {param: from}", "since: {param: from, format: epoch}", "asked for just what is"),
        ("until: {param: to}", 'until: {param: to, format: "%Y-%m-%d"}', "asked for just what is"),
        (
            "        since: {param: from}\n        until: {param: to}\n        slices: 1d\n",
            "",
            "append needs an API that is asked for just what is new",
        ),
        (
            ", initial_value: 2026-01-01T00:00:00Z",
            "",
            "the first load would be one request for all there is; add 'initial_value'",
        ),
    ],
)
def test_a_window_that_would_double_or_lose_rows_is_refused(old: str, new: str, error: str) -> None:
    assert old in EVENTS
    assert read_project_file(EVENTS, "spec.yaml", load_kinds())
    with pytest.raises(SpecError) as refusal:
        read_project_file(EVENTS.replace(old, new), "spec.yaml", load_kinds())
    assert error in str(refusal.value)
