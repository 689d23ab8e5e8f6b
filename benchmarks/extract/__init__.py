"""Rows of a database brought into PostgreSQL: a generated project beside what others would use."""
