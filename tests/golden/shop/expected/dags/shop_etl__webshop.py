"""webshop → shop: a task group for each resource, an asset for each table."""

from datetime import UTC, datetime

from airflow.sdk import DAG, Asset, CronDataIntervalTimetable

from shop_etl.airflow_tasks import DEFAULT_ARGS, WINDOW, load_partitions, load_whole

with DAG(
    "shop_etl__webshop",
    description="Nightly export of the web shop",
    schedule=CronDataIntervalTimetable("0 4 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    params=WINDOW,
    tags=["shop-etl"],
):
    load_partitions.override(group_id="orders")(
        "webshop.orders", Asset("x-shop-etl://shop/orders")
    )
    load_whole.override(group_id="customers")(
        "webshop.customers", Asset("x-shop-etl://shop/customers")
    )
