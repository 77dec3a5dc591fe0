"""Known messages: which stand in a text, and which cause they mean."""
