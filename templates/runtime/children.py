"""Arrays as tables of their own: a row for each element, loaded with the row that holds them.

An array stays in its parent's row, as JSON: so a parent is loaded anew exactly when its array
differs, and one bad element keeps the whole parent out, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Float,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    Numeric,
    Select,
    Table,
    Uuid,
    and_,
    column,
    delete,
    exists,
    func,
    insert,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import SchemaItem

from .columns import as_arrow, as_series
from .conform import OF_PARENT, data_columns
from .json_cells import Record, cells, decode_array, parents_of, record_frame
from .problems import Problems
from .resource import EXTRA, Child, Load

POSITION = "_position"
# Types whose text is JSON already; a double may be NaN.
JSON_TYPES = (JSONB, Integer, Numeric, Boolean)
Owner = tuple[int, int]  # of an element: its parent's label, and its position from 1
encode = msgspec.json.encode


def child_key(parent: Table) -> list[SchemaItem]:
    """The columns that a child table begins with: its parent's key, and the position from 1."""
    keys = list(parent.primary_key)
    copies = [
        Column(key.name, key.type, primary_key=True, info=OF_PARENT) for key in keys
    ]
    return [
        *copies,
        Column(
            POSITION, Integer, primary_key=True, autoincrement=False, info=OF_PARENT
        ),
        ForeignKeyConstraint([copy.name for copy in copies], keys, ondelete="CASCADE"),
    ]


def each(values: pd.Series, child: Child, problems: Problems) -> pd.Series:
    """Arrays of objects through the `transform` of a child, as JSON that its table takes.

    What is wrong with an element is a problem of its parent's row, under a name such as
    `lines[2].price`.
    """
    names = [(key,) if isinstance(key, str) else key for key in child.keys]
    opened = parents_of([name for accepted in names for name in accepted])
    owners: list[Owner] = []
    elements: list[Record] = []
    broken = []
    for label, text in values.items():
        try:
            found = [] if pd.isna(text) else decode_array(text.encode())
            records = [cells(one, child.documents, opened) for one in found]
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            broken.append(label)
            continue
        owners += [(label, position) for position in range(1, len(found) + 1)]
        elements += records
    problems.add(str(values.name), "is not an array of objects", values.loc[broken])
    frame = record_frame(elements, range(len(elements)), names)
    arrays: dict[int, list[msgspec.Raw]] = {}
    for index, element in _transformed(child, owners, frame, problems):
        arrays.setdefault(owners[index][0], []).append(element)
    texts = [
        None if pd.isna(text) else encode(arrays.get(label, [])).decode()
        for label, text in values.items()
    ]
    return as_series(pa.array(texts, pa.string()), like=values)


def publish_children(
    connection: Connection, run_id: str, load: Load, rows: Select[Any]
) -> None:
    """Replace the children of each parent that this run has written; `rows` are those it staged."""
    parent, staged = load.table, rows.subquery()
    written = and_(
        parent.c["_run_id"] == run_id,
        exists().where(
            *(parent.c[key.name] == staged.c[key.name] for key in parent.primary_key)
        ),
    )
    for child in load.children:
        of_parent = and_(
            *(child.table.c[key.name] == key for key in parent.primary_key)
        )
        connection.execute(delete(child.table).where(of_parent, written))
        names, elements = _elements(child, parent)
        new = insert(child.table).from_select(names, elements.where(written))
        connection.execute(new)


def _elements(child: Child, parent: Table) -> tuple[list[str], Select[Any]]:
    """The rows of the child table, from its parents and the elements of their arrays."""
    columns = [*data_columns(child.table), child.table.c[EXTRA]]
    element = (
        func.jsonb_array_elements(parent.c[child.column])
        .table_valued(column("value", JSONB), with_ordinality=POSITION)
        .render_derived(name="element")
    )
    record = (
        func.jsonb_to_record(element.c.value)
        .table_valued(*(column(one.name, one.type) for one in columns))
        .render_derived(name="record", with_types=True)
    )
    values: dict[str, ColumnElement[Any]] = {
        **{key.name: key for key in parent.primary_key},
        POSITION: element.c[POSITION],
        **{one.name: record.c[one.name] for one in columns},
        "_run_id": parent.c["_run_id"],
        "_loaded_at": parent.c["_loaded_at"],
    }
    rows = parent.join(element, true()).join(record, true())
    return list(values), select(*values.values()).select_from(rows)


def _transformed(
    child: Child, owners: list[Owner], frame: pd.DataFrame, problems: Problems
) -> Iterator[tuple[int, msgspec.Raw]]:
    """The elements that the child's transform gives, as JSON, with their index among all."""
    own = Problems(private=problems.private, now=problems.now)
    rows = child.transform(frame, own)
    own.rows = rows
    child.check(rows, own)
    for index, reasons in own.reasons.items():
        label, position = owners[index]
        for reason in reasons:
            name = f"{child.column}[{position}].{reason.column}"
            problems.add_reason(label, replace(reason, column=name))
    for (name, rule), count in own.warnings.items():
        problems.warnings[f"{child.column}.{name}", rule] += count
    members = [_members(child.table.c[name], rows[name]) for name in rows.columns]
    for index, row in zip(rows.index, zip(*members, strict=True), strict=True):
        text = b",".join(member for member in row if member)
        yield index, msgspec.Raw(b"{%b}" % text)


def _members(column: Column[Any], values: pd.Series) -> list[bytes]:
    """`"price":12.50` for each value; nothing for NULL."""
    array = as_arrow(values)
    if isinstance(column.type, LargeBinary):
        texts = [
            None if cell is None else f"\\x{cell.hex()}" for cell in array.to_pylist()
        ]
    elif isinstance(column.type, Uuid):
        texts = [None if cell is None else cell.hex() for cell in array.to_pylist()]
    else:
        texts = pc.cast(array, pa.string()).to_pylist()
    is_json = isinstance(column.type, JSON_TYPES) and not isinstance(column.type, Float)
    key = encode(str(column.name))
    return [
        (
            b""
            if text is None
            else key + b":" + (text.encode() if is_json else encode(text))
        )
        for text in texts
    ]
