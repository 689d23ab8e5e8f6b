"""The tests that a generated project brings, run as its team would."""

import subprocess
import sys
from pathlib import Path


def require_green(project: Path, *options: str) -> None:
    """Run the project's own tests, in an environment with nothing of ours."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options],
        cwd=project,
        env={"PATH": "/usr/bin:/bin", "HOME": str(project.parent), "PYTHONPATH": "src"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
