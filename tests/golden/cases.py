"""The cases, and the part of a generated project that they keep."""

from pathlib import Path

from etlgen.usecases.new import Request, create

FOLDER = Path(__file__).parent
CASES = sorted(path.parent.name for path in FOLDER.glob("*/spec.yaml"))


def generate(case: str, target: Path) -> dict[str, str]:
    """The text of every file that is the project's own: no copied runtime, no memory of etlgen."""
    create(Request(FOLDER / case / "spec.yaml", target=target), lambda _: True)
    return texts(target)


def expected(case: str) -> dict[str, str]:
    return texts(FOLDER / case / "expected")


def texts(root: Path) -> dict[str, str]:
    paths = sorted(path for path in root.rglob("*") if path.is_file())
    files = {path.relative_to(root).as_posix(): path for path in paths}
    return {
        name: path.read_bytes().decode()
        for name, path in files.items()
        if "/runtime/" not in name and not name.startswith(".etlgen/") and "__pycache__" not in name
    }
