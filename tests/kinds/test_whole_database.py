"""A whole database: asked once by `etlgen reflect`, then read from the spec alone."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest
from sqlalchemy import NullPool, create_engine

from etlgen.cli import run
from etlgen.kinds import load_kinds
from etlgen.kinds.database.spec import DatabaseResource
from etlgen.spec.document import parse_document
from etlgen.spec.reading import read_project_file

SPEC = """\
# The shop's books.
name: books-etl
sources:
  erp: # all of it
    kind: database
    url: ${ERP_URL}
    resources: "*"
"""
TABLES = """
CREATE TABLE "InvoiceLine" ("LineId" INTEGER PRIMARY KEY, "creditLimit" NUMERIC(12,2) NOT NULL,
    "updatedAt" TIMESTAMP);
CREATE TABLE notes (body TEXT, written DATE);
CREATE TABLE audit_log (id INTEGER PRIMARY KEY, said TEXT);
"""


@dataclass(frozen=True)
class Books:
    """A spec file in a folder, and the command line there."""

    folder: Path
    capsys: pytest.CaptureFixture[str]

    @property
    def spec(self) -> Path:
        return self.folder / "books.yaml"

    def reflect(self, *words: str) -> tuple[int, str]:
        """The exit code, and what was said of findings."""
        self.capsys.readouterr()
        code = run(["reflect", "erp", "--spec", str(self.spec), "--yes", *words])
        return code, self.capsys.readouterr().err

    def resources(self) -> dict[str, DatabaseResource]:
        found = read_project_file(self.spec.read_text(), "books.yaml", load_kinds())
        return dict(found.sources[0].resources)  # type: ignore[arg-type]

    def faults(self, keys: str = "") -> list[str]:
        """What is said of the spec as it is now; `keys` are put before what was reflected."""
        text = self.spec.read_text()
        if keys:
            text = text.replace("    reflected:", f"{keys}    reflected:")
        self.spec.write_text(text)
        self.capsys.readouterr()
        new = ["new", str(self.folder / "made"), "--spec", str(self.spec), "--dry-run"]
        code = run(new)
        said = self.capsys.readouterr().err
        assert code in (0, 3)
        return [line for line in said.splitlines() if line.startswith(str(self.spec))]


@pytest.fixture
def books(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Books:
    made = Books(tmp_path, capsys)
    made.spec.write_text(SPEC)
    monkeypatch.setenv("ERP_URL", f"sqlite:///{tmp_path / 'erp.sqlite'}")
    with closing(sqlite3.connect(tmp_path / "erp.sqlite")) as connection:
        connection.executescript(TABLES)
    return made


def fill(books: Books, ddl: str) -> None:
    with closing(sqlite3.connect(books.folder / "erp.sqlite")) as connection:
        connection.executescript(ddl)


def test_all_tables_come_with_names_types_and_keys(books: Books) -> None:
    code, said = books.reflect()

    assert code == 0
    assert "3 tables, 7 columns" in said
    assert "notes has no primary key, so each run replaces it as a whole" in said
    found = books.resources()
    assert list(found) == ["invoice_line", "audit_log", "notes"]
    line = found["invoice_line"]
    assert line.from_table == "InvoiceLine"
    assert line.primary_key == ("line_id",)
    assert {name: str(column.type) for name, column in line.columns.items()} == {
        "line_id": "bigint",
        "credit_limit": "numeric(12,2)",
        "updated_at": "timestamp",
    }
    assert line.columns["credit_limit"].from_names == ("creditLimit",)
    assert line.columns["credit_limit"].nullable is False
    assert line.columns["updated_at"].nullable is None
    assert (line.write_disposition, found["notes"].write_disposition) == ("merge", "replace")


def test_nothing_else_in_the_file_changes_and_a_second_look_changes_nothing(books: Books) -> None:
    assert books.reflect()[0] == 0
    once = books.spec.read_text()
    assert once.startswith(SPEC + "    reflected:\n")
    assert len(once.splitlines()) == len(SPEC.splitlines()) + 1 + 3
    assert books.reflect() == (
        0,
        f"{books.spec}: notes has no primary key, so each run replaces" " it as a whole\n",
    )
    assert books.spec.read_text() == once


def test_a_dry_run_writes_nothing(books: Books) -> None:
    assert books.reflect("--dry-run")[0] == 0
    assert books.spec.read_text() == SPEC


def test_later_looks_tell_what_has_changed(books: Books) -> None:
    books.reflect()
    fill(
        books,
        "ALTER TABLE notes ADD COLUMN author TEXT; DROP TABLE audit_log;"
        "CREATE TABLE orders (id INTEGER PRIMARY KEY)",
    )
    said = books.reflect()[1]
    assert "audit_log is gone" in said
    assert "orders is new" in said
    assert "notes.author is new" in said
    assert list(books.resources()) == ["invoice_line", "notes", "orders"]


def test_excluded_tables_are_not_there(books: Books) -> None:
    books.spec.write_text(f"{SPEC}    exclude: [audit_*, tmp_*]\n")
    said = books.reflect()[1]
    assert "'exclude' names 'tmp_*', and there is no such table" in said
    assert list(books.resources()) == ["invoice_line", "notes"]
    assert "audit_log" not in books.spec.read_text()


def test_what_a_pattern_says_holds_for_tables_that_have_the_column(books: Books) -> None:
    overrides = """\
    overrides:
      "*":
        cursor: {field: updated_at}
        columns:
          updated_at: {type: timestamptz, timezone: Europe/Berlin}
      InvoiceLine:
        columns:
          total: {from: creditLimit, checks: [{at_least: 0}]}
      notes: {name: remarks, primary_key: [written], drop: body}
    """
    books.spec.write_text(SPEC + overrides.rstrip(" "))
    code, told = books.reflect()
    assert code == 0, told
    found = books.resources()
    line = found["invoice_line"]
    assert line.cursor is not None
    assert line.columns["updated_at"].timezone == "Europe/Berlin"
    assert list(line.columns) == ["line_id", "total", "updated_at"]
    assert len(line.columns["total"].checks) == 1
    assert found["audit_log"].cursor is None
    assert list(found["remarks"].columns) == ["written"]
    assert found["remarks"].from_table == "notes"


@pytest.mark.parametrize(
    ("overrides", "line", "message"),
    [
        (
            "      note: {}\n",
            9,
            "'note' is the name of no table that is read; did you mean 'notes'?",
        ),
        ("      notes: {cursor: {field: at}}\n", 9, "notes: there is no column 'at'"),
        (
            "      notes:\n        columns:\n          body: {typo: text}\n",
            11,
            "notes: unknown key 'typo'",
        ),
        (
            '      "*":\n        columns: {said: {checks: [{at_least: 0}]}}\n',
            10,
            "audit_log: at_least does not fit text",
        ),
    ],
)
def test_a_fault_of_an_override_is_said_where_it_stands(
    books: Books, overrides: str, line: int, message: str
) -> None:
    books.reflect()
    (fault,) = books.faults(f"    overrides:\n{overrides}")
    assert fault.startswith(f"{books.spec}:{line}:")
    assert message in fault


def test_names_that_become_one_are_refused_and_can_be_told_apart(books: Books) -> None:
    fill(books, 'CREATE TABLE "Invoice_Line" (id INTEGER PRIMARY KEY, "A b" INT, a_b INT)')
    code, said = books.reflect()
    assert code == 3
    assert "'InvoiceLine' and 'Invoice_Line' would both be the resource 'invoice_line'" in said
    assert "Invoice_Line: 'A b' and 'a_b' would both be 'a_b'" in said
    assert books.spec.read_text() == SPEC

    overrides = """\
    overrides:
      Invoice_Line: {name: invoice_line_2, columns: {a_b_2: {from: a_b}}}
    """
    books.spec.write_text(SPEC + overrides.rstrip(" "))
    assert books.reflect()[0] == 0
    assert list(books.resources()["invoice_line_2"].columns) == ["id", "a_b", "a_b_2"]


def test_without_a_look_there_is_a_way_out(books: Books) -> None:
    (fault,) = books.faults()
    assert ":7:16: which tables the database has is not in this file yet" in fault
    assert "run etlgen reflect" in fault


def test_nothing_asks_the_database_again(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    books.reflect()
    (books.folder / "erp.sqlite").unlink()
    monkeypatch.delenv("ERP_URL")
    new = ["new", str(books.folder / "made"), "--spec", str(books.spec), "--yes"]
    assert run(new) == 0
    at = ["-C", str(books.folder / "made")]
    assert run(["generate", *at]) == 0
    assert run(["check", *at]) == 0


def test_a_project_reflects_its_own_source(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    books.reflect()
    made = books.folder / "made"
    assert run(["new", str(made), "--spec", str(books.spec), "--yes"]) == 0
    fill(books, "CREATE TABLE orders (id INTEGER PRIMARY KEY)")
    monkeypatch.delenv("ERP_URL")
    (made / ".env").write_text(f"ERP_URL=sqlite:///{books.folder / 'erp.sqlite'}\n")

    assert run(["reflect", "erp", "-C", str(made), "--yes"]) == 0
    assert run(["check", "-C", str(made)]) == 6
    assert run(["generate", "-C", str(made)]) == 0

    assert (made / "src/books_etl/sources/erp/orders.py").is_file()
    assert run(["check", "-C", str(made)]) == 0


@pytest.mark.parametrize(
    ("spec", "url", "message"),
    [
        (SPEC, None, ":6:10: ERP_URL is not set; set it in the environment, or in .env"),
        (SPEC, "", ":6:10: ERP_URL is not set"),
        (SPEC, "sqlite:////nowhere/erp.sqlite", ":6:10: there is no SQLite database /nowhere"),
        (SPEC, "postgresql://u:S3cr3t@127.0.0.1:1/x", ":6:10: the source database says: "),
        (SPEC, "S3cr3t nonsense", ":6:10: the URL of the source database can't be read"),
        (SPEC.replace('"*"', "{}"), None, ":7:5: this source names its tables itself"),
        (SPEC.replace("erp:", "crm:"), None, ": there is no source 'erp'"),
        (SPEC.replace("database", "file"), None, "cannot be asked what they hold"),
        (SPEC + "    exclude: '*'\n", "it", ":7:16: the database has no tables that are not"),
    ],
)
def test_what_keeps_it_from_looking_is_said(
    books: Books, monkeypatch: pytest.MonkeyPatch, spec: str, url: str | None, message: str
) -> None:
    books.spec.write_text(spec)
    if url is None:
        monkeypatch.delenv("ERP_URL")
    elif url != "it":
        monkeypatch.setenv("ERP_URL", url)
    code, said = books.reflect()
    assert code == 3
    assert message in said
    assert "S3cr3t" not in said
    assert books.spec.read_text() == spec


POSTGRESQL = """
CREATE DOMAIN price AS numeric(10,2);
CREATE TYPE state AS ENUM ('new', 'paid');
CREATE TABLE types (
    a smallint, b integer, c bigint, d numeric(20,4), e numeric, f real, g double precision,
    h text, i varchar(10), j char(2), k boolean, l date, m time, n timestamp, o timestamptz,
    p uuid, q json, r jsonb, s bytea, t integer[], u inet, v interval, w bit(3), x price, y state,
    z int4range, z1 numeric(50,10), z2 money, z3 tsvector, z4 oid);
"""
IN_POSTGRESQL = {
    **dict(zip("abc", ("smallint", "integer", "bigint"), strict=True)),
    **dict(zip("defg", ("numeric(20,4)", "numeric(38,9)", "double", "double"), strict=True)),
    **dict.fromkeys("hij", "text"),
    **dict(zip("klmno", ("boolean", "date", "time", "timestamp", "timestamptz"), strict=True)),
    **dict(zip("pqrst", ("uuid", "jsonb", "jsonb", "bytea", "jsonb"), strict=True)),
    **dict(zip("uvwxy", ("text", "text", "text", "numeric(38,9)", "text"), strict=True)),
    **{"z": "text", "z1": "text", "z2": "text", "z3": "text", "z4": "bigint"},
}
MARIADB = """
CREATE TABLE types (
    a TINYINT(1), b TINYINT, c SMALLINT UNSIGNED, d MEDIUMINT, e INT, f INT UNSIGNED, g BIGINT,
    h BIGINT UNSIGNED, i DECIMAL(30,10), j DECIMAL(65,30), k DOUBLE, l FLOAT, m VARCHAR(10),
    n LONGTEXT, o BLOB, p BINARY(2), q DATE, r DATETIME(6), s TIMESTAMP NULL, t TIME, u YEAR,
    v BIT(1), w BIT(10), x ENUM('a','b'), y SET('a','b'))
"""
IN_MARIADB = {
    **dict(zip("abcd", ("boolean", "smallint", "integer", "integer"), strict=True)),
    **dict(zip("efgh", ("integer", "bigint", "bigint", "numeric(20,0)"), strict=True)),
    **dict(zip("ijkl", ("numeric(30,10)", "text", "double", "double"), strict=True)),
    **dict(zip("mnop", ("text", "text", "bytea", "bytea"), strict=True)),
    **dict(zip("qrstu", ("date", "timestamp", "timestamptz", "time", "smallint"), strict=True)),
    **dict(zip("vwxy", ("boolean", "numeric(20,0)", "text", "text"), strict=True)),
}


def reflected_types(books: Books, url: str, ddl: str) -> dict[str, str]:
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        for statement in ddl.split(";"):
            if statement.strip():
                connection.exec_driver_sql(statement)
    code, said = books.reflect()
    assert code == 0, said
    found = parse_document(books.spec.read_text(), "books.yaml").tree["sources"]["erp"]
    types: dict[str, str] = found["reflected"]["types"]["columns"]
    return types


def test_every_type_of_postgresql_has_one_that_its_values_fit(
    books: Books, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ERP_URL", postgres_url)
    assert reflected_types(books, postgres_url, POSTGRESQL) == IN_POSTGRESQL


@pytest.mark.service
def test_every_type_of_mariadb_has_one_that_its_values_fit(
    books: Books, mariadb_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ERP_URL", mariadb_url)
    assert reflected_types(books, mariadb_url, MARIADB) == IN_MARIADB


def test_a_type_that_nobody_knows_is_asked_for(
    books: Books, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ERP_URL", postgres_url)
    engine = create_engine(postgres_url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TYPE point3 AS (x float8, y float8, z float8)")
        connection.exec_driver_sql('CREATE TABLE "Place" (id int PRIMARY KEY, "At" point3)')
    code, said = books.reflect()
    assert code == 3
    assert "Place.At is 'point3', for which a spec has no type" in said
    assert "overrides: {Place: {columns: {at: {type: text}}}}" in said
    for override in ("{columns: {at: {type: jsonb}}}", "{drop: [At]}"):
        books.spec.write_text(f"{SPEC}    overrides:\n      Place: {override}\n")
        assert books.reflect()[0] == 0
        columns = books.resources()["place"].columns
        assert [str(one.type) for one in columns.values()][1:] == ["jsonb"][: "jsonb" in override]


def test_a_schema_says_which_tables(
    books: Books, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ERP_URL", postgres_url)
    engine = create_engine(postgres_url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE SCHEMA sales")
        connection.exec_driver_sql("CREATE TABLE sales.orders (id int PRIMARY KEY)")
        connection.exec_driver_sql("CREATE TABLE other (id int PRIMARY KEY)")
    books.spec.write_text(f"{SPEC}    schema: sales\n")
    assert books.reflect()[0] == 0
    assert list(books.resources()) == ["orders"]
    books.spec.write_text(f"{SPEC}    schema: sale\n")
    code, said = books.reflect()
    assert (code, "the database has no schema 'sale'" in said) == (3, True)


@pytest.mark.parametrize("key", ["exclude: [a]", "overrides: {a: {}}", "reflected: {}"])
def test_only_a_whole_database_has_these_keys(books: Books, key: str) -> None:
    named = dedent(f"""\
        name: books-etl
        sources:
          erp:
            kind: database
            url: ${{ERP_URL}}
            {key}
            resources:
              a: {{columns: {{id: {{type: bigint}}}}}}
        """)
    books.spec.write_text(named)
    (fault,) = books.faults()
    assert ":6:5: is for 'resources: \"*\"'" in fault
