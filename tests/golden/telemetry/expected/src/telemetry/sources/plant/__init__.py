"""The source plant."""
