"""The spec: YAML with positions, models, cross-checks, JSON Schema."""
