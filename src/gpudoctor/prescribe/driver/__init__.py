"""Which driver serves a set of GPUs, and the steps to it."""
