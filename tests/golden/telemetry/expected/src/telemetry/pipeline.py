"""The steps of a load by name, for whoever schedules them; only references pass between them."""

from datetime import datetime
from typing import Any

from telemetry import sources
from telemetry.destination import open_destination
from telemetry.runtime import loading
from telemetry.runtime.attempts import Attempt
from telemetry.runtime.resource import Window, find_resource

Moment = datetime | str | None


def load(resource: str, run_id: str, start: Moment, end: Moment) -> dict[str, int]:
    """All steps of a load, in this process."""
    found = find_resource(sources, resource)
    return vars(
        loading.load(open_destination(), found, run_id, Window.between(start, end))
    )


def plan(
    resource: str, run_id: str, start: Moment, end: Moment
) -> tuple[dict[str, Any], list[int]]:
    """Freeze what the run reads: the attempt, and the numbers of its partitions."""
    found = find_resource(sources, resource)
    window = Window.between(start, end)
    attempt, parts = loading.plan(open_destination(), found, run_id, window)
    return attempt.as_dict(), parts


def write(attempt: dict[str, Any], partition: int) -> None:
    """Stage one partition."""
    found = find_resource(sources, attempt["resource"])
    loading.write(open_destination(), Attempt(**attempt), found, partition)


def audit(attempt: dict[str, Any]) -> None:
    """Check what was staged."""
    found = find_resource(sources, attempt["resource"])
    loading.audit(open_destination(), Attempt(**attempt), found.load)


def publish(attempt: dict[str, Any]) -> dict[str, int]:
    """Make the staged rows visible; gives what became of every row."""
    found = find_resource(sources, attempt["resource"])
    destination, audited = open_destination(), Attempt(**attempt)
    counts = loading.publish(destination, audited, found.load)
    loading.clean_up(destination, audited, found)
    return vars(counts)
