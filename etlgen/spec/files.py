"""The spec files of a project: where they are, and their texts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path as FilePath

from etlgen.errors import Finding, Refused, SpecError
from etlgen.names import PROJECT_FILE, did_you_mean, shown
from etlgen.spec.text import decode, plain_breaks

SOURCES_FOLDER = "sources"


def project_texts(
    root: FilePath,
    sources: Iterable[str] | None = None,
    texts: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The texts that `read_project` reads, by the files' names; line feeds only, and no BOM."""
    found, broken = found_texts(root, sources, texts)
    if broken:
        raise SpecError(broken)
    return found


def found_texts(
    root: FilePath, sources: Iterable[str] | None, texts: Mapping[str, str] | None
) -> tuple[dict[str, str], list[Finding]]:
    given = {name: _plain(text) for name, text in (texts or {}).items()}
    files = source_files(root)
    broken: list[Finding] = []
    for name in sorted(given.keys() - {PROJECT_FILE}):
        other = files.setdefault(FilePath(name).stem, root / name)
        if other != root / name:
            broken.append(_twin(name, other))
    names = [PROJECT_FILE]
    for source in sorted(files if sources is None else set(sources)):
        if source in files:
            names.append(f"{SOURCES_FOLDER}/{files[source].name}")
        else:
            broken.append(_no_source(source, list(files)))
    found: dict[str, str] = {}
    for name in names:
        try:
            found[name] = given[name] if name in given else _text(root, name)
        except SpecError as error:
            broken.extend(error.findings)
    return found, broken


def _plain(text: str) -> str:
    return plain_breaks(text).removeprefix("\ufeff")


def source_files(root: FilePath) -> dict[str, FilePath]:
    """The file of each source by its name; what editors leave beside them is none."""
    try:
        with os.scandir(root / SOURCES_FOLDER) as entries:  # knows what is a file without asking
            files = sorted(entries, key=lambda entry: entry.name)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SpecError(_unreadable(SOURCES_FOLDER, error)) from None
    is_linked = os.path.islink(root / SOURCES_FOLDER)
    found: dict[str, FilePath] = {}
    twins: list[Finding] = []
    for entry in files:
        is_real = entry.is_symlink() or entry.is_file()  # a loop of links cannot be followed
        file = root / SOURCES_FOLDER / entry.name
        if file.suffix in (".yaml", ".yml") and not file.name.startswith(".") and is_real:
            name = f"{SOURCES_FOLDER}/{file.name}"
            if is_linked or entry.is_symlink():
                _require_inside(root, name)
            if found.setdefault(file.stem, file) != file:
                twins.append(_twin(name, found[file.stem]))
    if twins:
        raise SpecError(twins)
    return found


def spec_path(root: FilePath, unit: str) -> str:
    """Where the spec of a unit is, or is going to be."""
    return f"{unit}.yml" if (root / f"{unit}.yml").is_file() else f"{unit}.yaml"


def _text(root: FilePath, name: str) -> str:
    _require_inside(root, name)
    try:
        return plain_breaks(decode((root / name).read_bytes(), name))
    except FileNotFoundError:
        hint = "run etlgen in the project's folder, or give it with -C"
        missing = Finding(name, None, None, "missing_file", "there is no such file", hint)
        raise SpecError(missing) from None
    except OSError as error:
        raise SpecError(_unreadable(name, error)) from None


def _require_inside(root: FilePath, name: str) -> None:
    place = root / name
    if not (os.path.islink(place) or os.path.islink(place.parent)):
        return
    real = os.path.realpath(place)
    if not FilePath(real).is_relative_to(os.path.realpath(root)):
        message = f"is behind a symbolic link that leads out of the project, to {real}"
        raise Refused(Finding(name, None, None, "symlink", message, "put the file itself here"))


def _unreadable(name: str, error: OSError) -> Finding:
    return Finding(name, None, None, "unreadable", f"cannot be read: {error.strerror or error}")


def _twin(name: str, other: FilePath) -> Finding:
    message = f"is the same source as {SOURCES_FOLDER}/{other.name}"
    return Finding(name, None, None, "duplicate", message, "keep one of the two files")


def _no_source(name: str, known: list[str]) -> Finding:
    hint = did_you_mean(name, known) or f"sources: {', '.join(known) or 'none'}"
    file = f"{SOURCES_FOLDER}/{name}.yaml"
    return Finding(file, None, None, "unknown_source", f"there is no source {shown(name)}", hint)
