"""erp → store: a task group for each resource, an asset for each table."""

from datetime import UTC, datetime

from airflow.sdk import DAG, Asset

from store.airflow_tasks import DEFAULT_ARGS, WINDOW, load_partitions, load_whole

with DAG(
    "store__erp",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    params=WINDOW,
    tags=["store"],
):
    orders = load_whole.override(group_id="orders")(
        "erp.orders", Asset("x-store://store/orders")
    )
    load_whole.override(group_id="customers")(
        "erp.customers", Asset("x-store://store/customers")
    )
    payments = load_partitions.override(group_id="payments")(
        "erp.payments", Asset("x-store://store/payments")
    )
    orders >> payments
