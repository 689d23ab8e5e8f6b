"""A spec to start from, and short ways to read one."""

from textwrap import dedent

from etlgen.errors import Finding, SpecError
from etlgen.kinds import load_kinds
from etlgen.spec.models import Spec
from etlgen.spec.reading import read_project_file

SHOP = """\
# The shop.
name: shop-etl
owner: data team
destination: {schema: shop}
schedule: "@daily"

sources:
  # The web shop's exports.
  webshop:
    kind: file
    path: ${WEBSHOP_PATH:-data/webshop}
    resources:
      orders:  # one file a day
        path: orders-*.csv
        delimiter: ";"
        decimal_mark: ","
        thousands_mark: "."
        primary_key: [order_id]
        cursor: {field: ordered_at}
        columns:
          order_id: {type: bigint, from: Order No}
          ordered_at: {type: timestamptz, format: "%d.%m.%Y %H:%M", timezone: Europe/Berlin}
          total: {type: numeric(12,2), checks: [{at_least: 0}]}
          status:
            type: text
            clean: [strip, lower, {null_if: [n/a]}]
            checks:
              - {one_of: [new, paid], severity: warn}
          country: {type: text, default: DE}
      products:
        path: products.tsv
        columns:
          sku: {type: text, nullable: false}
    # the end of the web shop

  # Customers come from the CRM.
  crm:
    kind: file
    path: data/crm
    resources:
      customers:
        path: customers.jsonl
        columns:
          email: {type: text, from: [Email, E-mail]}

# What else there is.
timezone: Europe/Berlin
"""

ONE_COLUMN = """\
name: shop-etl
sources:
  s:
    kind: file
    path: data
    resources:
      r:
        path: r.csv
        columns:
          c: {column}
"""


def read(text: str) -> Spec:
    return read_project_file(dedent(text), "spec.yaml", load_kinds())


def faults(text: str) -> tuple[Finding, ...]:
    """What is wrong with a spec; nothing where it can be read."""
    try:
        read(text)
    except SpecError as error:
        return error.findings
    return ()


def faults_of_column(column: str) -> list[str]:
    """The messages about one column, its hints behind a semicolon."""
    found = faults(ONE_COLUMN.replace("{column}", column))
    assert all(fault.line == 10 for fault in found)
    return [f"{fault.message}; {fault.hint}" if fault.hint else fault.message for fault in found]
