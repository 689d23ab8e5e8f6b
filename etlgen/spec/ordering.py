"""Which resources have to be loaded before which, and that they do not go round in a circle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from etlgen.spec.models import SourceSpec
from etlgen.spec.problem import Path, Problem

Place = tuple[str, str]  # a source and a resource of it


def needs(sources: Sequence[SourceSpec]) -> dict[Place, dict[Place, Path]]:
    """For each resource those that it needs, and where it says so."""
    loaded_by = {
        table: (source.name, name)
        for source in sources
        for name, resource in source.resources.items()
        for table in (resource.table, *resource.child_tables().values())
    }
    return {
        (source.name, name): {
            loaded_by[table]: path
            for table, path in source.needed_tables(name).items()
            if table in loaded_by
        }
        for source in sources
        for name in source.resources
    }


def circle_problems(sources: Sequence[SourceSpec]) -> Iterator[tuple[str, Problem]]:
    """One for each circle, with the source that it is reported of."""
    graph = needs(sources)
    done: set[Place] = set()
    for place in graph:
        path = _circle(graph, place, [], done)
        if path:
            (source, name), second = path[0], path[1]
            shown = " → ".join(f"{one}.{other}" for one, other in path)
            message = f"each of these needs the next to be loaded before it: {shown}"
            where = ("resources", name, *graph[path[0]][second])
            yield source, Problem(where, "circle", message, "take one of the references out")


def _circle(
    graph: Mapping[Place, Mapping[Place, Path]], place: Place, path: list[Place], done: set[Place]
) -> list[Place]:
    if place in path:
        return [*path[path.index(place) :], place]
    if place in done:
        return []
    for needed in graph[place]:
        found = _circle(graph, needed, [*path, place], done)
        if found:
            done.update(found)
            return found
    done.add(place)
    return []
