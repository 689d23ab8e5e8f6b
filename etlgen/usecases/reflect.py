"""`etlgen reflect`: a source is asked once what it holds, and that goes into its spec."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from etlgen.errors import Finding, SpecError, UsageError
from etlgen.kinds import Reflected, Unreflectable, load_kinds
from etlgen.names import did_you_mean, source_name
from etlgen.outcome import Outcome
from etlgen.rendered import SOURCES
from etlgen.spec.document import Document, parse_document
from etlgen.spec.edit_block import with_block
from etlgen.spec.files import spec_path
from etlgen.spec.problem import Path as Place
from etlgen.spec.problem import Problem
from etlgen.spec.reading import read_project, read_project_file
from etlgen.spec.split import Places
from etlgen.spec.text import decode, plain_breaks
from etlgen.usecases.options import Options
from etlgen.usecases.project import named, opened, unit_texts
from etlgen.usecases.settling import Confirm, own_file, settle
from etlgen.workspace.changes import ChangeSet

Tree = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reflection:
    """Which source is asked: one of a project, or of a one-file spec that is to become one."""

    name: str
    spec: Path | None = None


def reflect(options: Options, reflection: Reflection, confirm: Confirm) -> Outcome:
    """Write what the source holds into its spec; code follows with `etlgen generate`."""
    named(source_name, reflection.name)
    if reflection.spec is not None:
        return _reflect_file(options, reflection.spec, reflection.name, confirm)
    kinds = load_kinds()
    with opened(options) as project:
        unit = f"{SOURCES}{reflection.name}"
        path = spec_path(project.root, unit)
        before = unit_texts(project.root, [reflection.name])[unit]
        text, notices = _reflected(before, path, (), project.root)
        read_project(project.root, kinds, [reflection.name], {path: text})
        changes = ChangeSet(tuple(own_file(project.root, path, text, before)))
        return settle(project, changes, options, confirm, ("etlgen generate",), notices)


def _reflect_file(options: Options, file: Path, name: str, confirm: Confirm) -> Outcome:
    root, called = file.parent, str(file)
    try:
        before = plain_breaks(decode(file.read_bytes(), called))
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        raise UsageError(Finding(called, None, None, "no-file", message, "see --spec")) from error
    text, notices = _reflected(before, called, ("sources", name), root)
    read_project_file(text, called, load_kinds())
    changes = ChangeSet(tuple(own_file(root, file.name, text, before)))
    outcome = Outcome(root, changes, findings=notices, steps=(f"etlgen new --spec {called}",))
    if not changes.writes or options.dry_run or not confirm(changes):
        return outcome
    unfinished = file.with_name(f"{file.name}.unfinished")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(file)
    return replace(outcome, written=True)


def _reflected(text: str, path: str, within: Place, root: Path) -> tuple[str, tuple[Finding, ...]]:
    """The spec's text with what the source holds, and what there is to say of it."""
    document = parse_document(text, path)
    raw = _source(document, within)
    kind = load_kinds()[str(raw["kind"])]
    try:
        found = kind.reflect(raw, _environment(root))
    except Unreflectable as error:
        raise SpecError(document.finding(one, within) for one in error.problems) from None
    for key, items in found.keys.items():
        text = with_block(text, path, within, key, items)
    told = tuple(Finding(path, None, None, "reflected", message) for message in _told(raw, found))
    return text, told


def _source(document: Document, within: Place) -> dict[str, Any]:
    """The raw source at a path, of a kind that there is."""
    if within and within[1] not in ((document.tree or {}).get("sources") or {}):
        known = list((document.tree or {}).get("sources") or {})
        hint = did_you_mean(str(within[1]), known) or f"sources: {', '.join(known) or 'none'}"
        problem = Problem((), "unknown_source", f"there is no source {within[1]!r}", hint)
        raise SpecError(document.finding(problem))
    raw = Places(document).value(within)
    if not isinstance(raw, dict) or raw.get("kind") not in load_kinds():
        problem = Problem(within, "kind", "a source has a kind, which says how it is read")
        raise SpecError(document.finding(problem))
    return raw


def _environment(root: Path) -> dict[str, str]:
    """What a run of the project would see: its `.env` under the process's own variables."""
    try:
        from dotenv import dotenv_values
    except ImportError:
        return dict(os.environ)
    said = dotenv_values(root / ".env", interpolate=False)
    return {name: value for name, value in said.items() if value} | dict(os.environ)


def _told(raw: Tree, found: Reflected) -> Iterator[str]:
    """How the source has changed since it was asked before, and what to mind."""
    for key, now in found.keys.items():
        before = raw.get(key)
        if isinstance(before, dict):
            yield from _differences(before, now)
        else:
            yield f"{len(now)} tables, {sum(len(one['columns']) for one in now.values())} columns"
    yield from found.notes


def _differences(before: Tree, now: Tree) -> Iterator[str]:
    for name in sorted({*before, *now}):
        if name not in before:
            yield f"{name} is new"
        elif name not in now:
            yield f"{name} is gone"
        else:
            yield from _changed(name, before[name], now[name])


def _changed(name: str, before: Tree, now: Tree) -> Iterator[str]:
    if before.get("key", []) != now.get("key", []):
        yield f"{name} has another primary key"
    old, new = before.get("columns") or {}, now["columns"]
    for column in dict.fromkeys([*old, *new]):
        if column not in old:
            yield f"{name}.{column} is new"
        elif column not in new:
            yield f"{name}.{column} is gone"
        elif old[column] != new[column]:
            yield f"{name}.{column} was {old[column]}, and is {new[column]}"
