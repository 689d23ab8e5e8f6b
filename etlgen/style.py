"""Generated text as a careful engineer would leave it: tidy imports, Black, no finding.

Ruff goes over all files at once in a temporary folder, Black is a library in this process. A
finding that is left is a fault of a template, never of the user.
"""

import ast
import json
import subprocess
import tempfile
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from etlgen.errors import Finding, InternalError
from etlgen.rendered import RenderedFile, sha256

LINE_LENGTH = 88
TARGET = "py311"
# None of these can be set off by a value of a spec, such as a long or an unusual string.
RULES = ("E4", "E7", "E9", "F", "I", "B", "UP", "PLE")


def styled(
    files: Sequence[RenderedFile], *, package: str, known: Mapping[str, str] | None = None
) -> list[RenderedFile]:
    """The files with their final text; `package` is the generated project's own.

    `known` are texts that this Black made before, by the hash of what it made them of.
    """
    tidy = [file if file.verbatim else replace(file, text=normalised(file.text)) for file in files]
    sources = {file.path: file for file in tidy if _is_python(file)}
    for file in sources.values():
        _require_python(file)
    with tempfile.TemporaryDirectory(prefix="etlgen-") as folder:
        ruff = _Ruff(Path(folder), package)
        ruff.write((file.path, file.text) for file in sources.values())
        ruff.sort_imports()
        pruned = {path: replace(file, text=ruff.read(path)) for path, file in sources.items()}
        done = {path: _blackened(file, known or {}) for path, file in pruned.items()}
        ruff.write((file.path, file.text) for file in done.values())
        _require_clean(ruff.findings(), done)
    return [done.get(file.path, file) for file in tidy]


def normalised(text: str) -> str:
    """LF, no trailing blanks, one final newline; an empty file stays empty."""
    lines = [line.rstrip(" \t") for line in text.replace("\r\n", "\n").split("\n")]
    body = "\n".join(lines).strip("\n")
    return f"{body}\n" if body else ""


def _is_python(file: RenderedFile) -> bool:
    return file.path.endswith(".py") and not file.verbatim


def _require_python(file: RenderedFile) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            compile(file.text, file.path, "exec", flags=ast.PyCF_ONLY_AST, dont_inherit=True)
    except SyntaxError as error:
        finding = _finding(file, error.lineno, error.offset, "not-python", error.msg)
        raise InternalError(finding) from error


def _blackened(file: RenderedFile, known: Mapping[str, str]) -> RenderedFile:
    unstyled = sha256(file.text)
    text = known.get(unstyled)
    done = replace(file, text=text or _black(file.text), unstyled_sha256=unstyled)
    _require_python(done)
    return done


def _black(text: str) -> str:
    from black import format_str
    from black.mode import Mode, TargetVersion

    mode = Mode(target_versions={TargetVersion.PY311}, line_length=LINE_LENGTH)
    return format_str(text, mode=mode)


def _require_clean(found: Iterable[dict[str, Any]], files: dict[str, RenderedFile]) -> None:
    findings = []
    for item in found:
        file = files[item["filename"]]
        place = item["location"]
        code = item["code"] or "syntax"
        findings.append(_finding(file, place["row"], place["column"], code, item["message"]))
    if findings:
        raise InternalError(findings)


def _finding(
    file: RenderedFile, line: int | None, column: int | None, code: str, message: str
) -> Finding:
    lines = file.text.splitlines()
    source = lines[line - 1] if line and line <= len(lines) else None
    hint = f"a fault of the template {file.template}"
    return Finding(file.path, line, column, code, f"{message} ({code})", hint, source)


class _Ruff:
    """Ruff over a folder of its own, deaf to any configuration around it."""

    def __init__(self, folder: Path, package: str) -> None:
        self._folder = folder
        self._settings = [
            "exclude=[]",  # a source may be called `build`
            "src=[]",
            f"line-length={LINE_LENGTH}",
            f"lint.isort.known-first-party={json.dumps([package])}",
            "lint.isort.split-on-trailing-comma=false",
        ]

    def write(self, texts: Iterable[tuple[str, str]]) -> None:
        for path, text in texts:
            target = self._folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8", newline="\n")

    def read(self, path: str) -> str:
        return (self._folder / path).read_bytes().decode("utf-8")

    def sort_imports(self) -> None:
        self._check("--select=F401,I", "--fix-only")

    def findings(self) -> list[dict[str, Any]]:
        report = self._check(f"--select={','.join(RULES)}", "--output-format=json")
        found: list[dict[str, Any]] = json.loads(report)
        folder = self._folder.resolve()
        for item in found:
            item["filename"] = Path(item["filename"]).resolve().relative_to(folder).as_posix()
        return sorted(found, key=lambda item: (item["filename"], item["location"]["row"]))

    def _check(self, *options: str) -> str:
        from ruff import find_ruff_bin  # type: ignore[import-untyped]

        command = [find_ruff_bin(), "check", "--isolated", "--no-cache", "--exit-zero", "--quiet"]
        command += ["--no-respect-gitignore", f"--target-version={TARGET}"]
        for setting in self._settings:
            command += ["--config", setting]
        done = subprocess.run(
            [*command, *options, "."],
            cwd=self._folder,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        if done.returncode:
            raise InternalError(Finding(None, None, None, "ruff", done.stderr.strip()))
        return done.stdout
