"""The documents: what they show was printed, what they list exists, and links lead somewhere."""
