"""A key of a source that etlgen itself writes, in a user's YAML: every other character stays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from etlgen.errors import SpecError
from etlgen.spec.document import Document, parse_document
from etlgen.spec.edit import yaml_key, yaml_value
from etlgen.spec.problem import Path, Problem
from etlgen.spec.split import Places


def with_block(text: str, name: str, source: Path, key: str, items: Mapping[str, Any]) -> str:
    """The file in which the source at a path says `key`, a line for each item."""
    document = parse_document(text, name)
    places = Places(document)
    message = f"etlgen cannot write {key!r} into this file"
    hint = "write the source as a block, each key on its own line"
    problem = Problem((*source, "kind"), "edit", message, hint, at_key=True)
    if places.span(source).is_flow:
        raise SpecError(document.finding(problem))
    tree = places.value(source)
    margin = " " * places.key((*source, "kind")).column
    lines = "".join(
        f"{margin}  {yaml_key(one)}: {yaml_value(said)}\n" for one, said in items.items()
    )
    block = f"{margin}{yaml_key(key)}:\n{lines}"
    if key in tree:
        start, end = places.key((*source, key)).line, places.block_end((*source, key))
    else:
        start = end = places.block_end((*source, next(reversed(tree))))
    new = places.lines(0, start) + block + places.lines(end, len(document.lines))
    _require_said(document, new, source, key, dict(items), problem)
    return new


def _require_said(
    document: Document, new: str, source: Path, key: str, items: dict[str, Any], problem: Problem
) -> None:
    """The new text, read again, says just that."""
    try:
        found = parse_document(new, document.name)
    except SpecError:
        raise SpecError(document.finding(problem)) from None
    before, after = Places(document).value(source), Places(found).value(source)
    if {**after, key: None} != {**before, key: None} or repr(after[key]) != repr(items):
        raise SpecError(document.finding(problem))
