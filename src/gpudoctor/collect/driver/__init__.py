"""The NVIDIA driver, asked in children of their own that may hang or crash with it."""
