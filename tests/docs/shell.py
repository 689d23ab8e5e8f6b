"""Does what a page tells its reader to do: writes the files, changes them, types the commands."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

from tests.docs.markdown import ROOT, Block
from tests.docs.transcript import lines, matches

SECONDS = 300
# What only root gets to see.
OF_ROOT = ("PostgreSQL does not run as root", "chmod ")


class Shell:
    """A folder, the commands that a reader has by then, and the exit code of the last one."""

    def __init__(self, folder: Path, project: str = "") -> None:
        """`project` is the one that the page makes: its command is there as if installed."""
        self.folder = folder / "home"
        self.folder.mkdir()
        self.exit_code = 0
        programs = folder / "bin"
        programs.mkdir()
        package = project.replace("-", "_")
        source = self.folder / project / "src"
        start = f"import sys; sys.argv[0] = {project!r}; from {package}.cli import main; main()"
        temporary = f"--basetemp={folder / 'pytest'}"
        _program(programs / "etlgen", ROOT, "-m", "etlgen")
        _program(programs / "pytest", source, "-m", "pytest", "-p", "no:cacheprovider", temporary)
        if project:
            _program(programs / project, source, "-c", start)
        foreign = ("ETLGEN_", "PYTEST_", "PYTHON", package.upper() or "ETLGEN_")
        kept = {name: text for name, text in os.environ.items() if not name.startswith(foreign)}
        self.environment = {
            **kept,
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONUNBUFFERED": "1",
            # Pages leave log lines out, and say so.
            f"{package.upper() or 'ETLGEN'}_LOG_LEVEL": "WARNING",
        }

    def do(self, block: Block) -> None:
        """Whatever the block asks for; one that nothing is known of is for reading only."""
        where = f"line {block.line}"
        if block.language == "console":
            self._type(block, where)
        elif "title" in block.attributes:
            name = block.attributes["title"]
            assert f"`{name}`" in block.before, f"{where}: the text above does not name {name}"
            self._write(block, self.folder / name, where)
        elif "excerpt" in block.attributes:
            file = self.folder / block.attributes["excerpt"]
            shown = ["…", *lines(block.text), "…"]
            assert matches(shown, lines(file.read_text())), f"{where}: {file.name} differs"

    def _write(self, block: Block, file: Path, where: str) -> None:
        if block.language != "diff":
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text, encoding="utf-8")
            return
        old = "".join(f"{line[1:]}\n" for line in block.text.splitlines() if line[:1] != "+")
        new = "".join(f"{line[1:]}\n" for line in block.text.splitlines() if line[:1] != "-")
        text = file.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{where}: {file.name} does not have these lines once\n{old}"
        file.write_text(text.replace(old, new), encoding="utf-8")

    def _type(self, block: Block, where: str) -> None:
        typed = block.text.splitlines()
        starts = [index for index, line in enumerate(typed) if line.startswith("$ ")]
        assert starts[:1] == [0], f"{where}: a console block begins with a command"
        for start, end in zip(starts, [*starts[1:], len(typed)], strict=True):
            command, shown = typed[start][2:], lines("\n".join(typed[start + 1 : end]))
            printed = self.run(command)
            told = f"{where}: $ {command}\n{chr(10).join(printed)}"
            assert matches(shown, printed), f"{told}\n\nwhich is not\n\n{chr(10).join(shown)}"
            asked = end < len(typed) and typed[end] == "$ echo $?"
            assert self.exit_code == 0 or asked, f"{told}\n\nexit code {self.exit_code}"

    def run(self, command: str) -> list[str]:
        """The lines that a command prints, errors too."""
        if command.startswith("cd "):
            self.folder = (self.folder / command[3:]).resolve(strict=True)
            return []
        done = subprocess.run(
            ["sh", "-c", f"(exit {self.exit_code}); {command}"],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
        )
        self.exit_code = done.returncode
        return [line for line in lines(done.stdout) if not line.startswith(OF_ROOT)]


def _program(file: Path, modules: Path, *arguments: str) -> None:
    words = shlex.join([sys.executable, *arguments])
    modules_path = shlex.quote(str(modules))
    file.write_text(f'#!/bin/sh\nPYTHONPATH={modules_path} exec {words} "$@"\n')
    file.chmod(0o755)
