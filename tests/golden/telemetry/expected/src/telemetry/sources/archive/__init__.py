"""The source archive."""
