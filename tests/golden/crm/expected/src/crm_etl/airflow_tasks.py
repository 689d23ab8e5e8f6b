"""The steps of a load as Airflow tasks; only references and counts pass between them.

Heavy imports happen inside the tasks, so that the scheduler reads the DAGs quickly.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import (
    Asset,
    ExceptionRetryPolicy,
    Param,
    RetryAction,
    RetryRule,
    get_current_context,
    task,
    task_group,
)

from crm_etl.runtime.errors import FatalError

DEFAULT_ARGS = {
    "retries": 3,
    "retry_delay": timedelta(minutes=1),
    "retry_exponential_backoff": 2,
    "max_retry_delay": timedelta(minutes=15),
    "retry_policy": ExceptionRetryPolicy([RetryRule(FatalError, RetryAction.FAIL)]),
}

WINDOW = {
    "start": Param(
        None, "Load from here on", type=["null", "string"], format="date-time"
    ),
    "end": Param(None, "Load up to here", type=["null", "string"], format="date-time"),
}


@task
def plan(resource: str) -> list[list[int]]:
    """Freeze what the run reads: returns groups of partitions, and pushes the `attempt`."""
    from crm_etl import pipeline

    attempt, groups = pipeline.plan(resource, **run_and_window())
    get_current_context()["ti"].xcom_push("attempt", attempt)
    return groups


@task
def write(attempt: dict[str, Any], partitions: list[int]) -> None:
    """Stage some partitions."""
    from crm_etl import pipeline

    pipeline.write(attempt, partitions)


# An empty plan skips `write` and is audited all the same.
@task(trigger_rule="none_failed")
def audit(attempt: dict[str, Any]) -> None:
    """Check what was staged."""
    from crm_etl import pipeline

    pipeline.audit(attempt)


@task(multiple_outputs=False)
def publish(attempt: dict[str, Any]) -> dict[str, int]:
    """Make the staged rows visible; returns what became of every row."""
    from crm_etl import pipeline

    return pipeline.publish(attempt)


@task(multiple_outputs=False)
def load(resource: str) -> dict[str, int]:
    """All steps in one task, for a resource that is read in one piece."""
    from crm_etl import pipeline

    return pipeline.load(resource, **run_and_window())


@task_group
def load_partitions(resource: str, table: Asset) -> None:
    """Load a resource whose partitions are written side by side."""
    planned: Any = plan(resource)
    attempt = planned["attempt"]
    written = write.partial(attempt=attempt).expand(partitions=planned)
    written >> audit(attempt) >> publish.override(outlets=[table])(attempt)


@task_group
def load_whole(resource: str, table: Asset) -> None:
    """Load a resource that is one partition."""
    load.override(outlets=[table])(resource)


def run_and_window() -> dict[str, Any]:
    """This run, the window that it was triggered with, and the interval that it is scheduled for."""
    context = get_current_context()
    return {
        "run_id": context["run_id"],
        "asked": (context["params"]["start"], context["params"]["end"]),
        "interval": (
            context.get("data_interval_start"),
            context.get("data_interval_end"),
        ),
    }
