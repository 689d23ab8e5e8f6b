"""In which order resources are loaded: the tables that one refers to, or is read for, come first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .errors import ConfigError
from .resource import Resource
from .table_checks import References


def in_order(resources: Sequence[Resource]) -> list[Resource]:
    """The resources as they are given, but for those that need the table of a later one."""
    loaded_by = {name: one for one in resources for name in tables(one)}
    ordered: dict[str, Resource] = {}
    for resource in resources:
        _visit(resource, loaded_by, ordered, [])
    return list(ordered.values())


def tables(resource: Resource) -> list[str]:
    """The tables that a resource loads."""
    load = resource.load
    return [load.table.name, *(child.table.name for child in load.children)]


def needed_tables(resource: Resource) -> set[str]:
    """The tables that have to be loaded before; a resource may refer to its own."""
    referred = {
        check.table for check in resource.checks if isinstance(check, References)
    }
    read_for = {keys.table for keys in resource.each.values() if keys.table}
    return (referred | read_for) - set(tables(resource))


def _visit(
    resource: Resource,
    loaded_by: Mapping[str, Resource],
    ordered: dict[str, Resource],
    path: list[str],
) -> None:
    if resource.name in ordered:
        return
    if resource.name in path:
        circle = " → ".join([*path[path.index(resource.name) :], resource.name])
        raise ConfigError(
            f"each of these needs the next to be loaded before it: {circle}",
            "Take one of the references out of a module's CHECKS.",
        )
    for name in sorted(needed_tables(resource) & loaded_by.keys()):
        _visit(loaded_by[name], loaded_by, ordered, [*path, resource.name])
    ordered[resource.name] = resource
