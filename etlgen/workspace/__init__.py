"""Generated files against a folder on disk: what would change, and all of it or nothing."""
