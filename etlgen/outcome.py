"""What a command came to, as values: `report` makes text or JSON of them."""

from dataclasses import dataclass
from pathlib import Path

from etlgen.errors import Finding
from etlgen.workspace.changes import ChangeSet


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command did to a project, or with a dry run would do; `steps` come next."""

    root: Path
    changes: ChangeSet
    written: bool = False
    exit_code: int = 0
    findings: tuple[Finding, ...] = ()
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Checked:
    """What is wrong with a project, what could not be judged, and how much was looked at."""

    root: Path
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    exit_code: int
    units: int
    files: int
    edited: int
