"""Settings come from the environment, then from `.env` beside pyproject.toml."""

from club.runtime.environment import Environment

DATABASE_URL = "CLUB_DATABASE_URL"
DATABASE_PASSWORD = "CLUB_DATABASE_PASSWORD"
LOG_FORMAT = "CLUB_LOG_FORMAT"
LOG_LEVEL = "CLUB_LOG_LEVEL"

environment = Environment.of(__file__)
