"""Check what was staged before anybody sees it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import structlog
from sqlalchemy import Connection, func, select

from . import attempts, ledger
from .attempts import Attempt
from .connect import Destination
from .deletions import require_few
from .errors import ContractError
from .publish import rows_to_publish, staged_rows
from .resource import Replace, Resource
from .stage import of_winning_tries, staging_table
from .table_checks import Staged, broken_checks

log = structlog.get_logger()


def audit(destination: Destination, attempt: Attempt, resource: Resource) -> None:
    """Seal the attempt: all is written and counted, and the checks of the whole load hold.

    Runs also where the plan was empty. Safe to repeat.
    """
    load = resource.load
    with destination.transaction() as connection:
        row = attempts.lock(connection, attempt, "planned", "audited", "published")
        if row.status != "planned":
            return
        parts = connection.execute(
            select(ledger.partitions).where(attempt.rows(ledger.partitions))
        ).all()
        unwritten = sorted(part.partition for part in parts if part.winning_try is None)
        if unwritten:
            raise ContractError(
                f"{attempt.resource}: partitions {unwritten} of this run are not written",
                "Write them first: clear or repeat their `write`.",
            )
        staging = staging_table(attempt, load.table)
        staged = connection.execute(
            select(func.count()).select_from(of_winning_tries(attempt, staging))
        ).scalar_one()
        counts = _totals(parts)
        if staged != counts["staged"]:
            raise ContractError(
                f"{attempt.resource}: {staged} rows are staged, {counts['staged']} were written",
                "Something changed the staging table: run again.",
            )
        if (
            isinstance(load, Replace)
            and counts["read"]
            and not staged
            and not load.allow_empty
        ):
            raise ContractError(
                f"{attempt.resource}: none of the {counts['read']} rows read is fit to load; "
                f"{load.table.fullname} keeps what it has",
                "See why with the `quarantine` command.",
            )
        kept = require_few(
            connection,
            attempt,
            load,
            staged_rows(attempt, load),
            counts["read"],
            counts["quarantined"],
        )
        warnings: dict[str, int | None] = {
            **sum((Counter(part.warnings) for part in parts), Counter[str]()),
            **_warnings_of_the_whole(connection, attempt, resource),
            **({} if kept is None else {kept: None}),
        }
        if isinstance(load, Replace) and not counts["read"] and not load.allow_empty:
            kept = f"nothing was read, and {load.table.fullname} keeps what it has"
            log.warning(kept, resource=attempt.resource, run_id=attempt.run_id)
            warnings[kept] = None
        attempts.set_status(
            connection,
            attempt,
            "audited",
            read=counts["read"],
            quarantined=counts["quarantined"],
            filtered=counts["filtered"],
            warnings=warnings,
        )


def _warnings_of_the_whole(
    connection: Connection, attempt: Attempt, resource: Resource
) -> dict[str, None]:
    """What the load breaks and may; one check that it must not break ends the attempt.

    Their words have all the numbers, so there is none beside them.
    """
    if not resource.checks:
        return {}
    rows = rows_to_publish(attempt, resource.load)
    staged = Staged(connection, resource.load, rows, resource.private)
    broken = broken_checks(staged, resource.checks)
    errors = [how for severity, how in broken if severity == "error"]
    if errors:
        raise ContractError(
            f"{attempt.resource}: {'; '.join(errors)}",
            f"Nothing was published: {resource.load.table.fullname} keeps what it has. "
            "Correct the source, or the module's CHECKS, and run again.",
        )
    return dict.fromkeys(how for _, how in broken)


def _totals(parts: Any) -> dict[str, int]:
    names = ("read", "staged", "quarantined", "filtered")
    return {name: sum(getattr(part, name) for part in parts) for name in names}
