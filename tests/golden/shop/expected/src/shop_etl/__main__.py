"""`python -m shop_etl` is the command line."""

from shop_etl.cli import main

main()
