"""Settings come from the environment, then from `.env` beside pyproject.toml."""

from telemetry.runtime.environment import Environment

DATABASE_URL = "TELEMETRY_DATABASE_URL"
DATABASE_PASSWORD = "TELEMETRY_DATABASE_PASSWORD"
LOG_FORMAT = "TELEMETRY_LOG_FORMAT"
LOG_LEVEL = "TELEMETRY_LOG_LEVEL"

environment = Environment.of(__file__)
