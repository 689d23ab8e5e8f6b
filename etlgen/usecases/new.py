"""`etlgen new`: a spec becomes a project, in a folder of its own."""

import os
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from etlgen.errors import Finding, MissingAnswers, UsageError
from etlgen.kinds import load_kinds
from etlgen.names import BadName, project_name
from etlgen.plan import ProjectPlan, plan_project
from etlgen.render.project import kind_unit, render_project
from etlgen.spec.document import decode, parse_document
from etlgen.spec.reading import PROJECT_FILE, read_project_file
from etlgen.spec.split import split
from etlgen.style import styled
from etlgen.usecases.schema import schema_files
from etlgen.workspace.apply import apply_new, require_vacant
from etlgen.workspace.compare import ChangeSet, compare
from etlgen.workspace.state import state_files


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for. Without `target` the folder is the project's name, in `base`."""

    spec: Path | None
    base: Path = Path()
    target: Path | None = None
    name: str | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Created:
    """What `new` did, or with a dry run would do."""

    root: Path
    changes: ChangeSet
    written: bool
    steps: tuple[str, ...]


def create(request: Request, confirm: Callable[[ChangeSet], bool]) -> Created:
    """Write the project that the spec describes; all of it or nothing."""
    kinds = load_kinds()
    text, name = _spec_text(request)
    try:
        spec = read_project_file(text, name, kinds)
    except MissingAnswers as missing:
        raise missing if request.spec else _without_a_file(missing) from None
    texts = split(text, name)
    plan = plan_project(spec, kinds, texts)
    shown = request.target or request.base / spec.project.name
    root = Path(os.path.abspath(shown))  # not resolve(): a link is to be refused, not followed
    require_vacant(root)
    files = styled(render_project(plan), package=plan.package)
    changes = compare(files, root)
    written = not request.dry_run and confirm(changes)
    if written:
        apply_new(changes, state_files(files, _inputs(texts, plan)) | schema_files(kinds), root)
    return Created(shown, changes, written, (f"cd {shlex.quote(str(shown))}", "make test"))


def _spec_text(request: Request) -> tuple[str, str]:
    """The text of the spec and what errors call it; all is missing where none is given."""
    text, file = "", "--spec"
    if request.spec is not None:
        file = str(request.spec)
        try:
            text = decode(request.spec.read_bytes(), file)
        except OSError as error:
            message = f"cannot be read: {error.strerror or error}"
            raise UsageError(Finding(file, None, None, "no-file", message, "see --spec")) from error
    return (text if request.name is None else _renamed(text, file, request.name)), file


def _without_a_file(missing: MissingAnswers) -> MissingAnswers:
    """What is missing, where no file was given that it could be missing in."""
    hint = "fill in the skeleton, save it, and give it with --spec FILE"
    found = (replace(finding, file=None, line=None, column=None) for finding in missing.findings)
    return MissingAnswers([replace(finding, hint=hint) for finding in found], missing.skeleton)


def _renamed(text: str, file: str, name: str) -> str:
    """The spec with another project name, every other line where it was."""
    try:
        project_name(name)
    except BadName as bad:
        raise UsageError(Finding("--name", None, None, "name", bad.message, bad.hint)) from bad
    spec = parse_document(text, file)
    span = spec.spans.get(("name",))
    if span is None:
        return "\n".join([*spec.lines, f"name: {name}\n"])
    start, end = span.start, span.end
    before = "\n".join([*spec.lines[: start.line], spec.lines[start.line][: start.column]])
    after = "\n".join([spec.lines[end.line][end.column :], *spec.lines[end.line + 1 :]])
    return f"{before.rstrip(' ')} {name}{after}"


def _inputs(texts: Mapping[str, str], plan: ProjectPlan) -> dict[str, str]:
    """What each unit is generated from: its spec file, and for a source also the project's."""
    project = texts[PROJECT_FILE]
    kinds = {kind_unit(source.kind): source.kind for source in plan.sources}
    return kinds | {
        str(PurePosixPath(path).with_suffix("")): text if path == PROJECT_FILE else project + text
        for path, text in texts.items()
    }
