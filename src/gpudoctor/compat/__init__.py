"""What runs on what: pure rules of binary compatibility and of driver versions."""
