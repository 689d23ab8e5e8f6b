"""`python -m club` is the command line."""

from club.cli import main

main()
