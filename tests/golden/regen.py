"""`make regen`: write the expected projects anew. Read the diff before you commit it."""

import shutil
import tempfile
from pathlib import Path

from tests.golden.cases import CASES, FOLDER, generate


def main() -> None:
    for case in CASES:
        target = FOLDER / case / "expected"
        with tempfile.TemporaryDirectory() as folder:
            files = generate(case, Path(folder) / "project")
        shutil.rmtree(target, ignore_errors=True)
        for name, text in files.items():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_bytes(text.encode())
        print(f"{case}: {len(files)} files")


if __name__ == "__main__":
    main()
