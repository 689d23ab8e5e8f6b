"""office → raw: a task group for each resource, an asset for each table."""

from datetime import UTC, datetime

from airflow.sdk import DAG, Asset

from exports.airflow_tasks import DEFAULT_ARGS, WINDOW, load_whole

with DAG(
    "exports__office",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    params=WINDOW,
    tags=["exports"],
):
    load_whole.override(group_id="budget")(
        "office.budget", Asset("x-exports://raw/budget")
    )
    load_whole.override(group_id="devices")(
        "office.devices", Asset("x-exports://raw/devices")
    )
