"""Which files of a project import its modules: these must not move away from under them."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import PurePosixPath

_SRC = "src"


def importers(texts: Mapping[str, str], moved: Collection[str]) -> list[str]:
    """Of the Python files in `texts`, those that import what is in `moved`, by paths.

    What moves together still finds its neighbours by relative imports. A file that is no Python
    just now, such as one with a conflict, counts where it has the name of a module in it.
    """
    modules = {module for path in moved if (module := _module(path))}
    words = re.compile(rf"\b({'|'.join(re.escape(name.split('.')[-1]) for name in modules)})\b")
    return [
        path
        for path, text in texts.items()
        if modules and words.search(text) and _imports_any(path, text, modules, path in moved)
    ]


def _imports_any(path: str, text: str, modules: set[str], is_moved: bool) -> bool:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return True
    return any(
        not modules.isdisjoint(names)
        for names, is_relative in _imported(path, tree)
        if not (is_moved and is_relative)
    )


def _imported(path: str, tree: ast.Module) -> Iterator[tuple[set[str], bool]]:
    """The modules of each import with the packages that they are in, and whether it is relative."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield {one for alias in node.names for one in _with_packages(alias.name)}, False
        elif isinstance(node, ast.ImportFrom):
            start = _package(path, node.level) if node.level else ""
            module = ".".join(filter(None, (start, node.module)))
            names = {f"{module}.{alias.name}" for alias in node.names}
            yield {*_with_packages(module), *names}, node.level > 0


def _with_packages(module: str) -> Iterator[str]:
    parts = module.split(".")
    for end in range(1, len(parts) + 1):
        yield ".".join(parts[:end])


def _package(path: str, level: int) -> str:
    """The package that a relative import in the file starts from."""
    return ".".join(PurePosixPath(path).parts[1:-level])


def _module(path: str) -> str | None:
    place = PurePosixPath(path)
    if place.parts[0] != _SRC or place.suffix != ".py":
        return None
    parts = place.with_suffix("").parts[1:]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
