"""Readers: one kind of output a file, each giving a part of the facts."""
