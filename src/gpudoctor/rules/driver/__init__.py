"""The NVIDIA driver: its version, its kernel module, its first answer."""
