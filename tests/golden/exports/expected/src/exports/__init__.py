"""The pipelines of exports."""
