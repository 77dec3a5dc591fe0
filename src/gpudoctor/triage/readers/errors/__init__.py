"""Errors: where a program was when one came, and what its figures say."""
