"""`python -m crm_etl` is the command line."""

from crm_etl.cli import main

main()
