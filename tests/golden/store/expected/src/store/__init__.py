"""The pipelines of store."""
