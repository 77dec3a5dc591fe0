"""What was asked for, and of which machine."""
