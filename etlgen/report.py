"""What happened, as text for a reader or as one JSON document for a program."""

import difflib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from etlgen.errors import EtlgenError, Finding, MissingAnswers, format_finding, masked
from etlgen.outcome import Checked, Outcome
from etlgen.visible import escaped
from etlgen.workspace.changes import Change, ChangeSet, Verb

_NOTHING = "/dev/null"


def changes_text(changes: ChangeSet, *, diff: bool = False) -> str:
    """A verb per path that is worth a line, or its unified diff, then a summary line."""
    if diff:
        body = diffs_text(changes)
    else:
        told = [change for change in changes.changes if _is_told(change)]
        width = max((len(change.verb) for change in told), default=0)
        body = "".join(f"{change.verb:<{width}}  {_told(change)}\n" for change in told)
    return f"{body}{summary(changes)}\n"


def diffs_text(changes: ChangeSet) -> str:
    """The unified diff of every path that changes."""
    return "".join(diff_text(change) for change in changes.changes)


def _is_told(change: Change) -> bool:
    return change.writes or bool(change.note) or change.verb is Verb.CONFLICT


def _told(change: Change) -> str:
    path = f"{change.origin} -> {change.path}" if change.origin else change.path
    is_told_here = change.note and change.verb is not Verb.CONFLICT  # a conflict is a finding
    return escaped(f"{path}  ({change.note})" if is_told_here else path)


def summary(changes: ChangeSet) -> str:
    """`34 files: 30 create, 4 unchanged`."""
    total = len(changes.changes)
    counts = Counter(change.verb for change in changes.changes)
    parts = ", ".join(f"{counts[verb]} {verb}" for verb in Verb if counts[verb])
    return f"{_count(total, 'file')}: {parts}" if parts else "0 files"


def diff_text(change: Change) -> str:
    """The unified diff of one path, as git shows it; nothing where nothing changes."""
    before, after = _lines(change.before or ""), _lines(change.after or "")
    old = _NOTHING if change.before is None else f"a/{change.origin or change.path}"
    new = _NOTHING if change.after is None else f"b/{change.path}"
    lines = list(difflib.unified_diff(before, after, old, new, lineterm=""))
    if not lines and change.writes:
        lines = [f"--- {old}", f"+++ {new}"]  # an empty file, or one that only moves
    return "".join(f"{escaped(line, keep=chr(9))}\n" for line in lines)


def changes_data(changes: ChangeSet, *, diff: bool = False) -> list[dict[str, Any]]:
    return [
        {"path": change.path, "verb": str(change.verb), "unit": change.unit}
        | ({"origin": change.origin} if change.origin else {})
        | ({"note": change.note} if change.note else {})
        | ({"diff": diff_text(change)} if diff else {})
        for change in changes.changes
    ]


def error_text(error: EtlgenError) -> str:
    """Every finding with its line and caret, as compilers do, and a count of several."""
    lines = findings_text(error.findings)
    return lines if len(error.findings) < 2 else f"{lines}{len(error.findings)} errors\n"


def findings_text(findings: Iterable[Finding]) -> str:
    return "".join(_finding_text(masked(finding)) for finding in findings)


def _finding_text(finding: Finding) -> str:
    speaker = "" if finding.file else "etlgen: "
    return f"{speaker}{format_finding(finding)}\n"


def error_data(error: EtlgenError) -> dict[str, Any]:
    data: dict[str, Any] = {
        "ok": False,
        "exit_code": error.exit_code,
        "error": type(error).__name__,
        "findings": [finding_data(masked(finding)) for finding in error.findings],
    }
    if isinstance(error, MissingAnswers):
        data["skeleton"] = error.skeleton
    return data


def finding_data(finding: Finding) -> dict[str, Any]:
    data = asdict(finding)
    del data["source_line"]
    return data


def outcome_data(outcome: Outcome, *, diff: bool = False) -> dict[str, Any]:
    """What a command did to a project; `etlgen schema report` describes it."""
    return {
        "ok": outcome.exit_code == 0,
        "exit_code": outcome.exit_code,
        "root": str(outcome.root),
        "written": outcome.written,
        "changes": changes_data(outcome.changes, diff=diff),
        "findings": [finding_data(masked(finding)) for finding in outcome.findings],
        "next": list(outcome.steps),
    }


def checked_text(checked: Checked) -> str:
    """The last line of a check, and what it could not judge."""
    edited = f", {checked.edited} of them edited" if checked.edited else ""
    looked = f"{_count(checked.files, 'file')} in {_count(checked.units, 'unit')}{edited}"
    found = _count(len(checked.findings), "finding") if checked.findings else "ok"
    return "".join([*(f"{note}\n" for note in checked.notes), f"{found}: {looked}\n"])


def checked_data(checked: Checked) -> dict[str, Any]:
    return {
        "ok": checked.exit_code == 0,
        "exit_code": checked.exit_code,
        "root": str(checked.root),
        "findings": [finding_data(masked(finding)) for finding in checked.findings],
        "notes": list(checked.notes),
        "units": checked.units,
        "files": checked.files,
        "edited": checked.edited,
    }


def _count(number: int, what: str) -> str:
    return f"{number} {what if number == 1 else f'{what}s'}"


def document(data: dict[str, Any]) -> str:
    """One JSON document in ASCII, so that no terminal obeys it and any locale can print it."""
    return json.dumps(data, indent=2, ensure_ascii=True) + "\n"


def steps_text(steps: Iterable[str]) -> str:
    """What to type next."""
    lines = [f"  {step}\n" for step in steps]
    return "".join(["\nNext:\n", *lines]) if lines else ""


def _lines(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n") if text else []
