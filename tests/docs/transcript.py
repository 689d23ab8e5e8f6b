"""What a page shows, against what was printed.

A line `…` stands for any lines, or none; a `…` in a line for any text. White space counts for as
much or as little as there is of it: the columns of a table move with what is in them.
"""

import re
from collections.abc import Sequence

ANYTHING = "…"


def line_matches(shown: str, printed: str) -> bool:
    """Whether one printed line is what one shown line says."""
    parts = (_spaced(part) for part in shown.rstrip().split(ANYTHING))
    return re.fullmatch(".*".join(parts), printed.rstrip()) is not None


def matches(shown: Sequence[str], printed: Sequence[str]) -> bool:
    """Whether the printed lines are, from first to last, what is shown."""
    if not shown:
        return not printed
    if shown[0].strip() == ANYTHING:
        return any(matches(shown[1:], printed[start:]) for start in range(len(printed) + 1))
    return bool(printed) and line_matches(shown[0], printed[0]) and matches(shown[1:], printed[1:])


def lines(text: str) -> list[str]:
    """The lines without empty ones at the end, which no page shows."""
    return text.rstrip().splitlines()


def _spaced(text: str) -> str:
    return r"\s+".join(re.escape(part) for part in re.split(r"\s+", text))
