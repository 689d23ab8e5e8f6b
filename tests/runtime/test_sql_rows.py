"""Rows of databases: the same rows from each server, exact text, windows and parts."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Connection, Engine, NullPool, create_engine, text

from runtime import sql_copy, sql_fetch, sql_sqlite
from runtime.errors import ConfigError, ContractError, RetryableError
from runtime.resource import Partition, Window
from runtime.sql_bounds import ByDays, ByKey
from runtime.sql_database import Database
from runtime.sql_rows import QueryRows, SqlRows, TableRows

EVERYTHING = Window()
ORDERS = TableRows("orders", columns=["id", "note", "at"], order_by=["id"], cursor="at")


@contextmanager
def writing(url: str) -> Iterator[Connection]:
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        yield connection


def fill(url: str, *statements: str) -> None:
    with writing(url) as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def orders(url: str, count: int = 10) -> Database:
    """Orders 1 to `count`, one a day of January 2026."""
    fill(url, "CREATE TABLE orders (id BIGINT PRIMARY KEY, note VARCHAR(2000), at TIMESTAMP NULL)")
    with writing(url) as connection:
        connection.execute(
            text("INSERT INTO orders VALUES (:id, :note, :at)"),
            [
                {"id": n, "note": f"note {n}", "at": f"2026-01-{(n - 1) % 28 + 1:02} 00:00:00"}
                for n in range(1, count + 1)
            ],
        )
    return Database.at(url)


def travelled(partition: Partition) -> Partition:
    """The partition as another process has it from the ledger."""
    return Partition(partition.number, Window(), detail=json.loads(json.dumps(partition.detail)))


def batches(rows: SqlRows, database: Database, window: Window = EVERYTHING) -> list[pd.DataFrame]:
    parts = map(travelled, rows.partitions(database, window))
    return [batch for part in parts for batch in rows.read(database, part)]


def cells(rows: SqlRows, database: Database, window: Window = EVERYTHING) -> list[tuple[Any, ...]]:
    """All rows, with None for NULL."""
    frames = batches(rows, database, window)
    return [
        tuple(row)
        for frame in frames
        for row in frame.astype(object).where(frame.notna(), None).itertuples(index=False)
    ]


def ids(rows: SqlRows, database: Database, window: Window = EVERYTHING) -> list[int]:
    return [int(row[0]) for row in cells(rows, database, window)]


def day(number: int) -> datetime:
    return datetime(2026, 1, number, tzinfo=UTC)


def test_only_the_chosen_columns_come_in_order_as_text(source_url: str) -> None:
    database = orders(source_url, 3)
    (frame,) = batches(TableRows("orders", columns=["note", "id"], order_by=["id"]), database)
    assert list(frame.columns) == ["note", "id"]
    assert list(frame.index) == [1, 2, 3]
    assert {str(kind) for kind in frame.dtypes} == {"string[pyarrow]"}
    assert frame["id"].tolist() == ["1", "2", "3"]


def test_null_and_an_empty_text_are_two(source_url: str) -> None:
    fill(
        source_url,
        "CREATE TABLE notes (id INT, note VARCHAR(20))",
        "INSERT INTO notes VALUES (1, NULL), (2, ''), (3, '\\.'), (4, 'a,\"b\"\nc'), (5, 'NULL')",
    )
    # In MySQL a backslash escapes.
    point = "." if "mysql" in source_url else "\\."
    database = Database.at(source_url)
    found = cells(TableRows("notes", columns=["note"], order_by=[]), database)
    assert sorted(found, key=str) == sorted(
        [(None,), ("",), (point,), ('a,"b"\nc',), ("NULL",)], key=str
    )


def test_a_window_has_its_start_and_not_its_end(source_url: str) -> None:
    database = orders(source_url)
    assert ids(ORDERS, database, Window(since=day(3), until=day(6))) == [3, 4, 5]
    assert ids(ORDERS, database, Window(since=day(9))) == [9, 10]
    assert ids(ORDERS, database, Window(until=day(2))) == [1]
    assert ids(ORDERS, database) == list(range(1, 11))


def test_rows_of_the_same_cursor_come_together(source_url: str) -> None:
    database = orders(source_url, 3)
    fill(source_url, "UPDATE orders SET at = '2026-01-02 00:00:00'")
    assert ids(ORDERS, database, Window(since=day(2))) == [1, 2, 3]
    assert ids(ORDERS, database, Window(until=day(2))) == []


@pytest.mark.parametrize(
    ("since", "expected"), [(8, [8, 9, 10]), (Decimal(8), [8, 9, 10]), (11, [])]
)
def test_a_cursor_may_be_a_number(source_url: str, since: Any, expected: list[int]) -> None:
    rows = TableRows("orders", columns=["id"], order_by=["id"], cursor="id")
    assert ids(rows, orders(source_url), Window(since=since)) == expected


def test_a_cursor_without_a_zone_is_compared_in_the_zone_of_its_column(source_url: str) -> None:
    rows = TableRows(
        "orders", columns=["id", "at"], order_by=["id"], cursor="at", timezone="Europe/Berlin"
    )
    database = orders(source_url)
    midnight_in_berlin = datetime(2026, 1, 2, 23, tzinfo=UTC)
    assert ids(rows, database, Window(since=midnight_in_berlin))[0] == 3
    assert ids(ORDERS, database, Window(since=midnight_in_berlin))[0] == 3
    half_past = datetime(2026, 1, 2, 23, 30, tzinfo=UTC)
    assert ids(rows, database, Window(since=half_past))[0] == 4
    assert ids(ORDERS, database, Window(since=half_past))[0] == 3


def test_a_query_is_cut_from_outside(source_url: str) -> None:
    rows = QueryRows(
        "SELECT id, at, ':x %s 100%' AS note FROM orders -- all of :them\n;",
        columns=["id", "note"],
        order_by=["id"],
        cursor="at",
    )
    found = cells(rows, orders(source_url), Window(since=day(9)))
    assert found == [("9", ":x %s 100%"), ("10", ":x %s 100%")]


@pytest.mark.parametrize("split", [ByKey("id", 4), ByDays("at", 4)], ids=["keys", "days"])
def test_parts_have_every_row_once(source_url: str, split: ByKey | ByDays) -> None:
    database = orders(source_url)
    if isinstance(split, ByDays):
        fill(source_url, "INSERT INTO orders VALUES (11, 'no day', NULL)")
    rows = TableRows("orders", columns=["id"], order_by=["id"], split=split)
    parts = rows.partitions(database, Window())
    assert [part.number for part in parts] == [0, 1, 2]
    found = [
        [int(n) for batch in rows.read(database, travelled(part)) for n in batch["id"]]
        for part in parts
    ]
    first = [1, 2, 3, 4, 11] if isinstance(split, ByDays) else [1, 2, 3, 4]
    assert found == [first, [5, 6, 7, 8], [9, 10]]


def test_an_empty_table_is_one_part(source_url: str) -> None:
    database = orders(source_url, 1)
    fill(source_url, "DELETE FROM orders")
    for split in (ByKey("id", 4), ByDays("at", 4)):
        rows = TableRows("orders", columns=["id"], split=split)
        assert len(rows.partitions(database, Window())) == 1
        assert cells(rows, database) == []


def test_batches_are_small_and_whole(source_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (sql_copy, sql_fetch):
        monkeypatch.setattr(module, "BATCH_BYTES", 4_000)
    for module in (sql_fetch, sql_sqlite):
        monkeypatch.setattr(module, "FIRST_ROWS", 10)
    database = orders(source_url, 1_000)
    rows = TableRows("orders", columns=["id", "note"], order_by=["id"])
    frames = batches(rows, database)
    assert len(frames) > 3
    assert max(map(len, frames)) < 500
    assert [n for frame in frames for n in frame.index] == list(range(1, 1001))
    assert [int(n) for frame in frames for n in frame["id"]] == list(range(1, 1001))


def test_who_stops_early_waits_for_nothing(
    source_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql_copy, "BATCH_BYTES", 1_000)
    database = orders(source_url, 2_000)
    reading = ORDERS.read(database, Partition())
    next(reading)
    reading.close()  # type: ignore[attr-defined]
    assert len(ids(ORDERS, database)) == 2_000


def test_a_read_sees_one_moment(source_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if source_url.startswith("sqlite"):
        pytest.skip("SQLite locks writers out while it is read")
    monkeypatch.setattr(sql_copy, "BATCH_BYTES", 1_000)
    monkeypatch.setattr(sql_fetch, "FIRST_ROWS", 10)
    monkeypatch.setattr(sql_fetch, "BATCH_BYTES", 1_000)
    database = orders(source_url, 2_000)
    found: list[str] = []
    for number, batch in enumerate(ORDERS.read(database, Partition())):
        found += batch["id"].tolist()
        if number < 5:
            fill(
                source_url,
                f"DELETE FROM orders WHERE id = {1990 + number}",
                f"INSERT INTO orders VALUES ({3000 + number}, 'new', NULL)",
            )
    assert list(map(int, found)) == list(range(1, 2001))


def test_nothing_can_be_written(source_url: str) -> None:
    database = orders(source_url, 1)
    with pytest.raises(ContractError, match=r"(?i)read.?only"), database.snapshot() as connection:
        connection.exec_driver_sql("DELETE FROM orders")


@pytest.mark.parametrize(
    "rows",
    [TableRows("nowhere", columns=["id"]), TableRows("orders", columns=["identifier"])],
    ids=["table", "column"],
)
def test_what_is_not_there_is_said_and_not_tried_again(source_url: str, rows: SqlRows) -> None:
    database = orders(source_url, 1)
    with pytest.raises(ContractError, match=r"nowhere|identifier"):
        cells(rows, database)


def test_a_schema_says_where_the_table_is(postgres_url: str) -> None:
    fill(
        postgres_url,
        "CREATE SCHEMA sales",
        'CREATE TABLE sales."Order; Items" ("a ""%%s"" :b" int)',
        'INSERT INTO sales."Order; Items" VALUES (1)',
    )
    database = Database.at(postgres_url, schema="sales")
    assert cells(TableRows("Order; Items", columns=['a "%s" :b']), database) == [("1",)]


# Values as PostgreSQL has them, and the text that conform reads exactly.
POSTGRESQL: Mapping[str, str | None] = {
    "12345678901234567890.123456789::numeric": "12345678901234567890.123456789",
    "'NaN'::numeric": "NaN",
    "0.1::float8 + 0.2::float8": "0.30000000000000004",
    "true": "t",
    "'2026-01-31 12:00:00.123456+02'::timestamptz": "2026-01-31 10:00:00.123456+00",
    "'2026-01-31 12:00'::timestamp": "2026-01-31 12:00:00",
    "'infinity'::timestamp": "infinity",
    "'1 day 02:00'::interval": "P1DT2H",
    "'\\x00ff'::bytea": "\\x00ff",
    "ARRAY['a', NULL, 'b,c']": '["a", null, "b,c"]',
    "ARRAY[[1,2],[3,4]]": "[[1, 2], [3, 4]]",
    "ARRAY[]::int[]": "[]",
    "ROW(1, 'x')": '{"f1": 1, "f2": "x"}',
    "'{\"a\": 1.50}'::jsonb": '{"a": 1.50}',
    "'{\"a\":1.50}'::json": '{"a":1.50}',
    "B'101'": "101",
    "NULL::int[]": None,
    "'  '::char(2)": "  ",
}


def test_postgresql_spells_its_values_exactly(database: str) -> None:
    columns = [f"c{n}" for n in range(len(POSTGRESQL))]
    chosen = ", ".join(
        f"{value} AS {name}" for name, value in zip(columns, POSTGRESQL, strict=True)
    )
    fill(database, "SET TIME ZONE 'Asia/Tokyo'")
    (found,) = cells(QueryRows(f"SELECT {chosen}", columns=columns), Database.at(database))
    assert dict(zip(POSTGRESQL, found, strict=True)) == dict(POSTGRESQL)


MARIADB: Mapping[str, tuple[str, str | None]] = {
    "BIGINT UNSIGNED": ("18446744073709551615", "18446744073709551615"),
    "DECIMAL(30,10)": ("12345678901234567890.0123456789", "12345678901234567890.0123456789"),
    "DOUBLE": ("0.1e0 + 0.2e0", "0.30000000000000004"),
    "TINYINT(1)": ("true", "1"),
    "DATE": ("'0000-00-00'", "0000-00-00"),
    "DATETIME(6)": ("'2026-01-31 12:00:00.123456'", "2026-01-31 12:00:00.123456"),
    "TIME": ("'-838:59:59'", "-838:59:59"),
    "YEAR": ("2026", "2026"),
    "BIT(10)": ("b'1100000001'", "769"),
    "BLOB": ("x'00ff'", "00ff"),
    "BINARY(2)": ("x'4142'", "4142"),
    "ENUM('a','ü')": ("'ü'", "ü"),
    "SET('a','b')": ("'a,b'", "a,b"),
    "JSON": ("'{\"a\": 1.50}'", '{"a": 1.50}'),
    "VARCHAR(10)": ("'€ 😀'", "€ 😀"),
    "TEXT": ("NULL", None),
}


@pytest.mark.service
def test_mariadb_spells_its_values_exactly(mariadb_url: str) -> None:
    columns = [f"c{n}" for n in range(len(MARIADB))]
    defined = ", ".join(f"{name} {kind}" for name, kind in zip(columns, MARIADB, strict=True))
    values = ", ".join(value for value, _ in MARIADB.values())
    fill(
        mariadb_url,
        "SET sql_mode = ''",
        f"CREATE TABLE types ({defined}) CHARACTER SET utf8mb4",
    )
    with writing(mariadb_url) as connection:
        connection.exec_driver_sql("SET sql_mode = ''")
        connection.exec_driver_sql(f"INSERT INTO types VALUES ({values})")
    (found,) = cells(TableRows("types", columns=columns), Database.at(mariadb_url))
    expected = {kind: text for kind, (_, text) in MARIADB.items()}
    assert dict(zip(MARIADB, found, strict=True)) == expected


def test_sqlite_keeps_whatever_a_cell_holds(tmp_path: Any) -> None:
    url = f"sqlite:///{tmp_path / 'source.sqlite'}"
    (tmp_path / "source.sqlite").touch()
    fill(
        url,
        "CREATE TABLE cells (a INTEGER)",
        "INSERT INTO cells VALUES (9223372036854775807), ('many'), (0.1), (1e300), (x'00ff')",
        "INSERT INTO cells VALUES (NULL)",
    )
    found = cells(TableRows("cells", columns=["a"]), Database.at(url))
    assert found == [("9223372036854775807",), ("many",), ("0.1",), ("1e+300",), ("00ff",), (None,)]


@pytest.mark.parametrize("stored", ["2026-01-02T10:00:00.500", "2026-01-02 10:00:00.500000"])
def test_sqlite_compares_timestamps_however_they_are_written(tmp_path: Any, stored: str) -> None:
    url = f"sqlite:///{tmp_path / 'source.sqlite'}"
    (tmp_path / "source.sqlite").touch()
    fill(
        url, "CREATE TABLE orders (id, note, at)", f"INSERT INTO orders VALUES (1, '', '{stored}')"
    )
    database = Database.at(url)
    moment = datetime(2026, 1, 2, 10, 0, 0, 500_000, tzinfo=UTC)
    assert ids(ORDERS, database, Window(since=moment)) == [1]
    assert ids(ORDERS, database, Window(until=moment)) == []
    assert ids(ORDERS, database, Window(since=date(2026, 1, 2), until=date(2026, 1, 3))) == [1]


def test_sqlite_text_that_is_not_utf8_is_set_aside_and_the_rest_is_read(tmp_path: Any) -> None:
    url = f"sqlite:///{tmp_path / 'source.sqlite'}"
    (tmp_path / "source.sqlite").touch()
    fill(
        url,
        "CREATE TABLE cells (id INTEGER PRIMARY KEY, a TEXT)",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)"
        " INSERT INTO cells SELECT i, 'é' || i FROM n",
        "UPDATE cells SET a = CAST(x'ff41' AS TEXT) WHERE id IN (3, 1700)",
    )
    rows = TableRows("cells", columns=["id", "a"], order_by=["id"])
    partition = Partition()
    frames = list(rows.read(Database.at(url), partition))
    found = {at: text for frame in frames for at, text in frame["a"].items()}
    assert found == {n: f"é{n}" for n in range(1, 2501) if n not in (3, 1700)}
    assert [(one.position, one.rule) for one in partition.rejects] == [
        (3, "a is not UTF-8"),
        (1700, "a is not UTF-8"),
    ]
    assert partition.rejects[0].payload == r"{'id': 3, 'a': '\udcffA'}"


def test_a_sqlite_file_that_is_not_there_is_not_made(tmp_path: Any) -> None:
    database = Database.at(f"sqlite:///{tmp_path / 'none.sqlite'}")
    with pytest.raises(ConfigError, match="there is no SQLite database"):
        cells(ORDERS, database)
    assert list(tmp_path.iterdir()) == []


def killed(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_a_connection_that_is_lost_fails_the_read_for_another_try(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # More than buffers on the way hold.
    database = Database.at(postgres_url)
    rows = QueryRows(
        "SELECT n, repeat('x', 1000) AS note FROM generate_series(1, 100000) AS n",
        columns=["n", "note"],
    )
    engine = create_engine(postgres_url, poolclass=NullPool)
    reading = rows.read(database, Partition())
    next(reading)
    killed(engine)
    with pytest.raises(RetryableError, match="the source database says"):
        list(reading)


@pytest.mark.parametrize(
    "url", ["postgresql://u@127.0.0.1:1/x", pytest.param("mysql://u@127.0.0.1:1/x", id="mysql")]
)
def test_a_server_that_is_away_is_worth_another_try(url: str) -> None:
    pytest.importorskip("pymysql")
    with pytest.raises(RetryableError), Database.at(url).snapshot():
        pass


@pytest.mark.parametrize("url", ["S3cr3t-canary", "postgresql://u:S3cr3t-canary@h:port/x"])
def test_a_url_that_cannot_be_read_is_not_shown(url: str) -> None:
    with pytest.raises(ConfigError, match="can't be read") as caught:
        Database.at(url)
    assert "S3cr3t" not in f"{caught.value} {caught.value.__cause__}"


def test_no_error_or_repr_tells_a_password(postgres_url: str) -> None:
    database = Database.at("postgresql://u@127.0.0.1:1/x", password="S3cr3t-canary")
    assert database.engine.url.password == "S3cr3t-canary"
    with pytest.raises(RetryableError) as caught, database.snapshot():
        pass
    assert "S3cr3t" not in f"{caught.value} {database!r} {caught.value.__cause__}"


def test_a_driver_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"oracle.* can't be read"):
        Database.at("oracle://u@host/x")
