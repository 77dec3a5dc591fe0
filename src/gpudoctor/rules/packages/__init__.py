"""The Python environment and what is installed beside torch."""
