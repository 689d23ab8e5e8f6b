"""Settings come from the environment, then from `.env` beside pyproject.toml."""

from store.runtime.environment import Environment

DATABASE_URL = "STORE_DATABASE_URL"
DATABASE_PASSWORD = "STORE_DATABASE_PASSWORD"
LOG_FORMAT = "STORE_LOG_FORMAT"
LOG_LEVEL = "STORE_LOG_LEVEL"
HASH_KEY = "STORE_HASH_KEY"

environment = Environment.of(__file__)


def hash_key() -> str:
    """The secret that hashes of personal data are made with: with it, they can be guessed."""
    return environment.require(HASH_KEY, "<at least 16 random characters>")
