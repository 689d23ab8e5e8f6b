"""The source office."""
