"""etlgen writes the ETL project that a careful data engineer would have written by hand."""

__version__ = "0.2.0"
