"""The systems we read: a package for each source, in it a module for each resource."""
