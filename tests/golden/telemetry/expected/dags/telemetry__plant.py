"""plant → raw: a task group for each resource, an asset for each table."""

from datetime import UTC, datetime

from airflow.sdk import DAG, Asset

from telemetry.airflow_tasks import DEFAULT_ARGS, WINDOW, load_partitions, load_whole

with DAG(
    "telemetry__plant",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    params=WINDOW,
    tags=["telemetry", "sensors"],
):
    load_partitions.override(group_id="readings")(
        "plant.readings", Asset("x-telemetry://raw/readings")
    )
    load_whole.override(group_id="class_")(
        "plant.class_", Asset("x-telemetry://raw/Device%20Classes")
    )
