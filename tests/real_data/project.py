"""A project generated from a spec of this folder, run as its users would, and what it loaded."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import NullPool, create_engine, text

from etlgen.usecases.new import Request, create

from .data import Row

SPECS = Path(__file__).parent
COUNTS = ("read", "loaded", "unchanged", "quarantined", "duplicates", "filtered", "stale")


@dataclass(frozen=True)
class Load:
    """What one run did: counts by resource, and what then stood in each table."""

    counts: dict[str, dict[str, int]]
    tables: dict[str, str]
    data: dict[str, str]


class Project:
    """Generated into a folder; loads the database behind `url` from the folders in `settings`."""

    def __init__(
        self, spec: str | Path, folder: Path, url: str, settings: Mapping[str, Path | str]
    ) -> None:
        request = Request(spec=SPECS / spec, base=folder)
        self.root = create(request, lambda changes: True).root
        self.package = self.root.name.replace("-", "_")
        self.schema = self.root.name.removesuffix("-etl")
        self.environment = {
            **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            **{name: str(value) for name, value in settings.items()},
            f"{self.package.upper()}_DATABASE_URL": url,
            "PYTHONPATH": str(self.root / "src"),
        }
        self.engine = create_engine(url, poolclass=NullPool)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command of the project's own command line, in a process that knows nothing of us."""
        return subprocess.run(
            [sys.executable, "-c", f"from {self.package}.cli import main; main()", *arguments],
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
        )

    def run(self, *resources: str) -> Load:
        """Load everything, or these resources."""
        done = self.command("run", *resources)
        assert done.returncode == 0, done.stdout + done.stderr
        tables = self._tables()
        return Load(
            counts=self._counts(),
            tables={table: self._digest(table, "to_jsonb(t)") for table in tables},
            data={
                table: self._digest(table, "to_jsonb(t) - '_run_id' - '_loaded_at'")
                for table in tables
            },
        )

    def query(self, sql: str, **values: Any) -> list[Row]:
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(text(sql), values).mappings()]

    def rows(self, table: str, columns: str = "*") -> list[Row]:
        """The rows of a table as they stood in their file."""
        return self.query(
            f'SELECT {columns} FROM "{self.schema}"."{table}" ORDER BY _source_file, _source_row'
        )

    def texts(self, table: str, names: list[str]) -> list[tuple[str | None, ...]]:
        """Columns of a table as PostgreSQL spells them."""
        columns = ", ".join(f'"{name}"::text'.replace(":", "\\:") for name in names)
        return [tuple(row.values()) for row in self.rows(table, columns)]

    def quarantined(self, resource: str) -> list[Row]:
        """What is set aside of a resource, in the order of the file."""
        return self.query(
            f"SELECT source_row, reasons, payload FROM {self._work}.quarantine"
            " WHERE resource = :resource AND superseded_by IS NULL ORDER BY source_row",
            resource=resource,
        )

    @property
    def _work(self) -> str:
        return f"etl_{self.package}"

    def _counts(self) -> dict[str, dict[str, int]]:
        newest = self.query(
            f"SELECT DISTINCT ON (resource) * FROM {self._work}.attempts"
            " ORDER BY resource, generation DESC"
        )
        assert {row["status"] for row in newest} == {"published"}
        return {row["resource"]: {name: row[name] for name in COUNTS} for row in newest}

    def _tables(self) -> list[str]:
        found = self.query(
            "SELECT tablename FROM pg_tables WHERE schemaname = :schema", schema=self.schema
        )
        return [row["tablename"] for row in found]

    def _digest(self, table: str, row: str) -> str:
        lines = f'SELECT md5(({row})::text) AS line FROM "{self.schema}"."{table}" AS t'
        digest = f"SELECT md5(string_agg(line, ' ' ORDER BY line)) AS it FROM ({lines})"
        return str(self.query(digest.replace("::", "\\:\\:"))[0]["it"])


def accounts(**counts: int) -> dict[str, int]:
    """A line of the ledger, what is not named being 0."""
    line = {name: counts.get(name, 0) for name in COUNTS}
    assert line["read"] == sum(line.values()) - line["read"]
    return line
