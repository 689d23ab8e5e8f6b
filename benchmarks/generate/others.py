"""Other generators, where they are installed: each makes a project from a template on this disk."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from benchmarks.generate.measure import Timed

PACKAGE = "many_etl"
TOLD_APART = ("{{", "{%", "{#")
# Nobody is told of these runs, and nothing is kept of them.
QUIET = {"DO_NOT_TRACK": "1", "KEDRO_DISABLE_TELEMETRY": "1", "RUNTIME__DLTHUB_TELEMETRY": "false"}


def commands() -> dict[str, Callable[[str, Path, Path], Timed]]:
    """How each is run: with its program, a folder for what it needs, and a project of ours.

    Copier and Cookiecutter get that project as their template, with its package's name as a
    variable. Kedro and dlt bring templates of their own.
    """
    return {"copier": _copier, "cookiecutter": _cookiecutter, "kedro": _kedro, "dlt": _dlt}


def _copier(program: str, folder: Path, project: Path) -> Timed:
    template = folder / "template"
    _template(project, template, "{{ package }}", ".jinja")
    (template / "copier.yml").write_text("package: {type: str, default: many_etl}\n")
    words = (program, "copy", "--defaults", "--quiet", str(template), "made")
    return _timed(words, folder)


def _cookiecutter(program: str, folder: Path, project: Path) -> Timed:
    template, name = folder / "template", "{{ cookiecutter.package }}"
    raw = _template(project, template / name, name, "")
    context = {"package": "made", "_copy_without_render": raw}
    (template / "cookiecutter.json").write_text(json.dumps(context))
    return _timed((program, "--no-input", str(template)), folder)


def _kedro(program: str, folder: Path, project: Path) -> Timed:
    answers = ("--name", "made", "--tools", "none", "--example", "n", "--telemetry", "no")
    return _timed((program, "new", *answers), folder)


def _dlt(program: str, folder: Path, project: Path) -> Timed:
    words = (program, "--non-interactive", "init", "filesystem", "postgres", "--location", ".")
    made = folder / "made"
    return Timed(words, made, _settings(folder), before=made.mkdir, after=lambda: _gone(made))


def _timed(words: tuple[str, ...], folder: Path) -> Timed:
    return Timed(words, folder, _settings(folder), after=lambda: _gone(folder / "made"))


def _settings(folder: Path) -> dict[str, str]:
    return {**QUIET, "HOME": str(folder), "DLT_DATA_DIR": str(folder / "dlt")}


def _gone(made: Path) -> None:
    shutil.rmtree(made)


def _template(project: Path, template: Path, variable: str, suffix: str) -> list[str]:
    """The project as a template; gives the files that are copied as they are.

    That is all that has the signs of a template in its text.
    """
    raw: list[str] = []
    for file in sorted(project.rglob("*")):
        inside = file.relative_to(project).as_posix()
        if not file.is_file() or inside.startswith(".etlgen/"):
            continue
        text, target = file.read_text(), inside.replace(PACKAGE, variable)
        if PACKAGE in text and not any(sign in text for sign in TOLD_APART):
            text, target = text.replace(PACKAGE, variable), f"{target}{suffix}"
        else:
            raw.append(inside.replace(PACKAGE, "*"))
        (template / target).parent.mkdir(parents=True, exist_ok=True)
        (template / target).write_text(text)
    return raw
