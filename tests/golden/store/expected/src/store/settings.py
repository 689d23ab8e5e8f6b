"""Settings come from the environment, then from `.env` beside pyproject.toml."""

from store.runtime.environment import Environment

DATABASE_URL = "STORE_DATABASE_URL"
DATABASE_PASSWORD = "STORE_DATABASE_PASSWORD"
LOG_FORMAT = "STORE_LOG_FORMAT"
LOG_LEVEL = "STORE_LOG_LEVEL"

environment = Environment.of(__file__)
