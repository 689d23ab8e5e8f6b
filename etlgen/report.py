"""What happened, as text for a reader or as one JSON document for a program."""

import difflib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from etlgen.errors import EtlgenError, Finding, MissingAnswers, format_finding, masked
from etlgen.visible import escaped
from etlgen.workspace.compare import Change, ChangeSet, Verb

_NOTHING = "/dev/null"


def changes_text(changes: ChangeSet, *, diff: bool = False) -> str:
    """A verb per path, or the unified diff of every path that changes, then a summary line."""
    if diff:
        body = "".join(diff_text(change) for change in changes.changes)
    else:
        width = max((len(change.verb) for change in changes.changes), default=0)
        body = "".join(f"{change.verb:<{width}}  {change.path}\n" for change in changes.changes)
    return f"{body}{summary(changes)}\n"


def summary(changes: ChangeSet) -> str:
    """`34 files: 30 create, 4 unchanged`."""
    total = len(changes.changes)
    counts = Counter(change.verb for change in changes.changes)
    parts = ", ".join(f"{counts[verb]} {verb}" for verb in Verb if counts[verb])
    return f"{total} {'file' if total == 1 else 'files'}: {parts}" if parts else "0 files"


def diff_text(change: Change) -> str:
    """The unified diff of one path, as git shows it; nothing where nothing changes."""
    before, after = _lines(change.before or ""), _lines(change.after)
    old = _NOTHING if change.before is None else f"a/{change.path}"
    lines = list(difflib.unified_diff(before, after, old, f"b/{change.path}", lineterm=""))
    if change.before is None and not lines:
        lines = [f"--- {old}", f"+++ b/{change.path}"]  # a new empty file
    return "".join(f"{escaped(line, keep=chr(9))}\n" for line in lines)


def changes_data(changes: ChangeSet, *, diff: bool = False) -> list[dict[str, Any]]:
    return [
        {"path": change.path, "verb": str(change.verb), "unit": change.unit}
        | ({"diff": diff_text(change)} if diff else {})
        for change in changes.changes
    ]


def error_text(error: EtlgenError) -> str:
    """Every finding with its line and caret, as compilers do, and a count of several."""
    lines = [_finding_text(masked(finding)) for finding in error.findings]
    if len(lines) > 1:
        lines.append(f"{len(lines)} errors\n")
    return "".join(lines)


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


def document(data: dict[str, Any]) -> str:
    """One JSON document in ASCII, so that no terminal obeys it and any locale can print it."""
    return json.dumps(data, indent=2, ensure_ascii=True) + "\n"


def steps_text(steps: Iterable[str]) -> str:
    """What to type next."""
    return "".join(["\nNext:\n", *(f"  {step}\n" for step in steps)])


def _lines(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n") if text else []
