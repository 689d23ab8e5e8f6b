"""`etlgen add-source`: a further source, or further resources of one that is there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from pathlib import Path

from etlgen.errors import Finding, MissingAnswers, SpecError, UsageError
from etlgen.kinds import load_kinds
from etlgen.names import module_name, source_name
from etlgen.outcome import Outcome
from etlgen.rendered import SOURCES
from etlgen.spec.answers import Flags, source_from_flags
from etlgen.spec.edit import source_text, with_resources
from etlgen.spec.files import source_files, spec_path
from etlgen.spec.text import decode
from etlgen.usecases.generate import rendered_units
from etlgen.usecases.options import Options
from etlgen.usecases.project import named, opened, require_same_version, unit_texts
from etlgen.usecases.settling import Confirm, own_file, settle, with_own
from etlgen.workspace.compare import compare


@dataclass(frozen=True, slots=True)
class Addition:
    """What is to be added: a source by its spec file, or by what the command line says of it."""

    name: str
    spec: Path | None
    flags: Flags


def add_source(options: Options, addition: Addition, confirm: Confirm) -> Outcome:
    """Write the source's spec file and generate its code; nothing else of the project changes."""
    named(source_name, addition.name)
    with opened(options) as project:
        require_same_version(project.state)
        unit = f"{SOURCES}{addition.name}"
        path = spec_path(project.root, unit)
        given, called = _given(addition)
        texts = unit_texts(project.root, source_files(project.root).keys() & {addition.name})
        before = texts.get(unit)
        if before is None:
            texts[unit] = source_text(given, called, addition.name)
        else:
            texts[unit] = with_resources(before, path, given, called)
        try:
            wanted = rendered_units(project, texts, {unit})
        except SpecError as error:
            if addition.spec is None:
                raise _unplaced(error, path) from error
            raise _blaming(error, path, texts[unit], called, given) from error
        changes = compare(project.state, wanted)
        changes = with_own(changes, own_file(project.root, path, texts[unit], before))
        steps = _steps(addition.name)
        return settle(project, changes, options, confirm, steps)


def _given(addition: Addition) -> tuple[str, str]:
    """The text that says what to add, and what errors call it."""
    if addition.spec is None:
        return source_from_flags(addition.name, addition.flags, load_kinds()), "the command line"
    called = str(addition.spec)
    try:
        return decode(addition.spec.read_bytes(), called), called
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        raise UsageError(Finding(called, None, None, "no-file", message, "see --spec")) from error


def _unplaced(error: SpecError, path: str) -> SpecError:
    """The error of options, which have no lines."""
    findings = [
        (
            replace(finding, file=None, line=None, column=None, source_line=None)
            if finding.file == path
            else finding
        )
        for finding in error.findings
    ]
    if isinstance(error, MissingAnswers):
        hint = "such as --set path=orders.csv, and --set source.path=data for the source's own"
        return MissingAnswers([replace(one, hint=hint) for one in findings], error.skeleton)
    return SpecError(findings)


def _blaming(error: SpecError, path: str, text: str, called: str, given: str) -> SpecError:
    """The error with its places where the user wrote it, not where it was about to go."""
    lines_of_given = given.splitlines()
    written = [line.strip() for line in lines_of_given]
    going = [line.strip() for line in text.splitlines()]
    blocks = SequenceMatcher(None, going, written, autojunk=False).get_matching_blocks()
    lines = {a + n: b + n for a, b, size in blocks for n in range(size)}

    def placed(finding: Finding) -> Finding:
        at = lines.get((finding.line or 0) - 1)
        if finding.file != path or at is None:
            return finding
        there = lines_of_given[at]
        shift = _indent(there) - _indent(finding.source_line or "")
        column = None if finding.column is None else finding.column + shift
        return replace(finding, file=called, line=at + 1, column=column, source_line=there)

    findings = [placed(finding) for finding in error.findings]
    if isinstance(error, MissingAnswers):
        return MissingAnswers(findings, error.skeleton)
    return SpecError(findings)


def _indent(line: str) -> int:
    """Without a copy of the line, which may be long and have many findings."""
    return next((at for at, char in enumerate(line) if not char.isspace()), len(line))


def _steps(name: str) -> tuple[str, ...]:
    return (f"cat env/{module_name(name)}.env.example  # what to set in .env", "make test")
