"""What etlgen does for its user: one short module each, reading like its recipe."""
