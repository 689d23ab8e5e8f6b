"""`etlgen mv`: a generated file or folder goes elsewhere, and etlgen follows."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from etlgen.errors import Finding, Refused, UsageError
from etlgen.kinds import load_kinds
from etlgen.names import PROJECT_FILE, import_package
from etlgen.outcome import Outcome
from etlgen.rendered import KINDS, PROJECT_UNIT, RUNTIME_UNIT, SOURCES
from etlgen.spec.edit import with_scalar
from etlgen.spec.reading import read_project
from etlgen.usecases.generate import regenerated
from etlgen.usecases.imports import importers
from etlgen.usecases.options import Options
from etlgen.usecases.project import Project, inside, named, opened, require_same_version, unit_texts
from etlgen.usecases.settling import Confirm, moved_file, own_file, own_files, settle, with_own
from etlgen.workspace.changes import Change, ChangeSet, Verb
from etlgen.workspace.disk import decoded, read_file
from etlgen.workspace.entries import Entry
from etlgen.workspace.state import FOLDER, base_path, base_text

_SRC = "src/"


def move(options: Options, old: Path, new: Path, confirm: Confirm) -> Outcome:
    """Move what is at `old` to `new`, or follow where the team has moved it already."""
    with opened(options) as project:
        here, there = (inside(project.root, options.start, path) for path in (old, new))
        package = read_project(project.root, load_kinds(), ()).project.import_package
        is_package = here == f"{_SRC}{package}"
        if not is_package:  # that is renamed, never put into another
            there = _target(project, here, there)
        _require_movable(project, here, there)
        if is_package:
            changes = _package_renamed(project, package, there, options)
        else:
            _require_not_imported(project, here)
            changes = _moved(project, here, there)
        return settle(project, changes, options, confirm, _steps(project, here))


def _steps(project: Project, here: str) -> tuple[str, ...]:
    """Settings and tests name folders: theirs is the team's to change, and later files' too."""
    locations = [entry.location for _, entry in project.state.entries()]
    if here in locations:
        return ()
    name = shlex.quote(PurePosixPath(here).name)
    return (f"git grep -nw {name}  # what still says the old name", "make test")


def _target(project: Project, here: str, there: str) -> str:
    """As with `mv`: into a folder that is there, if it is not what `here` has become already."""
    if here == there or not (project.root / there).is_dir() or _is_followed(project, here, there):
        return there
    return (PurePosixPath(there) / PurePosixPath(here).name).as_posix()


def _is_followed(project: Project, here: str, there: str) -> bool:
    """Whether the team has moved a file of the one folder to its place in the other."""
    locations = [entry.location for _, entry in project.state.entries()]
    return any(
        (project.root / target).is_file() and not (project.root / path).exists()
        for path in locations
        if (target := _below(path, here, there)) is not None
    )


def _require_movable(project: Project, here: str, there: str) -> None:
    """Not to where something else is kept, and not what imports would be left behind of."""
    parts = PurePosixPath(there).parts
    if here == there:
        raise UsageError(_refusal(there, "is where it is", None))
    if _is_spec(here):
        raise UsageError(_spec_file(here))
    if here in (FOLDER, PROJECT_FILE, SOURCES[:-1]):
        raise UsageError(_refusal(here, "is where etlgen looks for it", "it stays there"))
    if parts[0] in (FOLDER, ".git") or _is_spec(there):
        raise UsageError(_refusal(there, "is no place for generated files", "choose another"))
    if (project.root / here).is_file() and PurePosixPath(here).match("src/*/sources/*/*.py"):
        hint = (
            "rename it in the spec and run etlgen generate; what you edited in the old module is "
            "not carried over"
        )
        raise UsageError(_refusal(here, "is imported by its name", hint))
    units = {unit for unit, entry in project.state.entries() if _below(entry.location, here, "")}
    source = PurePosixPath(here)
    if source.parts[:1] == ("src",) and source.parent.name == "sources" and len(units) == 1:
        name = units.pop().removeprefix(SOURCES)
        new = _as_source_name(there)
        hint = f"etlgen rename-source {name} {'NEW' if new == name else new} renames all of it"
        raise UsageError(_refusal(here, "is the package of a source, which others import", hint))


def _require_not_imported(project: Project, here: str) -> None:
    """A module's place is its name, and nobody would write the new one into the imports."""
    generated = [entry.location for _, entry in project.state.entries()]
    moved = {path for path in generated if _below(path, here, "") is not None}
    if not any(path.startswith(_SRC) and path.endswith(".py") for path in moved):
        return
    found = importers(_python_texts(project, generated), moved)
    if not found and not _is_of_runtime(project, moved):
        return
    first = found[0] if found else "sources that may be added"
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    hint = "only the package as a whole has another name: etlgen mv src/OLD src/NEW"
    raise UsageError(_refusal(here, f"is imported by {first}{more}", hint))


def _is_of_runtime(project: Project, paths: set[str]) -> bool:
    """What no source of today needs, one of tomorrow will look for where it was."""
    return any(
        entry.location in paths
        for unit in project.state.units
        if unit == RUNTIME_UNIT or unit.startswith(KINDS)
        for entry in project.state.memory(unit).entries.values()
    )


def _python_texts(project: Project, generated: Iterable[str]) -> dict[str, str]:
    """Every Python file in a folder that has a generated one, also the team's own."""
    paths = {path for path in generated if path.endswith(".py")}
    folders = {PurePosixPath(path).parts[0] for path in paths if "/" in path}
    for folder in folders:
        paths.update(path for path in own_files(project, folder) if path.endswith(".py"))
    files = {path: read_file(project.root, path) for path in sorted(paths)}
    return {path: file.text for path, file in files.items() if file is not None}


def _is_spec(path: str) -> bool:
    place = PurePosixPath(path)
    return place.parent.as_posix() == SOURCES[:-1] and place.suffix in (".yaml", ".yml")


def _as_source_name(path: str) -> str:
    return PurePosixPath(path).name.replace("_", "-")


def _refusal(path: str, message: str, hint: str | None) -> Finding:
    return Finding(path, None, None, "place", message, hint)


def _package_renamed(project: Project, old: str, there: str, options: Options) -> ChangeSet:
    """The package is named in etlgen.yaml; all that imports it is generated anew."""
    require_same_version(project.state)
    new = named(import_package, there.removeprefix(_SRC))
    texts = unit_texts(project.root)
    was = texts[PROJECT_UNIT]
    texts[PROJECT_UNIT] = with_scalar(was, PROJECT_FILE, "package", new)
    changes = regenerated(project, texts, options)
    own = [
        moved
        for path in own_files(project, f"{_SRC}{old}")
        for moved in moved_file(project.root, path, f"{there}{path.removeprefix(_SRC + old)}")
    ]
    return with_own(
        changes, [*own_file(project.root, PROJECT_FILE, texts[PROJECT_UNIT], was), *own]
    )


def _moved(project: Project, here: str, there: str) -> ChangeSet:
    changes: list[Change] = []
    state: dict[str, str | None] = {}
    known = {entry.location for _, entry in project.state.entries()}
    for unit, entry in project.state.entries():
        target = _below(entry.location, here, there)
        if target is None:
            continue
        if target in known:
            message = "is where another generated file belongs, even if it was deleted"
            raise UsageError(_refusal(target, message, "choose another place"))
        changes += _file_moved(project, unit, entry, target)
        state |= _entry_moved(project, unit, entry, target)
    if not changes:
        raise UsageError(_nothing_there(project, here))
    return ChangeSet(tuple(sorted(changes, key=lambda change: change.path)), state)


def _below(path: str, here: str, there: str) -> str | None:
    if path == here:
        return there
    return f"{there}{path.removeprefix(here)}" if path.startswith(f"{here}/") else None


def _file_moved(project: Project, unit: str, entry: Entry, target: str) -> Iterator[Change]:
    old, new = (read_file(project.root, path) for path in (entry.location, target))
    if old is not None and new is not None:
        message = "is there already"
        raise Refused(Finding(target, None, None, "occupied", message, "move one of them away"))
    found = old or new
    if found is None:
        message = f"is gone, and not at {target}"
        hint = f"bring it back: git checkout -- {entry.location}"
        raise Refused(Finding(entry.location, None, None, "missing", message, hint))
    text = decoded(found.raw)
    origin = entry.location if old is not None else None
    yield Change(target, Verb.MOVE, text, text, unit, origin)


def _entry_moved(
    project: Project, unit: str, entry: Entry, target: str
) -> Mapping[str, str | None]:
    if entry.pending:
        message = "has an unresolved conflict"
        hint = f"settle it first: etlgen resolve {entry.location}"
        raise Refused(Finding(entry.location, None, None, "conflict", message, hint))
    memory = project.state.memory(unit)
    moved = replace(entry, moved_to=None if target == entry.path else target)
    gone = dict.fromkeys(memory.paths(entry))
    return gone | {base_path(unit, moved): base_text(moved, memory.base(entry))}


def _nothing_there(project: Project, here: str) -> Finding:
    if not (project.root / here).exists():
        return Finding(here, None, None, "no-file", "there is no such file or folder")
    message = "nothing that etlgen generated is there"
    return Finding(here, None, None, "not-generated", message, "move it with git mv")


def _spec_file(here: str) -> Finding:
    hint = f"a source is renamed with etlgen rename-source {PurePosixPath(here).stem} NEW"
    return Finding(here, None, None, "spec-file", "is a spec file", hint)
