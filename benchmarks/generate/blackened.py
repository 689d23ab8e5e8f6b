"""Run an etlgen command and print last how many CPU seconds of it were spent in Black."""

import sys
import time
from typing import Any

import black

from etlgen.cli import run

_format, _spent = black.format_str, 0.0


def _timed(*arguments: Any, **options: Any) -> str:
    global _spent
    started = time.process_time()
    try:
        return _format(*arguments, **options)
    finally:
        _spent += time.process_time() - started


black.format_str = _timed
code = run(sys.argv[1:])
print(_spent)
sys.exit(code)
