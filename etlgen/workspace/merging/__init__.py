"""Three texts become one, or a conflict: git merges, and what it merged is read again."""
