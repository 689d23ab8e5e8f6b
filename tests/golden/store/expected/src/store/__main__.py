"""`python -m store` is the command line."""

from store.cli import main

main()
