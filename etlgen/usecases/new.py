"""`etlgen new`: a spec becomes a project, in a folder of its own."""

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from etlgen.errors import Finding, MissingAnswers, UsageError
from etlgen.generation import wanted_units
from etlgen.kinds import Kind, load_kinds
from etlgen.names import BadName, project_name
from etlgen.outcome import Outcome
from etlgen.rendered import RUNTIME_UNIT
from etlgen.spec.edit import with_scalar
from etlgen.spec.models import Spec
from etlgen.spec.reading import read_project_file
from etlgen.spec.split import split
from etlgen.spec.text import decode
from etlgen.usecases.schema import schema_files
from etlgen.usecases.settling import Confirm, own_file, with_own
from etlgen.workspace.changes import ChangeSet
from etlgen.workspace.compare import compare
from etlgen.workspace.state import State, housekeeping
from etlgen.workspace.writing.create import apply_new, require_vacant


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for. Without `target` the folder is the project's name, in `base`."""

    spec: Path | None
    base: Path = Path()
    target: Path | None = None
    name: str | None = None
    dry_run: bool = False


def create(request: Request, confirm: Confirm) -> Outcome:
    """Write the project that the spec describes; all of it or nothing."""
    kinds = load_kinds()
    text, name = _spec_text(request)
    try:
        spec = read_project_file(text, name, kinds)
    except MissingAnswers as missing:
        raise missing if request.spec else _without_a_file(missing) from None
    shown = request.target or request.base / spec.project.name
    root = Path(os.path.abspath(shown))  # not resolve(): a link is to be refused, not followed
    require_vacant(root)
    changes = _changes(spec, split(text, name), kinds, root)
    written = not request.dry_run and confirm(changes)
    if written:
        apply_new(changes, root)
    steps = (f"cd {shlex.quote(str(shown))}", "make test")
    return Outcome(shown, changes, written, steps=steps)


def _changes(
    spec: Spec, files: Mapping[str, str], kinds: Mapping[str, Kind], root: Path
) -> ChangeSet:
    """All units of the spec, its files, and the state, where there is nothing yet."""
    nothing = State(root, {}, {})
    texts = {path.removesuffix(".yaml"): text for path, text in files.items()}
    wanted = wanted_units(spec, texts, kinds, nothing, {RUNTIME_UNIT, *texts})
    changes = compare(nothing, wanted)
    own = [change for path, text in files.items() for change in own_file(root, path, text)]
    state = {**changes.state, **housekeeping(), **schema_files(kinds)}
    return replace(with_own(changes, own), state=dict(sorted(state.items())))


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
    """The spec with another project name."""
    try:
        project_name(name)
    except BadName as bad:
        raise UsageError(Finding("--name", None, None, "name", bad.message, bad.hint)) from bad
    return with_scalar(text, file, "name", name)
