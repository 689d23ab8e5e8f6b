"""A user's YAML, edited: what is new is spliced in, and every other character stays.

Each function proves its result: read again, it must say exactly what was meant. Where it does not,
the error says what to write by hand.
"""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Any

from etlgen.errors import Finding, Refused, SpecError
from etlgen.names import did_you_mean, shown
from etlgen.pycode import escape, is_visible
from etlgen.spec.document import Document, parse_document
from etlgen.spec.explain import MISSING
from etlgen.spec.problem import Path, Problem
from etlgen.spec.split import Places, as_block, as_flow, source_file
from etlgen.spec.text import LINE_BREAK, plain_breaks

Tree = dict[str, Any]

_RESOURCES: Path = ("resources",)
_HOLLOW = re.compile(r"\{\s*\}|~|null|Null|NULL|")
_BLOCK_SCALAR = re.compile(r"[|>][-+0-9]*")
_COMMENT = re.compile(r"(?:^|\s)#", re.MULTILINE)
_UNSURE = re.compile(r"[-?:,\[\]{}#&*!|>'\"%@`=<~]|.*:$")  # plain for one parser, not for another
_COMMENT_AFTER = re.compile(r"[ \t]*(,?)[ \t]*#[^\r\n\x85\u2028\u2029]*")


def with_scalar(text: str, name: str, key: str, value: str) -> str:
    """The file with `key: value` at its top level, instead of what the key said before."""
    document = parse_document(text, name)
    tree = {} if document.tree is None else document.tree
    if not isinstance(tree, dict):
        what = Problem((), "type", "a spec is a mapping, such as name: …")
        raise SpecError(document.finding(what))
    hint = f"write '{yaml_key(key)}: {yaml_value(value)}' by hand"
    problem = Problem((key,), "edit", f"etlgen cannot write {key!r} into this file", hint)
    places = Places(document)
    if key not in tree:
        after = "name" if "name" in tree else next(reversed(tree), None)
        new, expected = _added(places, key, value, after), _with_item(tree, key, value, after)
    elif isinstance(tree[key], dict | list):  # it may have comments
        raise SpecError(document.finding(problem))
    else:
        new, expected = _replaced(places, key, value), {**tree, key: value}
    return _proven(text, document, new, expected, problem)


def with_resources(text: str, name: str, added: str, added_name: str) -> str:
    """The source file with the resources of another source text at the end of its own.

    `added` is a source file, or a one-file spec that has a source of this file's name.
    """
    document = parse_document(text, name)
    other = parse_document(plain_breaks(added), added_name)
    within = _source_path(other, PurePosixPath(name).stem)
    have, more = _resources(document, ()), _resources(other, within)
    if not more:
        problem = Problem((*within, *_RESOURCES), "empty", "at least one is needed here")
        raise SpecError(other.finding(problem))
    _refuse_differences(document, other, within)
    _refuse_twins(document, have, other, within)
    message = "etlgen cannot write more resources into this file"
    hint = "write 'resources:' as a block, each resource and each comment on its own lines"
    problem = Problem(_RESOURCES, "edit", message, hint, at_key=True)
    new = _with_more(Places(document), Places(other), (*within, *_RESOURCES))
    if new is None:
        raise SpecError(document.finding(problem))
    expected = {**document.tree, "resources": {**have, **more}}
    return _proven(text, document, new, expected, problem)


def source_text(text: str, name: str, source: str) -> str:
    """`sources/<source>.yaml` from a source file or a one-file spec, as `split` writes it."""
    document = parse_document(plain_breaks(text), name)
    return source_file(document, _source_path(document, source))


def yaml_key(key: str) -> str:
    """A key, in quotes only where it would be read as something else."""
    return _text(key, "{{{}: 1}}", {key: 1})


def yaml_value(value: Any, *, in_flow: bool = False) -> str:
    """A value on one line, in quotes only where it would be read as something else."""
    match value:
        case str() if in_flow:
            return _text(value, "{{x: {}, y: 1}}", {"x": value, "y": 1})
        case str():
            return _text(value, "x: {}\n", {"x": value})
        case dict():
            items = (
                f"{yaml_key(key)}: {yaml_value(item, in_flow=True)}" for key, item in value.items()
            )
            return f"{{{', '.join(items)}}}"
        case list():
            return f"[{', '.join(map(_listed, value))}]"
        case bool() | None:
            return "null" if value is None else str(value).lower()
        case _:
            return str(value)


def _listed(value: Any) -> str:
    """Unlike in a mapping, a comma between parentheses ends an item."""
    if isinstance(value, str):
        return _text(value, "[{}, y]", [value, "y"])
    return yaml_value(value, in_flow=True)


def _text(value: str, template: str, expected: Any) -> str:
    """The plainest spelling that is read as the value."""
    inside = value.replace("\\", "\\\\").replace('"', '\\"')
    spellings = [f'"{"".join(c if is_visible(c) else escape(c) for c in inside)}"']
    if all(map(is_visible, value)):
        quoted = "'" + value.replace("'", "''") + "'"
        spellings = [quoted, *spellings] if inside != value else spellings
        spellings = spellings if _UNSURE.match(value) else [value, *spellings]
    for spelling in spellings:
        try:
            if _is(parse_document(template.format(spelling), "").tree, expected):
                return spelling
        except SpecError:
            continue
    message = f"{shown(value)} cannot stand in YAML"
    raise SpecError(Finding(None, None, None, "character", message))


def _is(tree: Any, expected: Any) -> bool:
    return repr(tree) == repr(expected)  # == finds no difference in order, nor in 1 and true


def _proven(text: str, document: Document, new: str, expected: Any, problem: Problem) -> str:
    try:
        if _is(parse_document(new, document.name).tree, expected):
            return "\ufeff" * text.startswith("\ufeff") + new
    except SpecError:
        pass
    raise SpecError(document.finding(problem))


def _replaced(places: Places, key: str, value: str) -> str:
    span = places.span((key,))
    start, end = places.at(span.start), places.at(span.end)
    before, after = places.text[:start], places.text[end:]
    block = _BLOCK_SCALAR.match(places.text, start, end)
    if block:  # the rest of its first line may be a comment
        after = places.text[block.end() : places.line_start(span.start.line + 1)] + after
    glue = "" if before.endswith((" ", "\t", "\n")) else " "
    return before + glue + yaml_value(value, in_flow=places.span(()).is_flow) + after


def _added(places: Places, key: str, value: str, after: str | None) -> str:
    is_flow = places.span(()).is_flow
    item = f"{yaml_key(key)}: {yaml_value(value, in_flow=is_flow)}"
    if is_flow:
        return _with_items(places, (), after, [item])
    if after is None:
        return _with_lines(places.text, places.line_start(places.last_line()), f"{item}\n")
    margin = " " * places.key((after,)).column
    return _with_lines(
        places.text, places.line_start(places.block_end((after,))), f"{margin}{item}\n"
    )


def _with_item(tree: Tree, key: str, value: str, after: str | None) -> Tree:
    items = list(tree.items())
    items.insert(list(tree).index(after) + 1 if after is not None else 0, (key, value))
    return dict(items)


def _with_more(places: Places, other: Places, path: Path) -> str | None:
    """The text with the items at a path of another; None where there is no good way."""
    span, is_flow = places.span(_RESOURCES), places.span(()).is_flow
    have = list(places.value(_RESOURCES) or ())
    if not have and not is_flow:
        return _filled(places, other, path)
    if span.is_flow:
        line = places.document.lines[places.key((*_RESOURCES, *have[:1])).line]
        items = _flow_items(other, path, len(line) - len(line.lstrip(" ")))
        return _with_items(places, _RESOURCES, have[-1] if have else None, items) if items else None
    if not have:
        return None
    block = as_block(other, path, places.key((*_RESOURCES, have[0])).column)
    if _is_spaced(places, have):
        block = f"\n{block}"
    return _with_lines(places.text, places.line_start(places.block_end(_RESOURCES)), block)


def _flow_items(other: Places, path: Path, column: int) -> list[str] | None:
    """Items for a mapping in flow style, which has no place for comments between them."""
    if other.span(path).is_flow:
        return as_flow(other, path, column)
    if _COMMENT.search(as_block(other, path, column)):
        return None
    return [yaml_value({name: item})[1:-1] for name, item in other.value(path).items()]


def _filled(places: Places, other: Places, path: Path) -> str | None:
    """The text with items for a key that has none yet."""
    span = places.span(_RESOURCES)
    if not _HOLLOW.fullmatch(places.between(span.start, span.end)):
        return None
    end = places.line_start(span.end.line + 1)
    head = places.text[: places.at(span.start)].rstrip(" ") + places.text[places.at(span.end) : end]
    block = as_block(other, path, places.key(_RESOURCES).column + 2)
    return _with_lines(head + places.text[end:], len(head), block)


def _is_spaced(places: Places, have: list[str]) -> bool:
    """Whether empty lines stand between the items."""
    for before, name in pairwise(have):
        gap = range(places.content_end((*_RESOURCES, before)), places.key((*_RESOURCES, name)).line)
        if any(not places.document.lines[line].strip() for line in gap):
            return True
    return False


def _with_items(places: Places, path: Path, after: str | None, items: list[str]) -> str:
    """The text with more items in a mapping in flow style, on lines of their own if it has such."""
    text = places.text
    if after is None:
        at = places.at(places.span(path).start) + 1
        return text[:at] + ", ".join(items) + text[at:]
    key, at = places.key((*path, after)), places.at(places.span((*path, after)).end)
    comment = _COMMENT_AFTER.match(text, at)  # it stays behind what it is about
    if not comment and places.document.lines[key.line][: key.column].strip():
        return text[:at] + _ended_as(text, "".join(f", {item}" for item in items)) + text[at:]
    comma = comment[1] if comment else ""
    stop = (comment.end() if comment else at) + (not comma)
    margin = " " * key.column
    lines = margin + f",\n{margin}".join(items) + comma
    return _with_lines(text[:at] + ("" if comma else ",") + text[at:], stop, lines)


def _with_lines(text: str, at: int, lines: str) -> str:
    if at and text[at - 1] not in "\r\n":
        lines = f"\n{lines}"
    return text[:at] + _ended_as(text, lines) + text[at:]


def _ended_as(text: str, lines: str) -> str:
    """The lines with the text's own kind of line end."""
    found = LINE_BREAK.search(text)
    return lines.replace("\n", found[0] if found else "\n")


def _source_path(document: Document, source: str) -> Path:
    """Where a source stands: at the top, or in a one-file spec under its name."""
    tree = document.tree
    if not isinstance(tree, dict) or "sources" not in tree or {"kind", "resources"} & tree.keys():
        return ()
    sources = tree["sources"]
    if not isinstance(sources, dict | None):
        message = "sources is a mapping of names to sources"
        raise SpecError(document.finding(Problem(("sources",), "type", message)))
    if source not in (sources or {}):
        known = list(sources or {})
        hint = did_you_mean(source, known) or f"sources: {', '.join(known)}"
        message = f"there is no source {shown(source)} in this file"
        problem = Problem(("sources",), "unknown_source", message, hint, at_key=True)
        raise SpecError(document.finding(problem))
    return ("sources", source)


def _resources(document: Document, within: Path) -> Tree:
    """The resources of the source at a path; a key without a value has none."""
    source = Places(document).value(within)
    path = (*within, *_RESOURCES)
    if not isinstance(source, dict) or "resources" not in source:
        raise SpecError(document.finding(Problem(path, MISSING, "missing 'resources'")))
    found = source["resources"]
    if found == "*":
        message = "the source reads a whole database, so it has every resource already"
        hint = "say more of one in its 'overrides', or add a source with another name"
        raise SpecError(document.finding(Problem(path, "whole", message, hint)))
    if not isinstance(found, dict | None):
        message = "resources is a mapping of names to resources"
        raise SpecError(document.finding(Problem(path, "type", message)))
    return found or {}


def _refuse_differences(document: Document, other: Document, within: Path) -> None:
    """What the added source says of the source itself, the source must say, too."""
    hint = f"take it out here, or change {document.name} first"
    problems = [
        Problem(
            (*within, key),
            "differs",
            _difference(document, key, value),
            hint,
            at_key=key not in document.tree,
        )
        for key, value in Places(other).value(within).items()
        if key != "resources" and (key not in document.tree or document.tree[key] != value)
    ]
    if problems:
        raise SpecError(map(other.finding, problems))


def _difference(document: Document, key: str, value: Any) -> str:
    if key not in document.tree:
        return f"{document.name} has no {shown(key)}"
    have, this = yaml_value(document.tree[key]), yaml_value(value)
    return f"{document.name} says {key}: {have}, this says {this}"


def _refuse_twins(document: Document, have: Tree, other: Document, within: Path) -> None:
    source = PurePosixPath(document.name).stem
    hint = f"edit {document.name}, then run etlgen generate"
    twins = [
        Problem(
            (*within, *_RESOURCES, name),
            "exists",
            f"{source} already has a resource {shown(name)}",
            hint,
            at_key=True,
        )
        for name in Places(other).value((*within, *_RESOURCES))
        if name in have
    ]
    if twins:
        raise Refused(map(other.finding, twins))
