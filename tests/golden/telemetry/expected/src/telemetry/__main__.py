"""`python -m telemetry` is the command line."""

from telemetry.cli import main

main()
