"""What can go wrong, as data; the command line turns it into text and an exit code.

    EtlgenError
    ├── InternalError        1   a fault of etlgen itself
    ├── UsageError           2   the command line makes no sense
    ├── SpecError            3   the spec is wrong: a finding per error
    │   └── MissingAnswers   3   only answers are missing: `skeleton` says which
    ├── ConflictError        4   the team's edits and the new generation overlap
    ├── Refused              5   going on would lose something
    └── DriftError           6   `check` found spec and code apart

130 is kept for an interruption by the user.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from etlgen.pycode import escape, is_visible

_WIDEST = 120
# Up to the last @ of a word, as passwords have been seen with an @ of their own.
_WORD = re.compile(r"\S+")
_URL_PASSWORD = re.compile(
    r"(?P<start>://[^/:@'\"]*+:)(?!\$\{\w+(:-[^}@]*+)?\}@)(?P<secret>.+)(?=@\Z)", re.DOTALL
)
# As in `host=h password=…` or `jdbc:…?password=…`.
_NAMED_PASSWORD = re.compile(
    r"(?P<start>\b\w*(?:password|passwd|pwd|secret|token|api_?key)=)"
    r"(?!\$\{|[<*\[(])(?P<secret>[^\s&;]+)",
    re.IGNORECASE,
)
_SECRET_KEY = re.compile(
    r"(?P<start>\b\w*(?:password|passwd|secret|token|api_?key)['\"]?\s*:\s*)(?!\$\{)(?P<secret>\S.*)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to fix. Lines and columns count from 1; None where there is no such place."""

    file: str | None
    line: int | None
    column: int | None
    code: str
    message: str
    hint: str | None = None
    source_line: str | None = None


class EtlgenError(Exception):
    """Base of all errors that etlgen reports."""

    exit_code = 1

    def __init__(self, findings: Finding | Iterable[Finding]) -> None:
        self.findings: tuple[Finding, ...] = (
            (findings,) if isinstance(findings, Finding) else tuple(findings)
        )
        super().__init__("\n".join(format_finding(finding) for finding in self.findings))


class InternalError(EtlgenError):
    """A fault of etlgen itself."""

    exit_code = 1


class UsageError(EtlgenError):
    """The command line makes no sense."""

    exit_code = 2


class SpecError(EtlgenError):
    """The spec is wrong."""

    exit_code = 3


class MissingAnswers(SpecError):
    """Nothing is wrong, but answers are missing; `skeleton` is YAML to fill in."""

    def __init__(self, findings: Finding | Iterable[Finding], skeleton: str) -> None:
        self.skeleton = skeleton
        super().__init__(findings)


class ConflictError(EtlgenError):
    """The team's edits and the new generation overlap."""

    exit_code = 4


class Refused(EtlgenError):
    """Going on would lose something."""

    exit_code = 5


class DriftError(EtlgenError):
    """Spec and code are apart."""

    exit_code = 6


def holds_secret(text: str) -> bool:
    """Whether a connection string with a literal password stands in the text."""
    return _without_url_passwords(text) != text or bool(_NAMED_PASSWORD.search(text))


def masked(finding: Finding) -> Finding:
    """The finding without a password or token that stood in the spec."""
    return replace(
        finding,
        message=_mask(finding.message),
        hint=finding.hint and _mask(finding.hint),
        source_line=finding.source_line and _mask(finding.source_line),
    )


@lru_cache(maxsize=64)  # a long line may have thousands of findings, and is masked once
def _mask(text: str) -> str:
    text = _without_url_passwords(text)
    for secret in (_NAMED_PASSWORD, _SECRET_KEY):
        text = secret.sub(r"\g<start>***", text)
    return text


def _without_url_passwords(text: str) -> str:
    """Word by word, and none without an @, so that the time is in proportion to the text."""

    def masked_word(word: re.Match[str]) -> str:
        url, at, host = word[0].rpartition("@")
        return _URL_PASSWORD.sub(r"\g<start>***", f"{url}{at}") + host

    return _WORD.sub(masked_word, text)


def format_finding(finding: Finding) -> str:
    """`file:line:column: message; hint`, then the source line with a caret, as compilers do."""
    places = (finding.file, finding.line, finding.column)
    place = ":".join(str(part) for part in places if part is not None)
    message = f"{finding.message}; {finding.hint}" if finding.hint else finding.message
    head = _shown(f"{place}: {message}" if place else message)
    if not (finding.source_line or "").strip() or finding.column is None:
        return head
    return f"{head}\n{_pointed(finding.source_line or '', finding.column - 1)}"


def _pointed(line: str, column: int) -> str:
    start = max(0, column - _WIDEST // 2) if len(line) > _WIDEST else 0
    before, after = line[start:column], line[column : start + _WIDEST]
    return f"    {_shown(before)}{_shown(after)}\n    {' ' * _width(_shown(before))}^"


def _shown(text: str) -> str:
    """A terminal must not obey what a spec says."""
    return "".join(c if is_visible(c) else escape(c) for c in text.replace("\t", " "))


def _width(text: str) -> int:
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) != 0 for c in text)
