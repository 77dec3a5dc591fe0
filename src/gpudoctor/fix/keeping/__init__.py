"""Keeping the files of an environment safe, and putting them back."""
