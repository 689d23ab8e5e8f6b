"""CPU seconds of a command: its own and those of what it starts."""

import os
import resource
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Timed:
    """A command that can be run again; `before` and `after` each run something is put right."""

    words: Sequence[str]
    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[], None] = _nothing
    after: Callable[[], None] = _nothing

    def median(self, runs: int) -> float:
        """Of so many runs, after one to warm up that does not count."""
        return median([self._once() for _ in range(1 + runs)][1:])

    def _once(self) -> float:
        self.before()
        seconds = cpu(self.words, self.folder, self.settings)[0]
        self.after()
        return seconds


def cpu(
    words: Sequence[str], folder: Path, settings: Mapping[str, str] | None = None
) -> tuple[float, str]:
    """User and system time of one run, and what it said."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        words,
        cwd=folder,
        env={**os.environ, **(settings or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(words)} failed:\n{done.stdout}{done.stderr}"[:4000])
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, done.stdout
