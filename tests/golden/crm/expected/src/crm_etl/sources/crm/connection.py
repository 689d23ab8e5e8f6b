"""How the database of crm is reached."""

from crm_etl.runtime.sql_database import Database
from crm_etl.settings import environment


def connect() -> Database:
    """The database, read only; the password may stand in a variable of its own."""
    return Database.at(
        environment.require("CRM_DATABASE_URL", "postgresql://user@host:5432/database"),
        password=environment.get("CRM_DATABASE_PASSWORD"),
        schema="sales",
    )
