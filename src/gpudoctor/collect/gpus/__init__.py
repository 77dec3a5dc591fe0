"""The GPUs: from the bus, from the driver and from the masks, merged into one list."""
