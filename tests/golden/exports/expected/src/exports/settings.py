"""Settings come from the environment, then from `.env` beside pyproject.toml."""

from exports.runtime.environment import Environment

DATABASE_URL = "EXPORTS_DATABASE_URL"
DATABASE_PASSWORD = "EXPORTS_DATABASE_PASSWORD"
LOG_FORMAT = "EXPORTS_LOG_FORMAT"
LOG_LEVEL = "EXPORTS_LOG_LEVEL"

environment = Environment.of(__file__)
