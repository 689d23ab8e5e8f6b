"""A source that says its resources in short, and where each of them comes from in its file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from etlgen.spec.problem import Problem


def _as_it_is(problem: Problem) -> Problem:
    return problem


@dataclass(frozen=True)
class Expansion:
    """The raw source with its resources written out.

    `placed` leads a problem of these back to the keys that stand in the file; `problems` are
    those met on the way. One that is not `is_whole` cannot be judged further.
    """

    raw: Mapping[str, Any]
    placed: Callable[[Problem], Problem] = _as_it_is
    problems: tuple[Problem, ...] = ()
    is_whole: bool = True
