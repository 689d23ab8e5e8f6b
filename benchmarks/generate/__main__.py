"""Measure etlgen's commands in projects of few and of many sources, beside other generators."""

import argparse
import platform
import shutil
import tempfile
from pathlib import Path

from benchmarks.generate import ours
from benchmarks.generate.measure import Timed
from benchmarks.generate.others import commands

TARGETS = {"--help": 0.15, "new": 1.0, "add-source": 0.5, "check": 0.3}


def main() -> None:
    """Measure one command after the other; print the table line by line."""
    options = _options()
    print(f"$ python -m benchmarks.generate --sources {options.sources} --runs {options.runs}")
    print(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    print(f"CPU seconds, user and system, children too: medians of {options.runs} runs.\n")
    with tempfile.TemporaryDirectory(prefix="etlgen-benchmark-") as folder:
        _ours(Path(folder), options.sources, options.runs)
        _others(Path(folder), options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.generate", description=__doc__)
    parser.add_argument("--sources", type=int, default=1000, help="of the large project (1000)")
    parser.add_argument("--runs", type=int, default=5, help="of each command (5)")
    for name in commands():
        parser.add_argument(f"--{name}", metavar="PATH", help=f"the program; default: {name}")
    options = parser.parse_args()
    if options.sources < 1 or options.runs < 1:
        parser.error("--sources and --runs are at least 1")
    return options


def _ours(folder: Path, sources: int, runs: int) -> None:
    many, seconds, black = ours.new_project(folder / "many", sources)
    one, *_ = ours.new_project(folder / "one", 1)
    _print_line("etlgen", "1 source", f"{sources:,}", "ratio", "target")
    for name, command in {
        "--help": ours.help_command(folder),
        "new": ours.new_command(folder),
    }.items():
        _print_line(name, f"{command.median(runs):.3f}", "", "", f"< {TARGETS[name]}")
    for name, make in {
        "add-source": ours.add_command,
        "check": ours.check_command,
        "generate": ours.generate_command,
    }.items():
        few, lots = (make(root).median(runs) for root in (one, many))
        target = f"< {TARGETS[name]}" if name in TARGETS else ""
        _print_line(name, f"{few:.3f}", f"{lots:.3f}", f"{lots / few:.2f}", target)
    _print_line("new, once", "", f"{seconds:.1f}", "", "")
    _print_line("  of that Black", "", f"{black:.1f}", "", "")
    print()


def _others(folder: Path, options: argparse.Namespace) -> None:
    for name, make in commands().items():
        program = shutil.which(getattr(options, name) or name)
        if program is None:
            _print_line(name, "not installed", "", "", "")
            continue
        place = folder / name
        place.mkdir()
        command: Timed = make(str(Path(program).absolute()), place, folder / "one" / "1")
        _print_line(name, f"{command.median(options.runs):.3f}", "", "", "")


def _print_line(what: str, *cells: str) -> None:
    print(f"{what:<18}" + "".join(f"{cell:>14}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
