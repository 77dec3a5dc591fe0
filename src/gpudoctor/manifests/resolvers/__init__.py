"""A model per tool of what it would choose."""
