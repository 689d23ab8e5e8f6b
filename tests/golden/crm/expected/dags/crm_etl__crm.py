"""crm → crm: a task group for each resource, an asset for each table."""

from datetime import UTC, datetime

from airflow.sdk import DAG, Asset

from crm_etl.airflow_tasks import DEFAULT_ARGS, WINDOW, load_partitions, load_whole

with DAG(
    "crm_etl__crm",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    params=WINDOW,
    tags=["crm-etl"],
):
    load_whole.override(group_id="customers")(
        "crm.customers", Asset("x-crm-etl://crm/customers")
    )
    load_partitions.override(group_id="events")(
        "crm.events", Asset("x-crm-etl://crm/events")
    )
    load_whole.override(group_id="monthly_sales")(
        "crm.monthly_sales", Asset("x-crm-etl://crm/monthly_sales")
    )
