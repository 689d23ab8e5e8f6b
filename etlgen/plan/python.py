"""Import lines and statements of generated modules."""

from __future__ import annotations

from collections.abc import Iterable

from etlgen.names import PackageName
from etlgen.pycode import Code, Py


def import_lines(pieces: Iterable[Code], package: PackageName) -> tuple[Py, ...]:
    """The imports that the pieces need; `runtime.convert:to_date` names a part of the project."""
    needed = {line for piece in pieces for line in piece.imports}
    return tuple(Py(line) for line in sorted(_import_line(line, package) for line in needed))


def _import_line(line: str, package: PackageName) -> str:
    module, mark, name = line.partition(":")
    if not mark:
        return line
    return f"from {package}.{module} import {name}"


def call(name: str, arguments: Iterable[Code], *imports: str) -> Code:
    """`Column("total", Numeric(12, 2))`."""
    parts = list(arguments)
    text = Py(f"{name}({', '.join(part.text for part in parts)})")
    return Code(text, frozenset(imports).union(*(part.imports for part in parts)))
