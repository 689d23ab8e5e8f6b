"""catalog → shop: a task group for each resource, an asset for each table."""

from datetime import UTC, datetime

from airflow.sdk import DAG, Asset, CronDataIntervalTimetable

from shop_etl.airflow_tasks import DEFAULT_ARGS, WINDOW, load_whole

with DAG(
    "shop_etl__catalog",
    description="The product catalog, kept by hand",
    schedule=CronDataIntervalTimetable("30 3 * * 1", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    params=WINDOW,
    tags=["shop-etl"],
):
    load_whole.override(group_id="products")(
        "catalog.products", Asset("x-shop-etl://shop/products")
    )
