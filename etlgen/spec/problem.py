"""A fault in a spec, before it is known where in which file it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic_core import PydanticCustomError

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """`path` leads from the model that found it to the key or value at fault."""

    path: Path
    code: str
    message: str
    hint: str | None = None
    at_key: bool = False


def refusal(code: str, message: str, hint: str | None = None, at: Path = ()) -> PydanticCustomError:
    """What a validator raises; `at` leads further down inside the value."""
    context: dict[str, Any] = {"message": message, "hint": hint, "at": at}
    return PydanticCustomError(code, "{message}", context)
