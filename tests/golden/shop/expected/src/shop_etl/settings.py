"""Settings come from the environment, then from `.env` beside pyproject.toml."""

from shop_etl.runtime.environment import Environment

DATABASE_URL = "SHOP_ETL_DATABASE_URL"
DATABASE_PASSWORD = "SHOP_ETL_DATABASE_PASSWORD"
LOG_FORMAT = "SHOP_ETL_LOG_FORMAT"
LOG_LEVEL = "SHOP_ETL_LOG_LEVEL"
HASH_KEY = "SHOP_ETL_HASH_KEY"

environment = Environment.of(__file__)


def hash_key() -> str:
    """The secret that hashes of personal data are made with: with it, they can be guessed."""
    return environment.require(HASH_KEY, "<at least 16 random characters>")
