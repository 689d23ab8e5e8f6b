"""Check what was staged before anybody sees it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import func, select

from . import attempts, ledger
from .attempts import Attempt
from .connect import Destination
from .errors import ContractError
from .resource import Load, Replace
from .stage import of_winning_tries, staging_table


def audit(destination: Destination, attempt: Attempt, load: Load) -> None:
    """Seal the attempt: every partition is written, and what is staged is what was counted.

    Runs also where the plan was empty. Safe to repeat.
    """
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
        warnings = sum((Counter(part.warnings) for part in parts), Counter[str]())
        attempts.set_status(
            connection,
            attempt,
            "audited",
            read=counts["read"],
            quarantined=counts["quarantined"],
            filtered=counts["filtered"],
            warnings=dict(warnings),
        )


def _totals(parts: Any) -> dict[str, int]:
    names = ("read", "staged", "quarantined", "filtered")
    return {name: sum(getattr(part, name) for part in parts) for name in names}
