"""Host, container, GPUs and environment variables."""
