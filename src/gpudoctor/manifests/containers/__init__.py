"""Dockerfile and compose: what an image holds after its lines have run."""
