"""Installed distributions: what they are, what they require, and the machine code in them."""
