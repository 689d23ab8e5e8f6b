"""machines → raw: a task group for each resource, an asset for each table."""

from datetime import UTC, datetime

from airflow.sdk import DAG, Asset

from exports.airflow_tasks import DEFAULT_ARGS, WINDOW, load_partitions, load_whole

with DAG(
    "exports__machines",
    description="What the machines of each plant send",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    params=WINDOW,
    tags=["exports"],
):
    load_partitions.override(group_id="shifts")(
        "machines.shifts", Asset("x-exports://raw/shifts")
    )
    load_partitions.override(group_id="measurements")(
        "machines.measurements", Asset("x-exports://raw/measurements")
    )
    load_whole.override(group_id="orders")(
        "machines.orders", Asset("x-exports://raw/orders")
    )
