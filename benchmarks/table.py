"""Figures line by line under their headings, and what they were taken on."""

import platform
from collections.abc import Mapping

from sqlalchemy import Engine

from benchmarks import database as db

Headings = Mapping[str, int]
"""How wide each column is; a negative width is of one that is aligned to the left."""


def print_line(headings: Headings, *cells: str) -> None:
    """The cells of the first columns."""
    widths = list(headings.values())[: len(cells)]
    aligned = (
        cell.ljust(-width) if width < 0 else cell.rjust(width)
        for cell, width in zip(cells, widths, strict=True)
    )
    print("".join(aligned), flush=True)


def machine(database: Engine, url: str | None) -> str:
    """Versions of the server, which is ours without a URL, of Python and the system."""
    where = "given" if url else "embedded"
    return (
        f"PostgreSQL {db.version(database)} ({where}), Python {platform.python_version()}, "
        f"{platform.system()} {platform.machine()}"
    )
