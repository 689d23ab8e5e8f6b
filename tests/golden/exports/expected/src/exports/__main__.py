"""`python -m exports` is the command line."""

from exports.cli import main

main()
