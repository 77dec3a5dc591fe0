"""Releases of CUDA, torch and what lies beside it."""
