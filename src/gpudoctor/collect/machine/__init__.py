"""The computer and its operating system, from its files: a module a system."""
