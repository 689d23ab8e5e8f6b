"""The source erp."""
