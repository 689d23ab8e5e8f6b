"""Settings come from the environment, then from `.env` beside pyproject.toml."""

from shop_etl.runtime.environment import Environment

DATABASE_URL = "SHOP_ETL_DATABASE_URL"
DATABASE_PASSWORD = "SHOP_ETL_DATABASE_PASSWORD"
LOG_FORMAT = "SHOP_ETL_LOG_FORMAT"
LOG_LEVEL = "SHOP_ETL_LOG_LEVEL"

environment = Environment.of(__file__)
