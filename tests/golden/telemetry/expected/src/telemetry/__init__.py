"""The pipelines of telemetry."""
