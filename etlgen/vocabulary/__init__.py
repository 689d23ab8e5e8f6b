"""What a spec may say of a column: types, cleaning, checks; one row per entry with all about it."""
