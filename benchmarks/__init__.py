"""How fast a generated project loads a large file, beside psql's `\\copy` of the same file."""
