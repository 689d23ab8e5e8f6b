"""Settings come from the environment, then from `.env` beside pyproject.toml."""

from club.runtime.environment import Environment

DATABASE_URL = "CLUB_DATABASE_URL"
DATABASE_PASSWORD = "CLUB_DATABASE_PASSWORD"
LOG_FORMAT = "CLUB_LOG_FORMAT"
LOG_LEVEL = "CLUB_LOG_LEVEL"
HASH_KEY = "CLUB_HASH_KEY"

environment = Environment.of(__file__)


def hash_key() -> str:
    """The secret that hashes of personal data are made with: with it, they can be guessed."""
    return environment.require(HASH_KEY, "<at least 16 random characters>")
