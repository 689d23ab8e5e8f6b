"""The table that is loaded: made, extended or refused, whatever the names in it."""

import pytest
from sqlalchemy import (
    ARRAY,
    TIMESTAMP,
    BigInteger,
    Boolean,
    Column,
    Date,
    Double,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    String,
    Table,
    Text,
    Time,
    Uuid,
    inspect,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from runtime import ledger, loading
from runtime.connect import Destination, column_types, connect, create_schema, postgresql_url
from runtime.errors import ContractError
from runtime.publish import Counts
from runtime.resource import (
    EXTRA,
    LINEAGE,
    Append,
    Load,
    Merge,
    Replace,
    file_lineage,
)
from runtime.target import declared_type
from tests.runtime.feed import (
    DISPOSITIONS,
    Feed,
    contents,
    load_as,
    order,
    orders,
    orders_table,
    run,
)

pytestmark = pytest.mark.slow


class TestTarget:
    """A table that is there already fits the code, is extended, or is an error at plan."""

    def load_after(self, destination: Destination, ddl: str, load: Load | None = None) -> Counts:
        with destination.transaction() as connection:
            connection.execute(text("CREATE SCHEMA shop"))
            connection.execute(text(ddl))
        resource = Feed({"a": orders(1, 2)}).resource(load or load_as("merge"))
        return run(destination, resource, "r")

    FITS = (
        "id bigint PRIMARY KEY, amount numeric(12,2), note text, updated_at timestamptz,"
        " _run_id text, _loaded_at timestamptz, _source_file text, _source_row bigint"
    )

    def test_a_column_is_added(self, destination: Destination) -> None:
        counts = self.load_after(destination, f"CREATE TABLE shop.orders ({self.FITS})")
        assert counts.loaded == 2
        with destination.transaction() as connection:
            columns = inspect(connection).get_columns("orders", "shop")
        assert columns[-1]["name"] == EXTRA

    @pytest.mark.parametrize("name", ["a%b", "a:b", '"q"', "%s", "%(a)s", "é b"])
    def test_a_column_of_any_name_is_added(self, destination: Destination, name: str) -> None:
        feed = Feed({"a": [order(1)]})
        run(destination, feed.resource(load_as("merge")), "one")
        table = orders_table()
        table.append_column(Column(name, Text))
        feed.files = {"a": [order(1) | {name: "x"}]}
        assert run(destination, feed.resource(load_as("merge", table)), "two").loaded == 1
        assert contents(destination, table, name) == [("x",)]

    @pytest.mark.parametrize(
        ("ddl", "message"),
        [
            (
                FITS.replace("numeric(12,2)", "numeric(10,2)"),
                r"amount is numeric\(10,2\) in the database and numeric\(12,2\) in the code",
            ),
            (FITS.replace("timestamptz", "timestamp", 1), "updated_at is timestamp without"),
            (FITS.replace("PRIMARY KEY", ""), r"no unique index on \(id\) that can be relied on"),
            (FITS.replace("PRIMARY KEY", "PRIMARY KEY DEFERRABLE"), r"no unique index on \(id\)"),
            (FITS.replace(" _run_id text,", ""), "no column '_run_id', and the code says"),
        ],
        ids=["precision", "time zone", "key", "deferrable key", "lineage"],
    )
    def test_what_a_person_must_decide(
        self, destination: Destination, ddl: str, message: str
    ) -> None:
        with pytest.raises(ContractError, match=message) as refused:
            self.load_after(destination, f"CREATE TABLE shop.orders ({ddl})")
        assert "\n  " in str(refused.value)
        with destination.transaction() as connection:
            assert connection.execute(select(ledger.attempts)).all() == []

    @pytest.mark.parametrize("key", ["UNIQUE (id)", "CONSTRAINT own PRIMARY KEY (id)"])
    @pytest.mark.parametrize("disposition", DISPOSITIONS)
    def test_a_table_of_somebody_s_with_more_to_it(
        self, destination: Destination, disposition: str, key: str
    ) -> None:
        """More columns, of types that we don't know, a collation, a view upon it."""
        columns = self.FITS.replace(" PRIMARY KEY", " NOT NULL").replace(
            "note text", 'note text COLLATE "C", dropped int'
        )
        more = "found tsvector, span int4range, place point, tags text[], kind mood DEFAULT 'ok'"
        counts = self.load_after(
            destination,
            f"CREATE TYPE mood AS ENUM ('ok', 'bad');"
            f"CREATE TABLE shop.orders ({columns}, {more}, {key});"
            "ALTER TABLE shop.orders DROP dropped;"
            "CREATE VIEW shop.seen AS SELECT * FROM shop.orders;",
            load_as(disposition, orders_table()),
        )
        assert counts.loaded == 2
        with destination.transaction() as connection:
            seen = connection.execute(text("SELECT id, kind FROM shop.seen ORDER BY id")).all()
        assert seen == [(1, "ok"), (2, "ok")]

    def test_each_type_is_recognised(self, destination: Destination) -> None:
        """Planning again over one's own table finds nothing to do."""
        kinds = [Text(), Boolean(), SmallInteger(), Integer(), BigInteger(), Numeric(12, 2)]
        kinds += [Double(), Date(), Time(), TIMESTAMP(), TIMESTAMP(timezone=True), Uuid()]
        kinds += [JSONB(), LargeBinary(), String(7), Numeric(38, 38), ARRAY(Text)]
        columns = [Column(f"c{n}", kind) for n, kind in enumerate(kinds)]
        table = Table("kinds", MetaData(schema="shop"), *columns)
        with destination.transaction() as connection:
            create_schema(connection, "shop")
            table.create(connection)
            actual = column_types(connection, "shop", "kinds")
        assert actual == {column.name: declared_type(column) for column in columns}


HOSTILE_TABLES = ['users"; DROP TABLE users; --', "a%b", "a:b", "%s", "日本語", "select"]


HOSTILE_COLUMNS = [
    "a');SELECT pg_sleep(5);--",
    *["a b", "a-b", "a.b", "a%b", "a:b", "a(b)", "%s", ":x", "100%", "?", "é", "日本語", "🙂"],
    *['"q"', "`t`", "[z]", "%(a)s", "a\\b", "a'b", "A b", "user", "one", "distinct", "excluded"],
    *["{x}", "$1", "a%%b", "a::b", "written", "rows", "x" * 63],
]


@pytest.mark.parametrize("name", HOSTILE_TABLES)
@pytest.mark.parametrize("disposition", DISPOSITIONS)
def test_identifiers_are_only_names(destination: Destination, disposition: str, name: str) -> None:
    """I09, I10, I11: in DDL, COPY, staging, merge and the index."""
    with destination.transaction() as connection:
        connection.execute(text("CREATE TABLE users (id int)"))
    table = Table(
        name,
        MetaData(schema='s"h%o:p'),
        Column("id%", BigInteger, primary_key=disposition != "append", autoincrement=False),
        *(Column(column, Text) for column in HOSTILE_COLUMNS),
        Column("a%t:", TIMESTAMP(timezone=True)),
        *file_lineage(),
    )
    load: Load = {
        "append": Append(table),
        "replace": Replace(table),
        "merge": Merge(table, cursor="a%t:"),
    }[disposition]
    rows = [
        {"id%": str(n), "a%t:": f"2026-01-0{n}"} | {c: f"{c}{n}" for c in HOSTILE_COLUMNS}
        for n in (1, 2, 3)
    ]
    feed = Feed({"it's 100%s:x.csv": rows})
    resource = feed.resource(load)
    for number in (1, 2):
        counts = run(destination, resource, f"r'{number}%s:x")
        assert counts.loaded + counts.unchanged == 3
    for column in HOSTILE_COLUMNS:
        with destination.transaction() as connection:
            found = connection.execute(select(table.c[column])).scalars().all()
        assert sorted(found) == [f"{column}{n}" for n in (1, 2, 3)]
    with destination.transaction() as connection:
        names = set(inspect(connection).get_table_names("public"))
        columns = [c["name"] for c in inspect(connection).get_columns(name, table.schema)]
    assert names == {"users"}
    assert set(columns) - set(LINEAGE) - {EXTRA, "id%", "a%t:"} == set(HOSTILE_COLUMNS)


def test_long_names_of_tables_do_not_collide(destination: Destination) -> None:
    """Each of 63 bytes, and different only at the end: their indexes have names of their own."""
    for end in "ab":
        table = orders_table("t" * 62 + end, key=False)
        assert run(destination, Feed({"a": orders(1)}).resource(Append(table)), end).loaded == 1


def test_a_hostile_work_schema(database: str) -> None:
    destination = connect(postgresql_url(database), 'w"% :x', "tests")
    feed = Feed({"a": orders(1)})
    resource = feed.resource(load_as("merge"))
    for name in ("one", "two"):
        loading.plan(destination, resource, name, take_over=True)
        assert run(destination, resource, name).read == 1
    destination.engine.dispose()
