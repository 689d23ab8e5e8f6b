"""The page on generated code works as it is written, and says all that there is to say.

Its upgrades are to versions that do not exist: this etlgen with another number, and with templates
that have a line more.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
import typer.main

from etlgen.cli import app
from etlgen.templates import templates_root
from etlgen.workspace.changes import Verb
from etlgen.workspace.writing.lock import locked
from tests.docs.markdown import DOCS, ROOT, Block, blocks, names, rows
from tests.docs.shell import Shell

PAGE = DOCS / "living-with-generated-code.md"
FIRST = "1.4.0"
ADDED: Mapping[str, tuple[str, ...]] = {
    FIRST: (),
    "1.5.0": ("project/README.md.jinja", "runtime/convert.py"),
    "1.6.0": ("project/README.md.jinja", "runtime/convert.py", "runtime/lease.py"),
}
START = """\
import signal, sys
from pathlib import Path
import etlgen
from etlgen import templates
etlgen.__version__ = {version!r}
templates.templates_root = lambda: Path({templates!r})
from etlgen.cli import main
{more}
sys.argv[0] = "etlgen"
main()
"""
KILLED = """\
from etlgen.workspace.writing import journal
journal._finish = lambda *_: signal.raise_signal(signal.SIGKILL)
"""
INSTALLS = re.compile(r"pip install 'etlgen==([\d.]+)'\n")
# A reader's git has a name, and nothing else that this machine's may have.
GIT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "init.defaultBranch",
    "GIT_CONFIG_VALUE_0": "main",
    "LC_ALL": "C.UTF-8",
    **{f"GIT_{who}_NAME": "Ada" for who in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{who}_EMAIL": "ada@example.org" for who in ("AUTHOR", "COMMITTER")},
}


class Reader:
    """Does what the page says, also what a shell alone cannot."""

    def __init__(self, folder: Path) -> None:
        self.shell = Shell(folder, "shop-etl")
        self.shell.environment |= GIT
        self._programs = folder / "bin"
        self._templates = folder / "templates"
        self.install(FIRST)

    def do(self, block: Block) -> None:
        """Beside what `Shell` knows: versions, an edit between markers, and two mishaps."""
        installed = INSTALLS.fullmatch(block.text)
        if installed:
            self.install(installed[1])
        elif "merged" in block.attributes:
            _merge_by_hand(self.shell.folder / block.attributes["merged"], block.text)
        else:
            if block.attributes.get("after") == "killed":
                self._kill_while_it_writes()
            with self._another() if "during" in block.attributes else nullcontext():
                self.shell.do(block)

    def install(self, version: str) -> None:
        self._version = version
        templates = self._templates / version
        if not templates.exists():
            shutil.copytree(templates_root(), templates)
            for name in ADDED[version]:
                with (templates / name).open("a") as file:
                    file.write("\n# Newer.\n")
        script = shlex.quote(self._start())
        python = shlex.quote(sys.executable)
        (self._programs / "etlgen").write_text(
            f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {python} -c {script} "$@"\n'
        )

    def _start(self, more: str = "") -> str:
        templates = str(self._templates / self._version)
        return START.format(version=self._version, templates=templates, more=more)

    def _kill_while_it_writes(self) -> None:
        spec = self.shell.folder / "sources" / "webshop.yaml"
        spec.write_text(spec.read_text().replace("numeric(12,2)", "numeric(14,2)"))
        done = subprocess.run(
            [sys.executable, "-c", self._start(KILLED), "generate"],
            cwd=self.shell.folder,
            env={**self.shell.environment, "PYTHONPATH": str(ROOT)},
        )
        assert done.returncode == -9

    @contextmanager
    def _another(self) -> Iterator[None]:
        with locked(self.shell.folder):
            yield


def _merge_by_hand(file: Path, text: str) -> None:
    marked = re.compile(r"^<{7} yours.*?^>{7} newly[^\n]*\n", re.MULTILINE | re.DOTALL)
    merged, count = marked.subn(lambda _: text, file.read_text())
    assert count == 1
    file.write_text(merged)


@pytest.mark.slow
def test_every_step_does_what_the_page_says(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    for block in blocks(PAGE):
        reader.do(block)


def test_nothing_but_installing_is_left_to_the_reader() -> None:
    left = [block.text for block in blocks(PAGE) if block.language == "sh"]
    assert left
    assert all(INSTALLS.fullmatch(text) for text in left)


def test_every_verb_is_listed() -> None:
    assert names(rows(PAGE, "## Editing generated code")) == [str(verb) for verb in Verb]


def test_the_exit_codes_of_check_are_listed() -> None:
    listed = [int(row[0]) for row in rows(PAGE, "## In CI")]
    every = [int(row[0]) for row in rows(DOCS / "spec.md", "## Errors and exit codes")]
    assert listed == [code for code in every if code not in (1, 2, 130)]


def test_every_command_for_a_project_is_shown() -> None:
    group: Any = typer.main.get_command(app)
    shown = PAGE.read_text(encoding="utf-8")
    assert [name for name in group.commands if f"etlgen {name}" not in shown] == ["demo"]
