"""The databases that the other tests get."""

from sqlalchemy import create_engine, text

from tests.conftest import Databases

TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname !~ '^(pg_|information_schema)'"


def test_a_database_is_empty_again_for_the_next_test(embedded_databases: Databases) -> None:
    with embedded_databases.one() as first:
        left_open = create_engine(first).connect()
        left_open.execute(text("CREATE SCHEMA shop"))
        left_open.execute(text("CREATE TABLE shop.orders AS SELECT 1 AS n"))
        left_open.commit()
        left_open.execute(text("LOCK TABLE shop.orders"))
    left_open.invalidate()

    with embedded_databases.one() as second:
        engine = create_engine(second)
        with engine.connect() as connection:
            assert connection.execute(text(TABLES)).scalar() == 0
        engine.dispose()
    assert second == first


def test_two_databases_at_once_are_two(embedded_databases: Databases) -> None:
    with embedded_databases.one() as first, embedded_databases.one() as second:
        assert first != second


def test_both_servers_take_connections(database: str) -> None:
    engine = create_engine(database)
    with engine.connect() as connection:
        version = connection.dialect.server_version_info
    engine.dispose()

    assert version is not None
    assert version >= (14,)
