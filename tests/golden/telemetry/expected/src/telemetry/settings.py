"""Settings come from the environment, then from `.env` beside pyproject.toml."""

from telemetry.runtime.environment import Environment

DATABASE_URL = "TELEMETRY_DATABASE_URL"
DATABASE_PASSWORD = "TELEMETRY_DATABASE_PASSWORD"
LOG_FORMAT = "TELEMETRY_LOG_FORMAT"
LOG_LEVEL = "TELEMETRY_LOG_LEVEL"
HASH_KEY = "TELEMETRY_HASH_KEY"

environment = Environment.of(__file__)


def hash_key() -> str:
    """The secret that hashes of personal data are made with: with it, they can be guessed."""
    return environment.require(HASH_KEY, "<at least 16 random characters>")
