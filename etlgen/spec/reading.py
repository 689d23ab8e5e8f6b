"""From the text of a spec to a `Spec`, or to everything that is wrong with it at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from etlgen.errors import Finding, MissingAnswers, SpecError
from etlgen.names import PROJECT_FILE, BadName, did_you_mean, shown, source_name
from etlgen.spec.column import ColumnSpec
from etlgen.spec.document import Document, parse_document, unsafe_texts
from etlgen.spec.expansion import Expansion
from etlgen.spec.explain import MISSING, explain
from etlgen.spec.files import SOURCES_FOLDER, found_texts
from etlgen.spec.models import ProjectSpec, ResourceSpec, SourceSpec, Spec
from etlgen.spec.named import with_name
from etlgen.spec.ordering import circle_problems
from etlgen.spec.problem import Path, Problem
from etlgen.spec.skeleton import skeleton

_M = TypeVar("_M", bound=BaseModel)


class KindOfSource(Protocol):
    """What reading needs to know of a kind."""

    @property
    def source_model(self) -> type[SourceSpec]: ...

    @property
    def resource_model(self) -> type[ResourceSpec]: ...


Kinds = Mapping[str, KindOfSource]


@dataclass(frozen=True)
class _Part:
    """A model's raw value, and where it stands: one file holds many parts, or each its own."""

    document: Document
    within: Path
    raw: Any
    source: Path = ()  # the one that `expansion` is of
    expansion: Expansion | None = None

    def finding(self, problem: Problem) -> Finding:
        if self.expansion is None:
            return self.document.finding(problem, self.within)
        below = (*self.within[len(self.source) :], *problem.path)
        placed = self.expansion.placed(replace(problem, path=below))
        return self.document.finding(placed, self.source)

    def expanded(self, expansion: Expansion) -> _Part:
        return replace(self, raw=expansion.raw, source=self.within, expansion=expansion)

    def at(self, *path: str | int) -> _Part:
        raw = self.raw
        for step in path:
            raw = raw[step]
        return replace(self, within=(*self.within, *path), raw=raw)


def read_project_file(text: str, name: str, kinds: Kinds) -> Spec:
    """The one-file form: a project with its `sources:` inline."""
    document = parse_document(text, name)
    whole = _Part(document, (), {} if document.tree is None else document.tree)
    if not isinstance(whole.raw, dict):
        raise SpecError(whole.finding(Problem((), "type", "a spec is a mapping, such as name: …")))
    sources = whole.raw.get("sources")
    if sources is not None and not isinstance(sources, dict):
        message = "sources is a mapping of names to sources"
        raise SpecError(whole.finding(Problem(("sources",), "type", message)))
    project = {key: value for key, value in whole.raw.items() if key != "sources"}
    reader = _Reader(kinds)
    if not sources:
        reader.add(whole.finding(Problem(("sources",), MISSING, "missing 'sources'")))
        reader.missing.append(("sources",))
    parts = {source: whole.at("sources", source) for source in sources or {}}
    return reader.read(_Part(document, (), project), parts)


def read_project(
    root: FilePath,
    kinds: Kinds,
    sources: Iterable[str] | None = None,
    texts: Mapping[str, str] | None = None,
) -> Spec:
    """A generated project, or only the named sources of it: then nothing is said of the others.

    `texts` stand for files as they are about to be: `{"sources/crm.yaml": …}`.
    """
    return _read(*found_texts(root, sources, texts), kinds)


def read_texts(texts: Mapping[str, str], kinds: Kinds) -> Spec:
    """A project by the names and texts of its files, as `project_texts` gives them."""
    return _read(texts, [], kinds)


def _read(texts: Mapping[str, str], broken: list[Finding], kinds: Kinds) -> Spec:
    documents: dict[str, Document] = {}
    for name, text in texts.items():
        try:
            documents[name] = parse_document(text, name)
        except SpecError as error:
            broken.extend(error.findings)
    if broken:
        raise SpecError(broken)
    parts = {
        name: _Part(document, (), {} if document.tree is None else document.tree)
        for name, document in documents.items()
    }
    project = parts.pop(PROJECT_FILE)
    return _Reader(kinds).read(project, {FilePath(name).stem: part for name, part in parts.items()})


class _Reader:
    """Reads the parts and collects what is wrong with any of them."""

    def __init__(self, kinds: Kinds) -> None:
        self._kinds = kinds
        self._findings: dict[Finding, None] = {}  # each once, and found at once
        self.missing: list[Path] = []

    def add(self, finding: Finding) -> None:
        self._findings.setdefault(finding)

    def read(self, project_part: _Part, source_parts: Mapping[str, _Part]) -> Spec:
        documents = [project_part.document, *(part.document for part in source_parts.values())]
        for document in {id(document): document for document in documents}.values():
            for finding in unsafe_texts(document):
                self.add(finding)
        project = self._model(ProjectSpec, project_part)
        source_parts = {name: self._expanded(part) for name, part in source_parts.items()}
        sources = [self._source(name, part) for name, part in source_parts.items()]
        found = [source for source in sources if source is not None]
        self._table_problems(source_parts)
        if not self._findings:
            for name, problem in circle_problems(found):
                self.add(source_parts[name].finding(problem))
        if self._findings:
            raise self._error({name: part.raw for name, part in source_parts.items()})
        assert project is not None
        files = {name: part.document.name for name, part in source_parts.items()}
        return Spec(project, tuple(sorted(found, key=lambda source: source.name)), files)

    def _error(self, sources: Mapping[str, Any]) -> SpecError:
        findings = sorted(
            self._findings, key=lambda found: (found.file or "", found.line or 0, found.column or 0)
        )
        if all(finding.code == MISSING for finding in findings):
            raw = {"sources": sources}
            return MissingAnswers(findings, skeleton(self.missing, raw, self._kinds))
        return SpecError(findings)

    def _expanded(self, part: _Part) -> _Part:
        """The source with all of its resources, also those that it says in short."""
        kind = part.raw.get("kind") if isinstance(part.raw, dict) else None
        if not isinstance(kind, str) or kind not in self._kinds:
            return part
        expansion = self._kinds[kind].source_model.expanded(part.raw)
        self._report(part, iter(expansion.problems))
        return part.expanded(expansion)

    def _source(self, name: str, part: _Part) -> SourceSpec | None:
        if part.expansion is not None and not part.expansion.is_whole:
            return None
        if not isinstance(part.raw, dict):
            if part.raw is not None:
                self.add(part.finding(Problem((), "type", "a source is a mapping, kind: … first")))
                return None
            part = _Part(part.document, part.within, {})
        kind = part.raw.get("kind")
        if kind is None:
            self._report_missing(part, ("kind",))
            self._name_problem(name, part)
            return None
        if not isinstance(kind, str) or kind not in self._kinds:
            hint = did_you_mean(str(kind), [*self._kinds]) or f"kinds: {', '.join(self._kinds)}"
            message = f"{shown(str(kind))} is not a kind of source"
            self.add(part.finding(Problem(("kind",), "kind", message, hint)))
            self._name_problem(name, part)
            return None
        found = self._kinds[kind]
        source = self._model(found.source_model, part, name)
        if source is not None:
            self._report(part, source.problems())
        resources = part.raw.get("resources")
        for resource in resources if isinstance(resources, dict) else ():
            self._resource_problems(found.resource_model, part.at("resources", resource))
        return source

    def _name_problem(self, name: str, part: _Part) -> None:
        try:
            source_name(name)
        except BadName as bad:
            self.add(part.finding(Problem((), "name", bad.message, bad.hint, at_key=True)))

    def _resource_problems(self, model: type[ResourceSpec], part: _Part) -> None:
        """Cross-checks of all that is right by itself, also where its neighbours are not."""
        resource, unsure = _as_far_as_right(model, part)
        raw_columns = part.raw.get("columns") if isinstance(part.raw, dict) else None
        for name in raw_columns if isinstance(raw_columns, dict) else ():
            column_part = part.at("columns", name)
            column = _valid(ColumnSpec, column_part)
            if column is not None:
                self._report(column_part, column.problems())
        if resource is not None:
            problems = resource.problems()
            self._report(part, (found for found in problems if found.path[0] not in unsure))

    def _table_problems(self, source_parts: Mapping[str, _Part]) -> None:
        owners: dict[str, tuple[str, Path]] = {}
        for source, part in source_parts.items():
            resources = part.raw.get("resources") if isinstance(part.raw, dict) else None
            for name, raw in resources.items() if isinstance(resources, dict) else ():
                for path, table in _raw_tables(name, raw):
                    place = f"{source}.{name}"
                    owner, other = owners.setdefault(table, (place, path))
                    if (owner, other) != (place, path):
                        message = f"{owner} already loads the table {shown(table)}"
                        hint = "give one of them another 'table:'"
                        path = ("resources", name, *path)
                        self.add(part.finding(Problem(path, "duplicate", message, hint)))

    def _model(self, model: type[_M], part: _Part, name: str | None = None) -> _M | None:
        raw = part.raw if name is None else with_name(name, part.raw)
        try:
            return model.model_validate(raw)
        except ValidationError as error:
            for problem in explain(error, model):
                if problem.code == MISSING:
                    self._report_missing(part, problem.path)
                else:
                    self.add(part.finding(problem))
            return None

    def _report(self, part: _Part, problems: Iterator[Problem]) -> None:
        for problem in problems:
            self.add(part.finding(problem))

    def _report_missing(self, part: _Part, path: Path) -> None:
        self.add(part.finding(Problem(path, MISSING, f"missing {str(path[-1])!r}")))
        within = part.within
        if not within and part.document.name.startswith(f"{SOURCES_FOLDER}/"):
            within = ("sources", FilePath(part.document.name).stem)
        self.missing.append((*within, *path))


def _raw_tables(name: object, raw: object) -> Iterator[tuple[Path, str]]:
    """The tables that a resource loads, also one that is not right yet, and where it says so."""
    if not isinstance(raw, dict):
        return
    table = raw.get("table", name)
    if not isinstance(table, str):
        return
    yield ("table",), table
    columns = raw.get("columns")
    for column, said in columns.items() if isinstance(columns, dict) else ():
        explode = said.get("explode") if isinstance(said, dict) else None
        if isinstance(explode, dict):
            child = explode.get("table", f"{table}_{column}")
            if isinstance(child, str):
                yield ("columns", column, "explode", "table"), child


def _valid(model: type[_M], part: _Part) -> _M | None:
    try:
        return model.model_validate(with_name(part.within[-1], part.raw))
    except ValidationError:
        return None


def _as_far_as_right(
    model: type[ResourceSpec], part: _Part
) -> tuple[ResourceSpec | None, set[str | int]]:
    """The resource without what is wrong in it, and the keys of which nothing more can be said."""
    raw = with_name(part.within[-1], part.raw)
    try:
        return model.model_validate(raw), set()
    except ValidationError as error:
        paths = [details["loc"] for details in error.errors(include_url=False)]
    if not isinstance(raw, dict) or not isinstance(raw.get("columns"), dict):
        return None, set()
    wrong = {path[0] for path in paths if path[0] != "columns"}
    wrong_columns = {path[1] for path in paths if len(path) > 1 and path[0] == "columns"}
    columns = {
        name: {"type": "bigint"} if name in wrong_columns else column
        for name, column in raw["columns"].items()
    }
    rest = {key: value for key, value in raw.items() if key not in wrong}
    unsure = wrong | {"write_disposition"} if "primary_key" in wrong else wrong
    try:
        return model.model_validate({**rest, "columns": columns}), unsure
    except ValidationError:
        return None, set()
