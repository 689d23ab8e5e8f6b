"""The pipelines of crm-etl."""
