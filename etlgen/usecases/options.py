"""How a command works on a project."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """`start` is anywhere in the project; `force` removes edited files, too."""

    start: Path = Path()
    dry_run: bool = False
    aborts_on_conflict: bool = False
    force: bool = False
