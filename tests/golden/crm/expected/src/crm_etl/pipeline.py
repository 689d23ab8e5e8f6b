"""The steps of a load by name, for whoever schedules them; only references pass between them."""

from typing import Any

from crm_etl import sources
from crm_etl.destination import open_destination
from crm_etl.runtime import loading
from crm_etl.runtime.attempts import Attempt
from crm_etl.runtime.errors import judged
from crm_etl.runtime.resource import Interval, find_resource

# Airflow maps a task over at most 1,024 values.
MOST_GROUPS = 1_000


@judged()
def load(
    resource: str, run_id: str, asked: Interval, interval: Interval
) -> dict[str, int]:
    """All steps of a load, in this process."""
    found = find_resource(sources, resource)
    window = found.window(asked, interval)
    return vars(loading.load(open_destination(), found, run_id, window))


@judged()
def plan(
    resource: str, run_id: str, asked: Interval, interval: Interval
) -> tuple[dict[str, Any], list[list[int]]]:
    """Freeze what the run reads: the attempt, and its partitions in groups to be written."""
    found = find_resource(sources, resource)
    window = found.window(asked, interval)
    attempt, parts = loading.plan(open_destination(), found, run_id, window)
    size = max(1, -(-len(parts) // MOST_GROUPS))
    groups = [parts[at : at + size] for at in range(0, len(parts), size)]
    return attempt.as_dict(), groups


@judged()
def write(attempt: dict[str, Any], partitions: list[int]) -> None:
    """Stage some partitions."""
    found = find_resource(sources, attempt["resource"])
    destination = open_destination()
    for partition in partitions:
        loading.write(destination, Attempt(**attempt), found, partition)


@judged()
def audit(attempt: dict[str, Any]) -> None:
    """Check what was staged."""
    found = find_resource(sources, attempt["resource"])
    loading.audit(open_destination(), Attempt(**attempt), found)


@judged()
def publish(attempt: dict[str, Any]) -> dict[str, int]:
    """Make the staged rows visible; gives what became of every row."""
    found = find_resource(sources, attempt["resource"])
    destination, audited = open_destination(), Attempt(**attempt)
    counts = loading.publish(destination, audited, found.load)
    loading.finish(destination, audited, found)
    return vars(counts)
