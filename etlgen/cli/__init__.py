"""The command line: options to a use case, its result to the screen, errors to exit codes.

Nothing heavy is imported before a command needs it, so that `etlgen --help` is quick.
"""

from etlgen.cli.run import app, main, run

__all__ = ["app", "main", "run"]
