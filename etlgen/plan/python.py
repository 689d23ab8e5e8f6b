"""Import lines and statements of generated modules."""

from __future__ import annotations

from collections.abc import Iterable

from etlgen.names import PackageName
from etlgen.pycode import Code, Py

RUNTIME_MARK = "runtime."


def import_lines(pieces: Iterable[Code], package: PackageName) -> tuple[Py, ...]:
    """The imports that the pieces need; `runtime.convert:to_date` names a part of the runtime."""
    needed = {line for piece in pieces for line in piece.imports}
    return tuple(Py(line) for line in sorted(_import_line(line, package) for line in needed))


def _import_line(line: str, package: PackageName) -> str:
    if not line.startswith(RUNTIME_MARK):
        return line
    module, _, name = line.partition(":")
    return f"from {package}.{module} import {name}"
