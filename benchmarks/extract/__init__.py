"""How fast sources are read, and in how much memory."""
