"""Two commands as whole processes, in turn, and what the operating system says of each."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TIMED = Path(__file__).with_name("timed.py")


@dataclass(frozen=True)
class Taken:
    """What one run of a command took: seconds, and bytes at its peak."""

    wall: float
    cpu: float
    peak: int


@dataclass(frozen=True)
class Command:
    """A program with its arguments, and what it sees of the environment."""

    words: Sequence[str]
    environment: Mapping[str, str]

    def run(self) -> Taken:
        """Run it once, measured from its start to its end."""
        words = [sys.executable, "-I", "-S", str(TIMED), *self.words]
        done = subprocess.run(
            words, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        if done.returncode != 0:
            raise SystemExit(f"{self.words[0]} failed:\n{done.stderr}")
        return Taken(**json.loads(done.stdout))


def alternate(
    ours: Command,
    theirs: Command,
    runs: int,
    *,
    before_pair: Callable[[], None],
    before_run: Callable[[], None],
    after_pair: Callable[[], None],
) -> list[tuple[Taken, Taken]]:
    """So many pairs of runs, A B A B …, after a pair to warm up that does not count."""
    pairs = []
    for _ in range(1 + runs):
        before_pair()
        before_run()
        first = ours.run()
        before_run()
        pairs.append((first, theirs.run()))
        after_pair()
    return pairs[1:]
