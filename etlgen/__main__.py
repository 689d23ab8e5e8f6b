"""`python -m etlgen`."""

from etlgen.cli import main

main()
