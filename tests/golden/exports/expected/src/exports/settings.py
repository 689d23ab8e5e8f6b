"""Settings come from the environment, then from `.env` beside pyproject.toml."""

from exports.runtime.environment import Environment

DATABASE_URL = "EXPORTS_DATABASE_URL"
DATABASE_PASSWORD = "EXPORTS_DATABASE_PASSWORD"
LOG_FORMAT = "EXPORTS_LOG_FORMAT"
LOG_LEVEL = "EXPORTS_LOG_LEVEL"
HASH_KEY = "EXPORTS_HASH_KEY"

environment = Environment.of(__file__)


def hash_key() -> str:
    """The secret that hashes of personal data are made with: with it, they can be guessed."""
    return environment.require(HASH_KEY, "<at least 16 random characters>")
