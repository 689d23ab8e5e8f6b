"""archive → raw: a task group for each resource, an asset for each table."""

from datetime import UTC, datetime

from airflow.sdk import DAG, Asset

from telemetry.airflow_tasks import DEFAULT_ARGS, WINDOW, load_whole

with DAG(
    "telemetry__archive",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    params=WINDOW,
    tags=["telemetry"],
):
    load_whole.override(group_id="notes")(
        "archive.notes", Asset("x-telemetry://raw/notes")
    )
