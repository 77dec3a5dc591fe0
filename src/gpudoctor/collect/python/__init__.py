"""The examined interpreter and its environment, read and not started."""
