"""Builds of torch: which can be considered, which is chosen, what changes along with it."""
