"""Settings come from the environment, then from `.env` beside pyproject.toml."""

from crm_etl.runtime.environment import Environment

DATABASE_URL = "CRM_ETL_DATABASE_URL"
DATABASE_PASSWORD = "CRM_ETL_DATABASE_PASSWORD"
LOG_FORMAT = "CRM_ETL_LOG_FORMAT"
LOG_LEVEL = "CRM_ETL_LOG_LEVEL"
HASH_KEY = "CRM_ETL_HASH_KEY"

environment = Environment.of(__file__)


def hash_key() -> str:
    """The secret that hashes of personal data are made with: with it, they can be guessed."""
    return environment.require(HASH_KEY, "<at least 16 random characters>")
