"""Reads, checks and loads: the parts that every resource of this project shares."""
