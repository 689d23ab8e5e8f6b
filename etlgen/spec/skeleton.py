"""What is missing in a spec, as YAML to fill in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import yaml
from pydantic import BaseModel

from etlgen.spec.explain import keys_of, model_at
from etlgen.spec.models import ProjectSpec, SourceSpec
from etlgen.spec.problem import Path


class _Kind(Protocol):
    @property
    def source_model(self) -> type[SourceSpec]: ...


def skeleton(missing: Iterable[Path], raw: Any, kinds: Mapping[str, _Kind]) -> str:
    """The missing keys with an example each, at their place in the one-file form."""
    tree: dict[str, Any] = {}
    for path in sorted(missing, key=lambda path: path[0] == "sources"):
        place = tree
        for step in path[:-1]:
            place = place.setdefault(str(step), {})
        place[str(path[-1])] = _example(path, raw, kinds)
    return str(yaml.safe_dump(tree, sort_keys=False, allow_unicode=True))


def _example(path: Path, raw: Any, kinds: Mapping[str, _Kind]) -> Any:
    if path == ("sources",):
        return {"my_source": _minimal_source(kinds)}
    if path[0] != "sources":
        return _field_example(ProjectSpec, path)
    if path[2:] == ("kind",):
        return next(iter(kinds))
    kind = raw["sources"][path[1]]["kind"] if "sources" in raw else next(iter(kinds))
    return _field_example(kinds[kind].source_model, path[2:])


def _minimal_source(kinds: Mapping[str, _Kind]) -> dict[str, Any]:
    kind = next(iter(kinds))
    source = {"kind": kind}
    for key, field in keys_of(kinds[kind].source_model).items():
        if field.is_required() and key != "kind":
            source[key] = _first(field)
    return source


def _field_example(model: type[BaseModel], path: Path) -> Any:
    owner = model_at(model, path[:-1])
    field = keys_of(owner).get(str(path[-1])) if owner else None
    return _first(field) if field is not None else "…"


def _first(field: Any) -> Any:
    return field.examples[0] if field.examples else "…"
