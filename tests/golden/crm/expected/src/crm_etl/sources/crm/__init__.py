"""The source crm."""
