"""What pydantic finds, in the words of the spec."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from etlgen.names import did_you_mean, shown
from etlgen.spec.fields import repr_of
from etlgen.spec.named import NAME
from etlgen.spec.problem import Path, Problem

MISSING = "missing"


def explain(error: ValidationError, model: type[BaseModel]) -> Iterator[Problem]:
    """One problem for each error."""
    for details in error.errors(include_url=False):
        if details["type"] != "default_factory_not_called":  # what it needs has its own error
            yield _problem(dict(details), model)


def keys_of(model: type[BaseModel]) -> dict[str, Any]:
    """The fields by the keys that they have in YAML."""
    found: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        key = field.validation_alias if isinstance(field.validation_alias, str) else name
        if key != NAME:
            found[key] = field
    return found


def model_at(model: type[BaseModel], path: Path) -> type[BaseModel] | None:
    """The model of the mapping that a path leads to."""
    current: Any = model
    for step in path:
        if isinstance(current, type) and issubclass(current, BaseModel):
            field = keys_of(current).get(str(step))
            if field is None:
                return None
            current = _only_model(field.annotation) or field.annotation
            is_mapping = _only_model(field.annotation) is not None and _holds_many(field.annotation)
            if is_mapping:
                current = (current,)
        elif isinstance(current, tuple):
            current = current[0]
        else:
            return None
    return current if isinstance(current, type) and issubclass(current, BaseModel) else None


def _only_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_only_model(argument) for argument in get_args(annotation))
    return next((model for model in found if model is not None), None)


def _holds_many(annotation: Any) -> bool:
    """`Mapping[str, Model]`, not `Model | None`."""
    return any(argument is str for argument in get_args(annotation))


def _problem(details: dict[str, Any], model: type[BaseModel]) -> Problem:
    path: Path = details["loc"]
    context = details.get("ctx", {})
    kind = details["type"]
    if path and path[-1] == NAME:
        return Problem(path[:-1], kind, context["message"], context.get("hint"), at_key=True)
    if kind == "missing":
        return Problem(path, MISSING, f"missing {str(path[-1])!r}")
    if kind == "extra_forbidden":
        owner = model_at(model, path[:-1])
        known = [*keys_of(owner)] if owner else []
        hint = did_you_mean(str(path[-1]), known) or (
            f"keys: {', '.join(known)}" if known else None
        )
        message = f"unknown key {shown(str(path[-1]))}"
        return Problem(path, "unknown_key", message, hint, at_key=True)
    if "at" in context and "message" in context:
        return Problem((*path, *context["at"]), kind, context["message"], context["hint"])
    if kind in ("model_type", "model_attributes_type"):
        return Problem(path, "type", f"{repr_of(details['input'])} stands where keys are needed")
    if kind == "literal_error":
        options = str(context["expected"]).replace("'", "")
        known = options.replace(" or ", ", ").split(", ")
        message = f"{repr_of(details['input'])} is not {options}"
        return Problem(path, "value", message, did_you_mean(str(details["input"]), known))
    if kind == "too_short":
        return Problem(path, "empty", "at least one is needed here")
    return Problem(path, "value", f"{repr_of(details['input'])} does not fit: {details['msg']}")
