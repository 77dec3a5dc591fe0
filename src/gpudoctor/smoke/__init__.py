"""Kernels run on every usable GPU, each in a child of its own, and judged."""
