"""What binaries lie in: folders, wheels, static archives, compressed streams."""
