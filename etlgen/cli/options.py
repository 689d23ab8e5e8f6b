"""Options that several commands have."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class OnConflict(StrEnum):
    """What happens where the team's edits and the new generation overlap."""

    MARKERS = "markers"
    ABORT = "abort"


DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be written; write nothing.")
]
Diff = Annotated[bool, typer.Option("--diff", help="Show the text of each change.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document, errors too.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before writing.")]
Force = Annotated[bool, typer.Option("--force", help="Remove files that you edited, too.")]
Conflicts = Annotated[
    OnConflict,
    typer.Option(
        "--on-conflict", help="Where your edits overlap: write conflict markers, or nothing at all."
    ),
]
Start = Annotated[Path, typer.Option("-C", metavar="DIR", help="Start in this folder instead.")]
