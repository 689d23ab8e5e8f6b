"""office → club: a task group for each resource, an asset for each table."""

from datetime import UTC, datetime

from airflow.sdk import DAG, Asset

from club.airflow_tasks import DEFAULT_ARGS, WINDOW, load_partitions, load_whole

with DAG(
    "club__office",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    params=WINDOW,
    tags=["club"],
):
    fees = load_partitions.override(group_id="fees")(
        "office.fees", Asset("x-club://club/fees")
    )
    members = load_whole.override(group_id="members")(
        "office.members", Asset("x-club://club/members")
    )
    members >> fees
