"""How fast rows come out of a source, beside what others need for the same."""
