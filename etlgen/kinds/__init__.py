"""Kinds of source: one folder each, found by being there.

A kind's folder has a `KIND`. Nothing else in etlgen knows which kinds there are.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from etlgen.spec.problem import Problem

if TYPE_CHECKING:  # pydantic is slow to import, and `etlgen --help` needs none of it
    from etlgen.pycode import Code
    from etlgen.spec.models import ResourceSpec, SourceSpec


class ResourceDetail(Protocol):
    """What a kind adds to a resource: a frozen value that its own templates print."""

    @property
    def code(self) -> tuple[Code, ...]:
        """The expressions in it, for the sake of their imports."""

    @property
    def reads_files(self) -> bool:
        """Whether rows come from numbered records of files, and the table says of which."""

    @property
    def is_partitioned(self) -> bool:
        """Whether it is read in several parts, which its DAG loads side by side."""


@dataclass(frozen=True)
class KindPlan:
    """What a kind adds to the plan of a source and of each of its resources."""

    source: Any
    resources: Mapping[str, ResourceDetail]


@dataclass(frozen=True)
class Reflected:
    """What a source itself says of its resources: keys of its spec, and what to tell of them."""

    keys: Mapping[str, Any]
    notes: tuple[str, ...] = ()


class Unreflectable(Exception):
    """What is wrong with a source that was asked what it holds."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        self.problems = problems


def _knows_nothing(raw: Mapping[str, Any], environment: Mapping[str, str]) -> Reflected:
    message = f"sources of kind {raw.get('kind')} cannot be asked what they hold"
    raise Unreflectable(Problem(("kind",), "kind", message))


@dataclass(frozen=True)
class Kind:
    """All that is special to one kind of source.

    `templates` is a folder that mirrors the generated project, `runtime` the modules that are
    copied with it; both are relative to the templates' root, or absolute. `reflect` asks the
    source itself, with the variables of an environment, and is the one thing that does.
    """

    name: str
    source_model: type[SourceSpec]
    resource_model: type[ResourceSpec]
    templates: Path
    runtime: tuple[Path, ...]
    plan: Callable[[Any], KindPlan]
    reflect: Callable[[Mapping[str, Any], Mapping[str, str]], Reflected] = _knows_nothing


def load_kinds() -> Mapping[str, Kind]:
    """All kinds by name, sorted."""
    kinds: dict[str, Kind] = {}
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda found: found.name):
        if module.ispkg:
            kind: Kind = importlib.import_module(f"{__name__}.{module.name}").KIND
            kinds[kind.name] = kind
    return kinds
