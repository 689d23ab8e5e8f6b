"""Models that stand under their name in a mapping know that name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from etlgen.spec.problem import refusal

NAME = "\0name"  # no key of a YAML file that is read can be this


def with_name(name: object, value: object) -> object:
    """The raw model with its name inside; what is no mapping is left for validation to refuse."""
    return {**value, NAME: name} if isinstance(value, Mapping) else value


def with_names(value: object) -> Any:
    """A raw mapping of models, each with its name inside."""
    if not isinstance(value, Mapping):
        raise refusal("type", "a mapping of names is needed here")
    return {name: with_name(name, item) for name, item in value.items()}
