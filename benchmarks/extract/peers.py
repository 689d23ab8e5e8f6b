"""How others bring a table into PostgreSQL, as their documentation shows it: `peers.py NAME`.

Run in a process of its own. SOURCE and TARGET are URLs, ROWS_OF the table, INTO `schema.table`.
"""

import csv
import io
import os
import sys
from collections.abc import Callable, Iterable
from typing import Any

AT_ONCE = 50_000
SOURCE, TARGET = os.environ["SOURCE"], os.environ["TARGET"]
ROWS_OF, INTO = os.environ["ROWS_OF"], os.environ["INTO"]
SCHEMA, TABLE = INTO.split(".")
QUERY = f"SELECT * FROM {ROWS_OF}"


def pandas() -> None:
    """`read_sql` in chunks, and the COPY that pandas' documentation has for `to_sql`."""
    import pandas as pd
    from sqlalchemy import create_engine

    def copy(table: Any, connection: Any, keys: list[str], rows: Iterable[Any]) -> None:
        text = io.StringIO()
        csv.writer(text).writerows(rows)
        text.seek(0)
        columns = ", ".join(f'"{key}"' for key in keys)
        statement = f"COPY {table.schema}.{table.name} ({columns}) FROM STDIN WITH CSV"
        with connection.connection.cursor() as cursor:
            cursor.copy_expert(sql=statement, file=text)

    engine = create_engine(SOURCE, execution_options={"stream_results": True})
    target = create_engine(TARGET)
    with engine.connect() as source:
        for chunk in pd.read_sql(QUERY, source, chunksize=AT_ONCE):
            chunk.to_sql(TABLE, target, schema=SCHEMA, if_exists="append", index=False, method=copy)


def adbc() -> None:
    """Record batches from one driver into the other."""
    from adbc_driver_postgresql import dbapi as postgresql
    from adbc_driver_sqlite import dbapi as sqlite

    is_sqlite = SOURCE.startswith("sqlite")
    there = sqlite if is_sqlite else postgresql
    url = SOURCE.removeprefix("sqlite:///") if is_sqlite else _plain(SOURCE)
    with there.connect(url) as source, source.cursor() as cursor:
        cursor.execute(QUERY)
        _ingest(cursor.fetch_record_batch())


def connectorx() -> None:
    """A stream of Arrow batches, which ADBC writes: connectorx only reads."""
    import connectorx

    url = SOURCE.replace("sqlite:///", "sqlite://") if "sqlite" in SOURCE else _plain(SOURCE)
    _ingest(connectorx.read_sql(url, QUERY, return_type="arrow_stream", batch_size=AT_ONCE))


def dlt() -> None:
    """The source `sql_database` by its Arrow backend; CSV is the fastest way into PostgreSQL."""
    import dlt as library
    from dlt.sources.sql_database import sql_table

    schema, _, name = ROWS_OF.rpartition(".")
    rows = sql_table(
        SOURCE,
        table=name,
        schema=schema or None,
        backend="pyarrow",
        chunk_size=AT_ONCE,
        reflection_level="full_with_precision",
    )
    rows.apply_hints(table_name=TABLE, write_disposition="replace")
    pipeline = library.pipeline(
        "benchmark",
        destination=library.destinations.postgres(credentials=_with_password(TARGET)),
        dataset_name=SCHEMA,
        pipelines_dir=os.environ["SCRATCH"],
    )
    pipeline.run(rows, loader_file_format="csv")


def _ingest(batches: Any) -> None:
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(_plain(TARGET)) as target, target.cursor() as cursor:
        cursor.adbc_ingest(TABLE, batches, mode="create", db_schema_name=SCHEMA)
        target.commit()


def _plain(url: str) -> str:
    return url.replace("postgresql+psycopg2:", "postgresql:")


def _with_password(url: str) -> str:
    """dlt asks for one, also where the server does not."""
    return _plain(url).replace("postgres@", "postgres:none@")


PEERS: dict[str, Callable[[], None]] = {
    "pandas.read_sql": pandas,
    "connectorx": connectorx,
    "ADBC": adbc,
    "dlt sql_database": dlt,
}

if __name__ == "__main__":
    PEERS[sys.argv[1]]()
